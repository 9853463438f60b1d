"""S3: buckets and their policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.utilities.utils import get_partition

from sagehost.accounts import url_suffix
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Attribute, Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import api, as_mapping, by, names, parameter, setting
from sagehost.cloudformation.values import Json


def _create_parameters(context: Context, parameters: dict[str, Json]) -> dict[str, Json]:
    if context.region == "us-east-1":  # which CreateBucket refuses to be told
        return parameters
    return {**parameters, "CreateBucketConfiguration": {"LocationConstraint": context.region}}


def _encryption(s3: Any, bucket: str, new: Props) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault" if key == "ServerSideEncryptionByDefault" else key: value
            for key, value in rule.items()
        }
        for rule in new["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _versioning(s3: Any, bucket: str, new: Props) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=new["VersioningConfiguration"])


_LIFECYCLE_AS_IT_IS = frozenset(
    ["Id", "Status", "Prefix", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"]
)


def _lifecycle_rule(rule: Mapping[str, Json]) -> dict[str, Json]:
    """A rule as the API wants it, which groups what the resource keeps flat."""
    made: dict[str, Json] = {"ID" if key == "Id" else key: rule[key] for key in _LIFECYCLE_AS_IT_IS if key in rule}
    if "Prefix" in made or not rule.get("TagFilters"):
        made["Filter"] = {"Prefix": made.pop("Prefix", "")}
    expiration = {
        api_name: rule[name]
        for name, api_name in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if name in rule
    }
    if expiration:
        made["Expiration"] = expiration
    for name, days in (("Transitions", "Days"), ("NoncurrentVersionTransitions", "NoncurrentDays")):
        if name in rule:
            made[name] = [{"StorageClass": one["StorageClass"], days: one["TransitionInDays"]} for one in rule[name]]
    carried = _LIFECYCLE_AS_IT_IS | {
        "ExpirationInDays",
        "ExpirationDate",
        "ExpiredObjectDeleteMarker",
        "Transitions",
        "NoncurrentVersionTransitions",
    }
    if unknown := sorted(set(rule) - carried):
        raise ResourceFailure(f"Property LifecycleConfiguration.Rules.{unknown[0]} of AWS::S3::Bucket is not emulated")
    return made


def _lifecycle(s3: Any, bucket: str, new: Props) -> None:
    wanted = new["LifecycleConfiguration"]
    if unknown := sorted(set(wanted) - {"Rules"}):  # TransitionDefaultMinimumObjectSize, which moto forgets
        raise ResourceFailure(f"Property LifecycleConfiguration.{unknown[0]} of AWS::S3::Bucket is not emulated")
    rules = [_lifecycle_rule(rule) for rule in wanted["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


_CANNED_ACLS = {
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read",
    "LogDeliveryWrite": "log-delivery-write",
    "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "AwsExecRead": "aws-exec-read",
}


def _logging(s3: Any, bucket: str, new: Props) -> None:
    wanted = new["LoggingConfiguration"]
    target = {
        "TargetBucket": wanted.get("DestinationBucketName", bucket),
        "TargetPrefix": wanted.get("LogFilePrefix", ""),
    }
    if unknown := sorted(set(wanted) - {"DestinationBucketName", "LogFilePrefix"}):
        raise ResourceFailure(f"Property LoggingConfiguration.{unknown[0]} of AWS::S3::Bucket is not emulated")
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": target})


def _tags(context: Context, bucket: str, new: Props, _: Props) -> None:
    wanted = as_mapping(new.get("Tags"))
    if wanted:
        pairs = [{"Key": key, "Value": value} for key, value in wanted.items()]
        context.call("s3", "put_bucket_tagging", {"Bucket": bucket, "Tagging": {"TagSet": pairs}})
    else:
        context.call("s3", "delete_bucket_tagging", {"Bucket": bucket})


def _domain(pattern: str) -> Attribute:
    return lambda context, bucket, _: pattern.format(
        bucket=bucket, region=context.region, partition=get_partition(context.region), suffix=url_suffix(context.region)
    )


BUCKET = api(
    "s3",
    create="create_bucket",
    delete="delete_bucket",
    sends="BucketName ObjectLockEnabled",
    rename={"BucketName": "Bucket", "ObjectLockEnabled": "ObjectLockEnabledForBucket"},
    adapt=_create_parameters,
    name="BucketName",
    lower_name=True,
    identify=parameter("Bucket"),
    handle=by("Bucket"),
    facets=(
        setting("s3", "BucketEncryption", _encryption, lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket)),
        setting(
            "s3",
            "VersioningConfiguration",
            _versioning,
            lambda s3, bucket: _versioning(s3, bucket, {"VersioningConfiguration": {"Status": "Suspended"}}),
        ),
        setting(
            "s3", "LifecycleConfiguration", _lifecycle, lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket)
        ),
        setting(
            "s3",
            "PublicAccessBlockConfiguration",
            lambda s3, bucket, new: s3.put_public_access_block(
                Bucket=bucket, PublicAccessBlockConfiguration=new["PublicAccessBlockConfiguration"]
            ),
            lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
        ),
        setting(
            "s3",
            "OwnershipControls",
            lambda s3, bucket, new: s3.put_bucket_ownership_controls(
                Bucket=bucket, OwnershipControls=new["OwnershipControls"]
            ),
            lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
        ),
        setting(
            "s3",
            "AccessControl",
            lambda s3, bucket, new: s3.put_bucket_acl(Bucket=bucket, ACL=_CANNED_ACLS[new["AccessControl"]]),
            lambda s3, bucket: s3.put_bucket_acl(Bucket=bucket, ACL="private"),
        ),
        setting(
            "s3",
            "LoggingConfiguration",
            _logging,
            lambda s3, bucket: s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}),
        ),
        Facet(names("Tags"), _tags),
    ),
    attributes={
        "Arn": _domain("arn:{partition}:s3:::{bucket}"),
        "DomainName": _domain("{bucket}.s3.{suffix}"),
        "DualStackDomainName": _domain("{bucket}.s3.dualstack.{region}.{suffix}"),
        "RegionalDomainName": _domain("{bucket}.s3.{region}.{suffix}"),
        "WebsiteURL": _domain("http://{bucket}.s3-website-{region}.{suffix}"),
    },
)

BUCKET_POLICY = api(
    "s3",
    create="put_bucket_policy",
    update="put_bucket_policy",
    delete="delete_bucket_policy",
    sends="Bucket PolicyDocument",
    rename={"PolicyDocument": "Policy"},
    identify=parameter("Bucket"),
    handle=by("Bucket"),
)

PROVIDERS: Mapping[str, Provider] = {"AWS::S3::Bucket": BUCKET, "AWS::S3::BucketPolicy": BUCKET_POLICY}
