"""CodeBuild projects: what they have in common, and what each may do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import pipelines
from constructs import Construct

from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_stacks.pipeline.artifacts import ASSEMBLY, SOURCE, ArtifactStore, objects_of
from sagemaker_tgi import LeastPrivilegeRole, Permission, service_principal

_PYTHON = "3.11"  # the oldest that this project takes, and the one that its lock is resolved for
# What uv and npm have downloaded, checked against the locks' hashes at each use. `.venv` and `node_modules` would not
# do: CodeBuild's folder has another name in each build, and a virtual environment knows the one that it was made in.
_CACHED = ["/root/.cache/uv/**/*", "/root/.npm/**/*"]

_LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]
_READ = ["s3:GetObject", "s3:GetObjectVersion"]
_FIND = ["s3:GetBucketAcl", "s3:GetBucketLocation"]
_OBJECTS = "one object for each execution, named by CodePipeline"

LOG_GROUP_NAME = "/mistral7b/pipeline"
"""Where the builds log, each action in log streams that begin with its project's name."""

Install = Literal["client", "pipeline", "test"]
"""Which file of requirements/ an action's set-up installs: the variable INSTALL, which `make setup` reads."""


class Builds(Construct):
    """Makes the CodeBuild steps, each with the project, role and log stream of its own action."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        store: ArtifactStore,
        log_group: logs.ILogGroup,
        source: pipelines.FileSet,
        setup: str,
    ) -> None:
        """Defines nothing yet. Every action starts from the commit's files, `source`, with the command `setup`."""
        super().__init__(scope, construct_id)
        self._store, self._log_group, self._source, self._setup = store, log_group, source, setup

    def role(
        self,
        stage: str,
        actions: Sequence[str],
        permissions: Sequence[Permission] = (),
        *,
        reads_assembly: bool = False,
        writes_assembly: bool = False,
        role_name: str | None = None,
    ) -> iam.IRole:
        """A role of the projects of some actions of a stage, whose names may end in `*`.

        It logs, reads the source and has these permissions. The CDK's grants, broader than what its constructs need
        (`s3:GetObject*`, `kms:ReEncrypt*`, report groups), do not change it.
        """
        stack = cdk.Stack.of(self)
        projects = [_project(stage, action) for action in actions]
        allowed = [*self._permissions(projects, reads=reads_assembly, writes=writes_assembly), *permissions]
        return LeastPrivilegeRole(
            self,
            f"{stage}-{actions[0]}Role",
            role_name=role_name,
            description=f"Pipeline {PIPELINE_NAME}, {stage}: {', '.join(actions)}",
            assumed_by=service_principal(
                stack,
                "codebuild.amazonaws.com",
                [stack.format_arn(service="codebuild", resource="project", resource_name=one) for one in projects],
            ),
            trust="CodeBuild runs the action's commands with it, for its own project only",
            policies={permission.sid: [permission] for permission in allowed},
        ).without_policy_updates()

    def step(
        self,
        stage: str,
        action: str,
        commands: Sequence[str],
        *,
        timeout_minutes: int,
        install: Install = "client",
        permissions: Sequence[Permission] = (),
        role: iam.IRole | None = None,
        assembly: pipelines.FileSet | None = None,
        output: str | None = None,
        variables: Mapping[str, str] | None = None,
        compute_type: codebuild.ComputeType = codebuild.ComputeType.SMALL,
    ) -> pipelines.CodeBuildStep:
        """The step of an action.

        Args:
            permissions: What it may do besides logging and reading the source.
            role: The project's role. Default: its own, with these permissions.
            assembly: The cloud assembly, which it finds in `cdk.out`. Default: it does without.
            output: The folder that it hands on as the cloud assembly. Default: none.
        """
        project = _project(stage, action)
        return pipelines.CodeBuildStep(
            action,
            project_name=project,
            role=role
            or self.role(stage, [action], permissions, reads_assembly=bool(assembly), writes_assembly=bool(output)),
            input=self._source,
            additional_inputs={"cdk.out": assembly} if assembly else None,
            env=dict(variables or {}),
            install_commands=[self._setup],
            commands=list(commands),
            primary_output_directory=output,
            partial_build_spec=codebuild.BuildSpec.from_object(
                {
                    "version": "0.2",
                    "env": {"shell": "bash", "variables": {"INSTALL": install}},
                    "phases": {"install": {"runtime-versions": {"python": _PYTHON}}},
                    "cache": {"paths": _CACHED},
                }
            ),
            build_environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5, compute_type=compute_type, privileged=False
            ),
            cache=codebuild.Cache.local(codebuild.LocalCacheMode.CUSTOM),
            timeout=cdk.Duration.minutes(timeout_minutes),
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._log_group, prefix=project)
            ),
        )

    def _permissions(self, projects: Sequence[str], *, reads: bool, writes: bool) -> Iterator[Permission]:
        """What every build needs, and to read or write the cloud assembly."""
        stack, bucket, key = cdk.Stack.of(self), self._store.bucket, self._store.key
        streams = [
            stack.format_arn(
                service="logs",
                resource="log-group",
                resource_name=f"{LOG_GROUP_NAME}:log-stream:{project}/*",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for project in projects
        ]
        reason = "the log of each build, in log streams of its own action"
        yield Permission(
            "WriteLogs", reason, _LOG, streams, wildcard="one log stream for each build, named by CodeBuild"
        )
        objects = [bucket.arn_for_objects(objects_of(one)) for one in ([SOURCE, ASSEMBLY] if reads else [SOURCE])]
        reason = "what the action works on, and no other artifact"
        yield Permission("ReadArtifacts", reason, _READ, objects, wildcard=_OBJECTS)
        reason = "CodeBuild looks where the bucket is, and whose it is"
        yield Permission("FindArtifacts", reason, _FIND, [bucket.bucket_arn])
        use = ["kms:Decrypt", "kms:DescribeKey", *(["kms:GenerateDataKey"] if writes else [])]
        yield Permission("UseArtifactKey", "artifacts are encrypted with this one key", use, [key.key_arn])
        if writes:
            yield Permission(
                "WriteAssembly",
                "the cloud assembly, which no other action may write, so that what is deployed is what was built of "
                "the commit",
                ["s3:PutObject"],
                [bucket.arn_for_objects(objects_of(ASSEMBLY))],
                wildcard=_OBJECTS,
            )


def _project(stage: str, action: str) -> str:
    return f"{PIPELINE_NAME}-{stage}-{action}"
