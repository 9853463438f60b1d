"""Private S3 buckets: TLS only, encrypted, logged, expiring."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from sagemaker_tgi.compliance import acknowledge_rule
from sagemaker_tgi.encryption_key import EncryptionKey
from sagemaker_tgi.permissions import Permission, add_to_resource_policy
from sagemaker_tgi.props import PropsCheck

_ACCESS_LOG_PREFIX = "access/"
_ACCESS_LOG_RETENTION = cdk.Duration.days(365)  # PCI DSS 3.2.1, 10.7: audit trails for a year
_DAY, _MOST_DAYS = 86_400, 2**31 - 1  # an expiry is a positive number of days (Days, LifecycleExpiration in the S3 API)


class PrivateBucket(Construct):
    """A bucket that is encrypted, versioned and logged, and whose objects expire with all their versions.

    A second bucket holds the log of its requests for a year.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        retention: cdk.Duration,
        encryption_key: kms.IKey | None = None,
        description: str | None = None,
        bucket_name: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        """Defines both buckets.

        Args:
            retention: How long an object is kept; at least 1 day.
            encryption_key: Key of the objects. Default: a new one.
            description: What the new key is for. Default: its path.
            bucket_name: The bucket's name. Default: CloudFormation's.
            removal_policy: What happens to the buckets and the new key on removal. AWS deletes no bucket that still
                holds objects.
        """
        with PropsCheck(scope, construct_id) as check:
            check.seconds_between("retention", retention, _DAY, _DAY * _MOST_DAYS)
        super().__init__(scope, construct_id)
        self.key = encryption_key or EncryptionKey(
            self, "Key", description=description or self.node.path, removal_policy=removal_policy
        )
        """Key of the objects."""
        access_log = _bucket(
            self, "AccessLog", _ACCESS_LOG_RETENTION, removal_policy, encryption=s3.BucketEncryption.S3_MANAGED
        )
        acknowledge_rule(
            access_log, "S3DefaultEncryptionKMS", "Amazon S3 delivers access logs only to buckets under its own key"
        )
        self.bucket = _bucket(
            self,
            "Bucket",
            retention,
            removal_policy,
            bucket_name=bucket_name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,  # one call to AWS KMS for many objects
        )
        """The bucket."""
        _log_requests(self.bucket, access_log)
        acknowledge_rule(
            self,
            "S3BucketReplicationEnabled",
            "objects are copies that expire; a second region would double where they are, and access logs are of no "
            "other use",
        )


def _bucket(
    scope: Construct, construct_id: str, retention: cdk.Duration, removal_policy: cdk.RemovalPolicy, **props: Any
) -> s3.Bucket:
    bucket = s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=True,
        # With time this empties the bucket: objects, older versions, and the markers that their deletion leaves.
        lifecycle_rules=[
            s3.LifecycleRule(
                id="Expire",
                expiration=retention,
                noncurrent_version_expiration=cdk.Duration.days(1),
                abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
            ),
            s3.LifecycleRule(id="RemoveMarkers", expired_object_delete_marker=True),
        ],
        removal_policy=removal_policy,
        **props,
    )
    add_to_resource_policy(
        bucket,
        Permission(
            sid="DenyWithoutTls",
            reason="no request passes without TLS",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:*"],
            resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )
    if bucket.policy is not None:
        bucket.policy.apply_removal_policy(removal_policy)  # a bucket that stays keeps its policy
    return bucket


def _log_requests(bucket: s3.Bucket, access_log: s3.Bucket) -> None:
    """Lets Amazon S3 deliver the bucket's access log, and no other.

    `server_access_logs_bucket` would do it by an ACL, which `access_log` has none of, in an app without the feature
    flag `@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy`. Source: Amazon S3 user guide, "Permissions for log
    delivery".
    """
    add_to_resource_policy(
        access_log,
        Permission(
            sid="DeliverAccessLog",
            reason="Amazon S3 writes the access log of this one bucket",
            principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[access_log.arn_for_objects(f"{_ACCESS_LOG_PREFIX}*")],
            conditions={
                "ArnLike": {"aws:SourceArn": bucket.bucket_arn},
                "StringEquals": {"aws:SourceAccount": bucket.stack.account},
            },
        ),
    )
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
        destination_bucket_name=access_log.bucket_name, log_file_prefix=_ACCESS_LOG_PREFIX
    )
