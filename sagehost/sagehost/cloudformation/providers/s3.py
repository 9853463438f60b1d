"""S3: buckets and their policies."""

from collections.abc import Iterable, Mapping

from botocore import xform_name

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Provider, Resource, Setting, as_mapping, setting
from sagehost.cloudformation.values import Json

_AS_IT_IS = ("Status", "Prefix", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration")
_EXPIRATION = {
    "ExpirationInDays": "Days",
    "ExpirationDate": "Date",
    "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
}
_TRANSITIONS = {"Transitions": "Days", "NoncurrentVersionTransitions": "NoncurrentDays"}


def _renamed(value: Mapping[str, Json], names: Mapping[str, str]) -> dict[str, Json]:
    return {names[key]: part for key, part in value.items() if key in names}


def _refuse_others(value: Mapping[str, Json], known: Iterable[str], place: str) -> None:
    if unknown := sorted(set(value) - set(known)):
        raise ResourceFailure(f"Property {place}.{unknown[0]} of AWS::S3::Bucket is not emulated")


def _encryption(value: Json) -> Json:
    """The API calls the default of a rule otherwise."""
    key = "ServerSideEncryptionByDefault"
    rules = value["ServerSideEncryptionConfiguration"]
    return {"Rules": [{f"Apply{name}" if name == key else name: part for name, part in rule.items()} for rule in rules]}


def _lifecycle(value: Json) -> Json:
    _refuse_others(value, {"Rules"}, "LifecycleConfiguration")  # TransitionDefaultMinimumObjectSize: moto forgets it
    return {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}


def _lifecycle_rule(rule: Mapping[str, Json]) -> dict[str, Json]:
    """A rule as the API wants it, which groups what the resource keeps flat."""
    _refuse_others(rule, {"Id", *_AS_IT_IS, *_EXPIRATION, *_TRANSITIONS}, "LifecycleConfiguration.Rules")
    made = _renamed(rule, {"Id": "ID", **dict(zip(_AS_IT_IS, _AS_IT_IS, strict=True))})
    made["Filter"] = {"Prefix": made.pop("Prefix", "")}
    if expiration := _renamed(rule, _EXPIRATION):
        made["Expiration"] = expiration
    for name, days in _TRANSITIONS.items():
        if name in rule:
            names = {"StorageClass": "StorageClass", "TransitionInDays": days}
            made[name] = [_renamed(transition, names) for transition in rule[name]]
    return made


def _logging(resource: Resource, new: Props, _: Props) -> None:
    names = {"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}
    wanted = new.get("LoggingConfiguration", {})
    _refuse_others(wanted, names, "LoggingConfiguration")
    target = {"TargetBucket": resource.id, "TargetPrefix": "", **_renamed(wanted, names)}
    status = {"LoggingEnabled": target} if "LoggingConfiguration" in new else {}
    resource.call_on("put_bucket_logging", new, BucketLoggingStatus=status)


def _tags(resource: Resource, new: Props, _: Props) -> None:
    """S3 sets all tags of a bucket at once."""
    tags = [{"Key": key, "Value": value} for key, value in as_mapping(new.get("Tags")).items()]
    if tags:
        resource.call_on("put_bucket_tagging", new, Tagging={"TagSet": tags})
    else:
        resource.call_on("delete_bucket_tagging", new)


class _Bucket(Provider):
    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """CreateBucket wants its region, unless it is this one."""
        where = {"CreateBucketConfiguration": {"LocationConstraint": resource.region}}
        return super().parameters(resource, properties) | (where if resource.region != "us-east-1" else {})


PROVIDERS = (
    _Bucket(
        "AWS::S3::Bucket",
        find_with="head_bucket",
        sends="BucketName ObjectLockEnabled",
        rename={"BucketName": "Bucket", "ObjectLockEnabled": "ObjectLockEnabledForBucket"},
        name="BucketName",
        longest_name=63,
        lower_name=True,
        settings=(
            setting(
                "BucketEncryption",
                "put_bucket_encryption",
                parameter="ServerSideEncryptionConfiguration",
                shape=_encryption,
            ),
            setting("VersioningConfiguration", "put_bucket_versioning", default={"Status": "Suspended"}),
            setting(
                "LifecycleConfiguration",
                "put_bucket_lifecycle_configuration",
                remove="delete_bucket_lifecycle",
                shape=_lifecycle,
            ),
            setting("PublicAccessBlockConfiguration", "put_public_access_block"),
            setting("OwnershipControls", "put_bucket_ownership_controls"),
            setting(
                "AccessControl",
                "put_bucket_acl",
                default="private",
                parameter="ACL",
                shape=lambda name: xform_name(name, "-"),  # PublicRead is public-read
            ),
            Setting(frozenset(["LoggingConfiguration"]), _logging),
            Setting(frozenset(["Tags"]), _tags),
        ),
        attributes={
            "Arn": "arn:{partition}:s3:::{id}",
            "DomainName": "{id}.s3.{suffix}",
            "DualStackDomainName": "{id}.s3.dualstack.{region}.{suffix}",
            "RegionalDomainName": "{id}.s3.{region}.{suffix}",
            "WebsiteURL": "http://{id}.s3-website-{region}.{suffix}",
        },
    ),
    Provider(
        "AWS::S3::BucketPolicy",
        put_with="put_bucket_policy",
        sends="Bucket PolicyDocument",
        rename={"PolicyDocument": "Policy"},
        id="{Bucket}",
        handle="Bucket",
    ),
)
