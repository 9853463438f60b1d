"""The role that CodePipeline takes on to run the pipeline's actions."""

from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from constructs import Construct

from mistral7b.promotion import PromotedEnvironment, Promotion
from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_stacks.pipeline.artifacts import ArtifactStore, ReplicationStack
from mistral7b_stacks.pipeline.bootstrap import bootstrap_role_arn
from mistral7b_stacks.pipeline.permissions import Permission, ServiceRole
from mistral7b_stacks.pipeline.source import Repository

_ARTIFACTS = f"{PIPELINE_NAME[:20]}/*"  # CodePipeline cuts the name to 20 characters, see `objects_of`


def deploy_role_arn(stack: cdk.Stack, promoted: PromotedEnvironment) -> str:
    """The bootstrap role that deploys an environment."""
    return bootstrap_role_arn(stack, "deploy", account=promoted.account, region=promoted.region)


class PipelineRole(ServiceRole):
    """Fetches commits, keeps artifacts, starts builds, and takes on the roles that deploy the environments.

    Source and builds have no roles of their own: this one could take them on, so they would keep nothing from it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        promotion: Promotion,
        store: ArtifactStore,
        replicas: Mapping[str, ReplicationStack],
        repository: Repository,
    ) -> None:
        """Defines the role.

        Args:
            scope: The pipeline's stack.
            construct_id: Id within `scope`.
            promotion: The pipeline file.
            store: Where the artifacts are.
            replicas: Where their copies are, by region.
            repository: The pipeline's source.
        """
        stack = cdk.Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            service="codepipeline.amazonaws.com",
            trust="CodePipeline runs the actions with it; whoever makes a pipeline with it needs iam:PassRole in this "
            "account",
            description=f"Pipeline {PIPELINE_NAME}: runs its actions",
            permissions=[
                repository.use_permission(),
                *_keep_artifacts(store),
                *_copy_artifacts(stack, replicas),
                _run_builds(stack),
                _deploy(stack, promotion),
            ],
        )


def _keep_artifacts(store: ArtifactStore) -> Iterator[Permission]:
    """Source: CodePipeline user guide, "Manage the CodePipeline service role"."""
    yield Permission(
        sid="KeepArtifacts",
        reason="artifacts are handed from action to action in this bucket; the source action writes with an ACL",
        actions=["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"],
        resources=[store.bucket.arn_for_objects(_ARTIFACTS)],
        wildcard="one object for each artifact and execution, named by CodePipeline",
    )
    yield Permission(
        sid="FindArtifacts",
        reason="CodePipeline looks where the bucket is, whose it is, and whether it keeps versions",
        actions=["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"],
        resources=[store.bucket.bucket_arn],
    )
    yield Permission(
        sid="UseArtifactKey",
        reason="artifacts are encrypted with this one key",
        actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
        resources=[store.key.key_arn],
    )


def _copy_artifacts(stack: cdk.Stack, replicas: Mapping[str, ReplicationStack]) -> Iterator[Permission]:
    if not replicas:
        return
    buckets = [replica.bucket.bucket_arn for replica in replicas.values()]
    yield Permission(
        sid="CopyArtifacts",
        reason="what is deployed in another region is copied there",
        actions=["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
        resources=[f"{bucket}/{_ARTIFACTS}" for bucket in buckets],
        wildcard="one object for each artifact and execution, named by CodePipeline",
    )
    yield Permission(
        sid="FindCopies",
        reason="CodePipeline looks where the bucket is, whose it is, and whether it keeps versions",
        actions=["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"],
        resources=buckets,
    )
    yield Permission(
        sid="UseKeysOfCopies",
        reason="copies are encrypted with their region's key, whose id only that region's stack knows: IAM takes no "
        "alias as a resource, so the condition names it",
        actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
        resources=[
            stack.format_arn(service="kms", region=region, resource="key", resource_name="*") for region in replicas
        ],
        conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{PIPELINE_NAME}"}},
        wildcard="the key of this alias, which a condition names",
    )


def _run_builds(stack: cdk.Stack) -> Permission:
    return Permission(
        sid="RunBuilds",
        reason="the actions of CodeBuild: to start them, to see how they end, to stop them with their execution",
        actions=["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
        resources=[stack.format_arn(service="codebuild", resource="project", resource_name=f"{PIPELINE_NAME}-*")],
        wildcard="the pipeline's own projects, which all begin with its name",
    )


def _deploy(stack: cdk.Stack, promotion: Promotion) -> Permission:
    return Permission(
        sid="DeployEnvironments",
        reason="each environment is deployed by the role that `cdk bootstrap` has made for that in its account",
        actions=["sts:AssumeRole"],
        resources=sorted({deploy_role_arn(stack, promoted) for promoted in promotion.environments}),
    )
