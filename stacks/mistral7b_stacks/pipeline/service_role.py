"""The role that CodePipeline assumes to run the pipeline's actions."""

from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from mistral7b.promotion import Promotion
from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_stacks.base import assume, bootstrap_roles
from mistral7b_stacks.pipeline.artifacts import ArtifactStore, ReplicationStack
from mistral7b_stacks.pipeline.source import Repository
from sagemaker_tgi import LeastPrivilegeRole, Permission

_ARTIFACTS = f"{PIPELINE_NAME[:20]}/*"  # CodePipeline cuts the name to 20 characters, see `objects_of`
_FIND = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
_FIND_REASON = "CodePipeline looks where the bucket is, whose it is, and whether it keeps versions"
_USE_KEY = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
_OBJECTS = "one object for each artifact and execution, named by CodePipeline"


def pipeline_role(
    scope: Construct,
    *,
    promotion: Promotion,
    store: ArtifactStore,
    replicas: Mapping[str, ReplicationStack],
    repository: Repository,
) -> LeastPrivilegeRole:
    """A role that fetches commits, keeps artifacts, starts builds, and assumes the roles that deploy the environments.

    Source and builds have no roles of their own: this one could assume them, so they would keep nothing from it.
    `replicas` hold the copies of `store`, by region.
    """
    permissions = _permissions(cdk.Stack.of(scope), promotion, store, replicas, repository)
    return LeastPrivilegeRole(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("codepipeline.amazonaws.com"),  # which does not say that it names a source
        trust="CodePipeline runs the actions with it; whoever makes a pipeline with it needs iam:PassRole in this "
        "account",
        description=f"Pipeline {PIPELINE_NAME}: runs its actions",
        policies={permission.sid: [permission] for permission in permissions},
    )


def _permissions(
    stack: cdk.Stack,
    promotion: Promotion,
    store: ArtifactStore,
    replicas: Mapping[str, ReplicationStack],
    repository: Repository,
) -> Iterator[Permission]:
    """Source: CodePipeline user guide, "Manage the CodePipeline service role"."""
    yield repository.use_permission()
    yield Permission(
        sid="KeepArtifacts",
        reason="artifacts are handed from action to action in this bucket; the source action writes with an ACL",
        actions=["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"],
        resources=[store.bucket.arn_for_objects(_ARTIFACTS)],
        wildcard=_OBJECTS,
    )
    yield Permission("FindArtifacts", _FIND_REASON, _FIND, [store.bucket.bucket_arn])
    yield Permission("UseArtifactKey", "artifacts are encrypted with this one key", _USE_KEY, [store.key.key_arn])
    if replicas:
        yield from _copy_artifacts(stack, replicas)
    yield Permission(
        sid="RunBuilds",
        reason="the actions of CodeBuild: to start them, to see how they end, to stop them with their execution",
        actions=["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
        resources=[stack.format_arn(service="codebuild", resource="project", resource_name=f"{PIPELINE_NAME}-*")],
        wildcard="the pipeline's own projects, which all begin with its name",
    )
    yield assume(
        "DeployEnvironments",
        "each environment is deployed by the role that `cdk bootstrap` has made for that in its account",
        bootstrap_roles(stack, "deploy", [(one.account, one.region) for one in promotion.environments]),
    )


def _copy_artifacts(stack: cdk.Stack, replicas: Mapping[str, ReplicationStack]) -> Iterator[Permission]:
    buckets = [replica.bucket.bucket_arn for replica in replicas.values()]
    yield Permission(
        sid="CopyArtifacts",
        reason="what is deployed in another region is copied there",
        actions=["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
        resources=[f"{bucket}/{_ARTIFACTS}" for bucket in buckets],
        wildcard=_OBJECTS,
    )
    yield Permission("FindCopies", _FIND_REASON, _FIND, buckets)
    yield Permission(
        sid="UseKeysOfCopies",
        reason="copies are encrypted with their region's key, whose id only that region's stack knows: IAM takes no "
        "alias as a resource, so the condition names it",
        actions=_USE_KEY,
        resources=[
            stack.format_arn(service="kms", region=region, resource="key", resource_name="*") for region in replicas
        ],
        conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{PIPELINE_NAME}"}},
        wildcard="the key of this alias, which a condition names",
    )
