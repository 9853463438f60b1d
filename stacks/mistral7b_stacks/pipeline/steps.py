"""What happens in each stage of the pipeline."""

import shlex

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import pipelines

from mistral7b.promotion import PromotedEnvironment, Promotion
from mistral7b.promotion.names import (
    BUILD_STAGE,
    PIPELINE_ID,
    PIPELINE_NAME,
    REVIEW_ACTION,
    SECURITY_APPROVAL,
    SMOKE_ACTION,
    UPDATE_STAGE,
    gate_role_name,
    gates_project_role_name,
)
from mistral7b_stacks.base import assume, bootstrap_roles
from mistral7b_stacks.pipeline.builds import Builds
from mistral7b_stacks.pipeline.source import Repository
from sagemaker_tgi import NamedRole, Permission

_CDK = ".venv/bin/cdk"
_MISTRAL7B = ".venv/bin/mistral7b"
_START = "Start"
_EXECUTION_ID = "#{codepipeline.PipelineExecutionId}"


class Steps:
    """The pipeline's own actions: build, update of the pipeline itself, review, smoke test and gates."""

    def __init__(self, builds: Builds, promotion: Promotion, repository: Repository) -> None:
        """Defines nothing yet."""
        self._builds, self._promotion, self._repository = builds, promotion, repository
        self._stack = cdk.Stack.of(builds)
        self._gates_roles: dict[str, iam.IRole] = {}

    def synth(self) -> pipelines.CodeBuildStep:
        """Tests the commit and makes its cloud assembly: the one that every environment gets."""
        return self._builds.step(
            BUILD_STAGE,
            "Synth",
            [self._promotion.settings.build.test, f"{_CDK} synth --quiet"],
            timeout_minutes=60,
            install="test",
            compute_type=codebuild.ComputeType.MEDIUM,
            output="cdk.out",
        )

    def update(self, assembly: pipelines.FileSet) -> list[pipelines.Step]:
        """Deploys the pipeline's own stacks from the assembly, once their permissions are reviewed.

        If that changes the pipeline, the execution restarts.
        """
        settings = self._promotion.settings
        environments = [(promoted.account, promoted.region) for promoted in self._promotion.environments]
        own = [(settings.account, region) for region in (settings.region, *(region for _, region in environments))]
        reviewed = self._reviewed(UPDATE_STAGE, PIPELINE_ID, own, assembly)
        deploy = self._builds.step(
            UPDATE_STAGE,
            "SelfMutate",
            [
                f"{_MISTRAL7B} pipeline check",
                # protected after a deployment that failed, too: the CDK CLI turns protection off before it begins
                f"{_CDK} --app cdk.out deploy {PIPELINE_ID} --require-approval never; status=$?; "
                f"{_MISTRAL7B} protect {PIPELINE_ID} && (exit $status)",
            ],
            timeout_minutes=30,
            install="pipeline",
            assembly=assembly,
            permissions=[
                assume(
                    "DeployPipeline",
                    "the CDK deploys the pipeline's own stacks with the bootstrap roles of the pipeline's account",
                    [
                        *bootstrap_roles(self._stack, "deploy", own),
                        *bootstrap_roles(self._stack, "file-publishing", own),
                    ],
                ),
                assume(
                    "LookAtAccounts",
                    "to check that every account is ready for deployments, by roles that only read",
                    bootstrap_roles(self._stack, "lookup", own + environments),
                ),
                Permission(
                    "FindConnection",
                    "the connection that this stack has made is found among its resources",
                    ["cloudformation:ListStackResources"],
                    [self._stack.stack_id],
                ),
                self._repository.look_permission(),
            ],
        )
        return _before(reviewed, deploy)

    def before_deployment(self, promoted: PromotedEnvironment, assembly: pipelines.FileSet) -> list[pipelines.Step]:
        """The review with its approval; the promotion's approval, if the file asks for one; the start by office hours.

        The endpoint has to be there to be updated.
        """
        steps = self._reviewed(promoted.name, promoted.name, [(promoted.account, promoted.region)], assembly)
        if promoted.approval:
            approval = pipelines.ManualApprovalStep("Promote", comment=f"Deploy to {promoted.name}?")
            steps = _before(steps, approval)
        if promoted.environment.office_hours is None:
            return steps
        command, role = f"{_MISTRAL7B} start {promoted.name} --as-pipeline", self._gates_role(promoted)
        start = self._builds.step(promoted.name, _START, [command], timeout_minutes=90, role=role)
        return _before(steps, start)

    def _reviewed(
        self, stage: str, what: str, places: list[tuple[str, str]], assembly: pipelines.FileSet
    ) -> list[pipelines.Step]:
        """The review of what is about to be deployed, and the approval that it gives or leaves to a person.

        Both are in the stage of the deployment: no other execution can deploy in between.
        """
        pipeline = self._stack.format_arn(service="codepipeline", resource=PIPELINE_NAME)
        look = "to compare the assembly with what is deployed, by a role that only reads"
        find = "the approval's token is in the pipeline's state"
        answer = "to approve this one action where nothing broadens permissions"
        approval = f"{pipeline}/{stage}/{SECURITY_APPROVAL}"
        review = self._builds.step(
            stage,
            REVIEW_ACTION,
            [f"{_MISTRAL7B} pipeline review {what} --assembly cdk.out --approve"],
            timeout_minutes=20,
            variables={"PIPELINE_EXECUTION_ID": _EXECUTION_ID},
            assembly=assembly,
            permissions=[
                assume("LookAtEnvironment", look, bootstrap_roles(self._stack, "lookup", places)),
                Permission("FindApproval", find, ["codepipeline:GetPipelineState"], [pipeline]),
                Permission("AnswerApproval", answer, ["codepipeline:PutApprovalResult"], [approval]),
            ],
        )
        security = pipelines.ManualApprovalStep(
            SECURITY_APPROVAL,
            comment=f"{REVIEW_ACTION} approves this by itself where nothing broadens IAM permissions or opens a "
            "security group. Where it does not, read its log, and approve or reject",
        )
        return [review, security]

    def after_deployment(self, promoted: PromotedEnvironment) -> list[pipelines.CodeBuildStep]:
        """The protection from removal; at the same time the smoke test, then the gates, one after another."""
        profile = _assumed_role_profile(self._gate_role_arn(promoted), promoted.region)
        role = self._gates_role(promoted)
        quiet = promoted.quiet_minutes
        smoke = f"{_MISTRAL7B} smoke {promoted.name}" + (f" --quiet {quiet}" if quiet else "")
        tests = [
            (SMOKE_ACTION, smoke, 30 + 2 * quiet),
            *((f"Gate{number}", gate, 60) for number, gate in enumerate(promoted.gates, start=1)),
        ]
        steps = [
            self._builds.step(promoted.name, action, [*profile, command], timeout_minutes=minutes, role=role)
            for action, command, minutes in tests
        ]
        pipelines.Step.sequence(steps)
        # CloudFormation's actions leave termination protection as it is: github.com/aws/aws-cdk, issues 17871 and 30405
        protect = self._builds.step(
            promoted.name,
            "Protect",
            [f"{_MISTRAL7B} protect {promoted.name}"],
            timeout_minutes=20,
            permissions=[
                assume(
                    "ProtectStacks",
                    "to set termination protection once a deployment has succeeded, by the environment's deploy "
                    "role: the bootstrap has no narrower one that may",
                    bootstrap_roles(self._stack, "deploy", [(promoted.account, promoted.region)]),
                )
            ],
        )
        return [protect, *steps]

    def _gates_role(self, promoted: PromotedEnvironment) -> iam.IRole:
        """The one role of an environment's smoke test, gates and start, made once."""
        if promoted.name not in self._gates_roles:
            actions = [SMOKE_ACTION, "Gate*"]  # however many: the policies have their limits
            reason = "the one right of smoke test and gates: to invoke this environment's endpoint"
            permissions = [assume("AssumeGateRole", reason, [self._gate_role_arn(promoted)])]
            if promoted.environment.office_hours is not None:
                actions.append(_START)
                place = [(promoted.account, promoted.region)]
                reason = "to see what is deployed before it is started, by a role that only reads"
                permissions.append(assume("LookAtEnvironment", reason, bootstrap_roles(self._stack, "lookup", place)))
            self._gates_roles[promoted.name] = self._builds.role(
                promoted.name, actions, permissions, role_name=gates_project_role_name(promoted.name)
            )
        return self._gates_roles[promoted.name]

    def _gate_role_arn(self, promoted: PromotedEnvironment) -> str:
        return NamedRole(gate_role_name(promoted.name), promoted.account).arn(self._stack)


def _before(steps: list[pipelines.Step], last: pipelines.Step) -> list[pipelines.Step]:
    """All of `steps`, then the last one."""
    for step in steps:
        last.add_step_dependency(step)
    return [*steps, last]


def _assumed_role_profile(role_arn: str, region: str) -> list[str]:
    """Commands after which every SDK acts as `role_arn`: a profile that assumes it with CodeBuild's own credentials.

    They come after the set-up, which needs no role. Each is a command of its own, as CodeBuild ends a build at the
    first that fails.
    """
    profile = ["[profile gate]", f"role_arn = {role_arn}", "credential_source = EcsContainer", f"region = {region}"]
    return [
        'AWS_CONFIG_FILE="$(mktemp)"',
        f'printf "%s\\n" {" ".join(shlex.quote(line) for line in profile)} > "$AWS_CONFIG_FILE"',
        'export AWS_CONFIG_FILE AWS_PROFILE=gate PATH="$PWD/.venv/bin:$PATH"',
    ]
