"""S3: buckets and their policies."""

from collections.abc import Iterable, Mapping

from botocore import xform_name

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Provider, Resource, as_mapping
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


def encryption(value: Json) -> Json:
    """The API calls the default of a rule otherwise."""
    key = "ServerSideEncryptionByDefault"
    rules = value["ServerSideEncryptionConfiguration"]
    return {"Rules": [{f"Apply{name}" if name == key else name: part for name, part in rule.items()} for rule in rules]}


def lifecycle(value: Json) -> Json:
    """The API's lifecycle configuration."""
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


def canned_acl(name: str) -> str:
    """The API's name of an ACL: PublicRead is public-read."""
    return str(xform_name(name, "-"))


def apply_logging(resource: Resource, new: Props, _: Props) -> None:
    """Turns the access log on or off."""
    names = {"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}
    wanted = new.get("LoggingConfiguration", {})
    _refuse_others(wanted, names, "LoggingConfiguration")
    target = {"TargetBucket": resource.id, "TargetPrefix": "", **_renamed(wanted, names)}
    status = {"LoggingEnabled": target} if "LoggingConfiguration" in new else {}
    resource.call_on("put_bucket_logging", new, BucketLoggingStatus=status)


def apply_tags(resource: Resource, new: Props, _: Props) -> None:
    """S3 sets all tags of a bucket at once."""
    tags = [{"Key": key, "Value": value} for key, value in as_mapping(new.get("Tags")).items()]
    if tags:
        resource.call_on("put_bucket_tagging", new, Tagging={"TagSet": tags})
    else:
        resource.call_on("delete_bucket_tagging", new)


class Bucket(Provider):
    """A bucket."""

    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """CreateBucket wants its region, unless it is this one."""
        where = {"CreateBucketConfiguration": {"LocationConstraint": resource.region}}
        return super().parameters(resource, properties) | (where if resource.region != "us-east-1" else {})
