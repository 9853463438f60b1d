"""S3 buckets that nobody reaches without TLS or from outside the account."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from sagemaker_tgi.compliance import acknowledge_rule, explain_statements

_ACCESS_LOG_PREFIX = "access/"
_ACCESS_LOG_RETENTION = cdk.Duration.days(365)  # PCI DSS 3.2.1, 10.7: audit trails for a year


class AccessLogBucket(s3.Bucket):
    """Where Amazon S3 delivers the access log of other buckets of the stack."""

    def __init__(self, scope: Construct, construct_id: str, *, removal_policy: cdk.RemovalPolicy) -> None:
        """Defines the bucket.

        Args:
            removal_policy: What happens to the bucket on removal.
        """
        super().__init__(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=_expiry(_ACCESS_LOG_RETENTION),
            removal_policy=removal_policy,
        )
        _deny_without_tls(self, removal_policy)
        acknowledge_rule(
            self, "S3DefaultEncryptionKMS", "Amazon S3 delivers access logs to buckets under its own key alone (SSE-S3)"
        )

    def accept_log_of(self, source: s3.Bucket) -> None:
        """Lets Amazon S3 deliver the access log of `source`, and of no other bucket.

        `server_access_logs_bucket` would do it by an ACL, which this bucket has none of, wherever an app lacks the
        feature flag `@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy`. Source: Amazon S3 user guide, "Permissions for
        log delivery".
        """
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="DeliverAccessLog",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects(f"{_ACCESS_LOG_PREFIX}*")],
                conditions={
                    "ArnLike": {"aws:SourceArn": source.bucket_arn},
                    "StringEquals": {"aws:SourceAccount": self.stack.account},
                },
            )
        )
        explain_statements(self, {"DeliverAccessLog": "Amazon S3 writes the access log of this one bucket"})
        resource = source.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=self.bucket_name, log_file_prefix=_ACCESS_LOG_PREFIX
        )


class PrivateBucket(s3.Bucket):
    """A bucket that is encrypted with a given key, versioned and logged, and whose objects expire."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey,
        retention: cdk.Duration,
        access_log: AccessLogBucket,
        removal_policy: cdk.RemovalPolicy,
        bucket_name: str | None = None,
    ) -> None:
        """Defines the bucket.

        Args:
            encryption_key: Key of its objects.
            retention: How long an object is kept.
            access_log: Where requests to it are logged.
            removal_policy: What happens to the bucket on removal.
            bucket_name: Its name. Default: CloudFormation's.
        """
        super().__init__(
            scope,
            construct_id,
            bucket_name=bucket_name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            bucket_key_enabled=True,  # one call to AWS KMS for many objects
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=_expiry(retention),
            removal_policy=removal_policy,
        )
        _deny_without_tls(self, removal_policy)
        access_log.accept_log_of(self)


def _expiry(retention: cdk.Duration) -> list[s3.LifecycleRule]:
    """Empties a bucket with time: objects, their older versions, and the markers that their deletion leaves."""
    return [
        s3.LifecycleRule(
            id="Expire",
            expiration=retention,
            noncurrent_version_expiration=cdk.Duration.days(1),
            abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
        ),
        s3.LifecycleRule(id="RemoveMarkers", expired_object_delete_marker=True),
    ]


def _deny_without_tls(bucket: s3.Bucket, removal_policy: cdk.RemovalPolicy) -> None:
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="DenyWithoutTls",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:*"],
            resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        )
    )
    if bucket.policy is not None:
        bucket.policy.apply_removal_policy(removal_policy)  # a bucket that stays keeps its policy
    explain_statements(bucket, {"DenyWithoutTls": "nothing passes unencrypted, whoever asks"})
