"""CodeBuild projects: what they have in common, and what each may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import pipelines
from constructs import Construct

from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_stacks.pipeline.artifacts import ASSEMBLY, SOURCE, ArtifactStore, objects_of
from mistral7b_stacks.pipeline.permissions import Permission, ServiceRole

_PYTHON = "3.11"  # the oldest that this project takes, and the one that its lock is resolved for
# What uv and npm have downloaded, checked against the locks' hashes at each use. `.venv` and `node_modules` would not
# do: CodeBuild's folder has another name in each build, and a virtual environment knows the one that it was made in.
_CACHED = ["/root/.cache/uv/**/*", "/root/.npm/**/*"]

LOG_GROUP_NAME = "/mistral7b/pipeline"
"""Where the builds log, each action in log streams that begin with its project's name."""


Install = Literal["client", "pipeline", "test"]
"""Which file of requirements/ an action's set-up installs: the variable INSTALL, which `make setup` reads."""


@dataclass(frozen=True)
class Action:
    """One CodeBuild action of the pipeline."""

    stage: str
    name: str
    commands: Sequence[str]
    timeout_minutes: int
    install: Install
    environment: Mapping[str, str] = field(default_factory=dict)
    compute_type: codebuild.ComputeType = codebuild.ComputeType.SMALL

    @property
    def project_name(self) -> str:
        """Name of the action's project, and of its log streams."""
        return project_name(self.stage, self.name)


def project_name(stage: str, action: str) -> str:
    """Name of the project of an action; for a policy, the action's name may end in `*`."""
    return f"{PIPELINE_NAME}-{stage}-{action}"


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
        """Defines nothing yet.

        Args:
            scope: The pipeline's stack.
            construct_id: Id within `scope`.
            store: Where the artifacts are.
            log_group: Where the builds log.
            source: The commit's files, which every action starts from.
            setup: The command that every action starts with.
        """
        super().__init__(scope, construct_id)
        self._store, self._log_group, self._source, self._setup = store, log_group, source, setup

    def role(
        self,
        stage: str,
        actions: Sequence[str],
        *,
        permissions: Sequence[Permission] = (),
        reads_assembly: bool = False,
        writes_assembly: bool = False,
        role_name: str | None = None,
    ) -> iam.IRole:
        """A role of the projects of some actions.

        Args:
            stage: The actions' stage.
            actions: Their names, which may end in `*`.
            permissions: What they may do besides logging and reading the source.
            reads_assembly: Whether they may read the cloud assembly.
            writes_assembly: Whether they make it.
            role_name: The role's name, where another account trusts it by that. Default: CloudFormation's.
        """
        stack = cdk.Stack.of(self)
        names = [project_name(stage, action) for action in actions]
        role = ServiceRole(
            self,
            f"{stage}-{actions[0]}Role",
            service="codebuild.amazonaws.com",
            source_arns=[
                stack.format_arn(service="codebuild", resource="project", resource_name=name) for name in names
            ],
            trust="CodeBuild runs the action's commands with it, for its own project alone",
            description=f"Pipeline {PIPELINE_NAME}, {stage}: {', '.join(actions)}",
            role_name=role_name,
            permissions=[
                self._write_logs(names),
                *self._use_artifacts(reads_assembly=reads_assembly, writes_assembly=writes_assembly),
                *permissions,
            ],
        )
        return role.fixed

    def step(
        self,
        action: Action,
        *,
        role: iam.IRole,
        assembly: pipelines.FileSet | None = None,
        output: str | None = None,
    ) -> pipelines.CodeBuildStep:
        """The step of `action`.

        Args:
            action: What it runs.
            role: The project's role.
            assembly: The cloud assembly, which it finds in `cdk.out`. Default: it does without.
            output: The folder that it hands on. Default: none.
        """
        return pipelines.CodeBuildStep(
            action.name,
            project_name=action.project_name,
            role=role,
            input=self._source,
            additional_inputs={"cdk.out": assembly} if assembly else None,
            env=dict(action.environment),
            install_commands=[self._setup],
            commands=list(action.commands),
            primary_output_directory=output,
            partial_build_spec=codebuild.BuildSpec.from_object(
                {
                    "version": "0.2",
                    "env": {"shell": "bash", "variables": {"INSTALL": action.install}},
                    "phases": {"install": {"runtime-versions": {"python": _PYTHON}}},
                    "cache": {"paths": _CACHED},
                }
            ),
            build_environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5,
                compute_type=action.compute_type,
                privileged=False,
            ),
            cache=codebuild.Cache.local(codebuild.LocalCacheMode.CUSTOM),
            timeout=cdk.Duration.minutes(action.timeout_minutes),
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._log_group, prefix=action.project_name)
            ),
        )

    def _write_logs(self, projects: Sequence[str]) -> Permission:
        return Permission(
            sid="WriteLogs",
            reason="the log of each build, in log streams of its own action",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[
                cdk.Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=f"{LOG_GROUP_NAME}:log-stream:{project}/*",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
                for project in projects
            ],
            wildcard="one log stream for each build, named by CodeBuild",
        )

    def _use_artifacts(self, *, reads_assembly: bool, writes_assembly: bool) -> list[Permission]:
        bucket, key = self._store.bucket, self._store.key
        read = [SOURCE, ASSEMBLY] if reads_assembly else [SOURCE]
        found = [
            Permission(
                sid="ReadArtifacts",
                reason="what the action works on, and no other artifact",
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[bucket.arn_for_objects(objects_of(artifact)) for artifact in read],
                wildcard="one object for each execution, named by CodePipeline",
            ),
            Permission(
                sid="FindArtifacts",
                reason="CodeBuild looks where the bucket is, and whose it is",
                actions=["s3:GetBucketAcl", "s3:GetBucketLocation"],
                resources=[bucket.bucket_arn],
            ),
            Permission(
                sid="UseArtifactKey",
                reason="artifacts are encrypted with this one key",
                actions=["kms:Decrypt", "kms:DescribeKey", *(["kms:GenerateDataKey"] if writes_assembly else [])],
                resources=[key.key_arn],
            ),
        ]
        if writes_assembly:
            found.append(
                Permission(
                    sid="WriteAssembly",
                    reason="the cloud assembly, which no other action may write, so that what is deployed is what was "
                    "built of the commit",
                    actions=["s3:PutObject"],
                    resources=[bucket.arn_for_objects(objects_of(ASSEMBLY))],
                    wildcard="one object for each execution, named by CodePipeline",
                )
            )
        return found
