"""The pipeline's stack: the pipeline of CDK Pipelines with roles, artifacts, logs and notifications of our own."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_logs as logs
from aws_cdk import pipelines
from constructs import Construct

from mistral7b.promotion import Promotion
from mistral7b.promotion.names import (
    PIPELINE_ID,
    PIPELINE_NAME,
    PIPELINE_STACK_NAME,
    SOURCE_STAGE,
    UPDATE_STAGE,
)
from mistral7b_stacks.base import bootstrap_roles
from mistral7b_stacks.checks import add_compliance_packs, mark_unchecked
from mistral7b_stacks.pipeline.artifacts import ArtifactStore, ReplicationStack
from mistral7b_stacks.pipeline.builds import LOG_GROUP_NAME, Builds
from mistral7b_stacks.pipeline.notifications import Notifications
from mistral7b_stacks.pipeline.service_role import pipeline_role
from mistral7b_stacks.pipeline.source import Repository
from mistral7b_stacks.pipeline.steps import Steps
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import EncryptionKey, acknowledge, acknowledge_lint


class PipelineStack(cdk.Stack):
    """The pipeline from a commit to production.

    The environments' stages are the app's own, so that `cdk deploy 'dev/*'` and the pipeline deploy from one and the
    same cloud assembly.
    """

    def __init__(self, scope: Construct, *, promotion: Promotion, stages: Mapping[str, EnvironmentStage]) -> None:
        """Defines the stack in the app, and one for each other region; the promoted `stages` have their gate roles."""
        settings = promotion.settings
        super().__init__(
            scope,
            PIPELINE_ID,
            stack_name=PIPELINE_STACK_NAME,
            description="Mistral 7B: the pipeline from a commit to production",
            env=cdk.Environment(account=settings.account, region=settings.region),
        )
        self._promotion = promotion
        self._store = ArtifactStore(
            self,
            "Artifacts",
            retention_days=settings.artifacts.retention_days,
            deploy_role_arns=self._deploy_roles(settings.region),
        )
        self.replicas = {
            region: ReplicationStack(
                scope,
                env=cdk.Environment(account=settings.account, region=region),
                retention_days=settings.artifacts.retention_days,
                deploy_role_arns=self._deploy_roles(region),
            )
            for region in sorted({promoted.region for promoted in promotion.environments} - {settings.region})
        }
        """Stacks of the other regions, by region."""
        key = EncryptionKey(
            self, "Key", log_group_names=[LOG_GROUP_NAME], description="Mistral 7B: logs and news of the pipeline"
        )
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=LOG_GROUP_NAME,
            encryption_key=key,
            retention=logs.RetentionDays.ONE_YEAR,  # PCI DSS 3.2.1, 10.7: audit trails for a year
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        repository = Repository(self, settings.source)
        source = pipelines.CodePipelineFileSet.from_artifact(repository.artifact)
        builds = Builds(
            self, "Builds", store=self._store, log_group=log_group, source=source, setup=settings.build.setup
        )
        pipeline = self._pipeline(repository)
        self._promote(pipeline, Steps(builds, promotion, repository), stages)
        notifications = Notifications(self, "Notifications", key=key, emails=settings.notifications.emails)
        for name, value, description in (
            ("ConnectionArn", repository.connection_arn, "Connection to the repository"),
            ("PipelineName", PIPELINE_NAME, "Name of the pipeline"),
            ("TopicArn", notifications.topic_arn, "Topic that hears of executions and approvals"),
        ):
            cdk.CfnOutput(self, name, value=value, description=description)
        for stack in self.stacks:
            add_compliance_packs(stack, settings.compliance_packs)
            mark_unchecked(stack)
            for tag, text in settings.tags.items():
                cdk.Tags.of(stack).add(tag, text)

    @property
    def stacks(self) -> list[cdk.Stack]:
        """The pipeline's own stacks: this one, and those of other regions."""
        return [self, *self.replicas.values()]

    def _promote(self, pipeline: codepipeline.Pipeline, steps: Steps, stages: Mapping[str, EnvironmentStage]) -> None:
        synth = steps.synth()
        assembly = synth.primary_output
        assert assembly is not None
        # Our own update in place of CDK Pipelines' `self_mutation`, which installs its CLI by `npm install -g`, outside
        # of the lock, and may assume every role of the account.
        engine = pipelines.CodePipeline(
            self,
            "Stages",
            code_pipeline=pipeline,
            synth=synth,
            self_mutation=False,
            use_pipeline_role_for_actions=True,
        )
        engine.add_wave(UPDATE_STAGE, pre=steps.update(assembly))
        for promoted in self._promotion.environments:
            engine.add_stage(
                stages[promoted.name],
                pre=steps.before_deployment(promoted, assembly),
                post=list(steps.after_deployment(promoted)),
            )
        engine.build_pipeline()

    def _pipeline(self, repository: Repository) -> codepipeline.Pipeline:
        role = pipeline_role(
            self, promotion=self._promotion, store=self._store, replicas=self.replicas, repository=repository
        )
        own_bucket = self._store.as_known()
        buckets = {self.region: own_bucket, **{region: stack.bucket for region, stack in self.replicas.items()}}
        pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=PIPELINE_NAME,
            pipeline_type=codepipeline.PipelineType.V2,
            # A newer execution replaces one that waits: environments only move forward, and approvals are never for an
            # outdated commit.
            execution_mode=codepipeline.ExecutionMode.SUPERSEDED,
            # An execution that changes the pipeline runs again through the changed one.
            restart_execution_on_update=True,
            role=role.without_policy_updates(),
            use_pipeline_role_for_actions=True,
            artifact_bucket=None if self.replicas else own_bucket,
            cross_region_replication_buckets=buckets if self.replicas else None,
        )
        pipeline.add_stage(stage_name=SOURCE_STAGE, actions=[repository.action()])
        resource = pipeline.node.default_child
        assert isinstance(resource, codepipeline.CfnPipeline)
        acknowledge_lint(resource, "W3005", "the CDK names the role as a dependency, though the reference is one, too")
        acknowledge(
            pipeline,
            "the projects get their source from CodePipeline, which uses the connection; they know no repository",
            *(f"{pack}-CodeBuildProjectSourceRepoUrl" for pack in ("PCI.DSS.321", "HIPAA.Security")),
        )
        return pipeline

    def _deploy_roles(self, region: str) -> list[str]:
        places = [(one.account, region) for one in self._promotion.environments if one.region == region]
        return bootstrap_roles(self, "deploy", places)
