"""Where the pipeline's artifacts are: a bucket and a key in each region that it deploys to."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_NAME, replica_stack
from sagemaker_tgi import Permission, PrivateBucket, add_to_resource_policy

SOURCE, ASSEMBLY = "Source", "Synth_Output"
"""The artifacts: the commit's files; the cloud assembly, as CDK Pipelines names the output of `Synth`."""


def objects_of(artifact: str) -> str:
    """The keys of an artifact's objects, as IAM matches them.

    CodePipeline cuts the names of pipeline and artifact to 20 and 10 characters. Source: CodePipeline user guide,
    "Troubleshooting: pipeline artifact folder names are truncated".
    """
    return f"{PIPELINE_NAME[:20]}/{artifact[:10]}/*"


class ArtifactStore(PrivateBucket):
    """An encrypted bucket whose objects expire, and its key.

    The roles that deploy, which may be another account's, read the cloud assembly, and nothing else. The bucket stays
    when its stack is removed, as it is never empty then; it empties itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        retention_days: int,
        deploy_role_arns: Sequence[str],
        bucket_name: str | None = None,
    ) -> None:
        """Defines bucket and key.

        Args:
            retention_days: Days after which an artifact is deleted.
            deploy_role_arns: Existing roles that deploy from it; empty if nothing is deployed in the region.
            bucket_name: The bucket's name, if another region's stack has to know it. Default: CloudFormation's.
        """
        super().__init__(
            scope,
            construct_id,
            description="Mistral 7B: artifacts of the pipeline",
            bucket_name=bucket_name,
            retention=cdk.Duration.days(retention_days),
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        if deploy_role_arns:
            self._grant_read_assembly([iam.ArnPrincipal(arn) for arn in deploy_role_arns])

    def as_known(self) -> s3.IBucket:
        """The bucket as an import, whose policy the CDK's own grants, broader than needed, do not change."""
        key = kms.Key.from_key_arn(self, "KnownKey", self.key.key_arn)
        return s3.Bucket.from_bucket_attributes(self, "Known", bucket_name=self.bucket.bucket_name, encryption_key=key)

    def _grant_read_assembly(self, roles: Sequence[iam.IPrincipal]) -> None:
        stack = cdk.Stack.of(self)
        add_to_resource_policy(
            self.bucket,
            Permission(
                sid="DeployRolesRead",
                reason="the environments' deployments read their templates from the cloud assembly; `*` is the "
                "execution's part of its key",
                principals=roles,
                actions=["s3:GetObject*"],
                resources=[self.bucket.arn_for_objects(objects_of(ASSEMBLY))],
            ),
            Permission(
                sid="DeployRolesFind",
                reason="the actions that the bootstrap gives these roles on an artifact bucket",
                principals=roles,
                actions=["s3:GetBucket*", "s3:List*"],
                resources=[self.bucket.bucket_arn],
            ),
        )
        add_to_resource_policy(
            self.key,
            Permission(
                sid="DeployRolesDecrypt",
                reason="to read the encrypted assembly, through Amazon S3 only. `*` is the key itself",
                principals=roles,
                actions=["kms:Decrypt", "kms:DescribeKey"],
                resources=["*"],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}},
            ),
        )


class ReplicationStack(cdk.Stack):
    """Artifacts in another region than the pipeline's, where CodePipeline copies what it deploys there."""

    def __init__(
        self, scope: Construct, *, env: cdk.Environment, retention_days: int, deploy_role_arns: Sequence[str]
    ) -> None:
        """Defines the stack; arguments as of `ArtifactStore`."""
        super().__init__(
            scope,
            f"{PIPELINE_ID}-{env.region}",
            env=env,
            stack_name=replica_stack(str(env.region)),
            description=f"Mistral 7B, pipeline: artifacts in {env.region}",
        )
        name, alias = f"{PIPELINE_NAME}-{self.account}-{self.region}", f"alias/{PIPELINE_NAME}"
        store = ArtifactStore(
            self, "Artifacts", retention_days=retention_days, deploy_role_arns=deploy_role_arns, bucket_name=name
        )
        # The pipeline's stack is in another region, which no reference leads to: it knows bucket and key by name.
        kms.Alias(self, "Alias", alias_name=alias, target_key=store.key)
        self.bucket: s3.IBucket = s3.Bucket.from_bucket_attributes(
            self,
            "Known",
            bucket_name=name,
            region=self.region,
            encryption_key=kms.Alias.from_alias_name(self, "KnownKey", alias),
        )
        """The bucket with its key, as another region's stack knows them."""
