"""What each check of an environment reads: IAM actions by resource. Apart from the checks: a synth has no boto3."""

import re
from collections.abc import Iterator, Mapping, Sequence

from mistral7b.environment import Environment

VPCS_PER_REGION = "L-F678F1CE"
"""The code of the quota."""

_OWN = "{region}:{account}"
_STACKS = f"arn:{{partition}}:cloudformation:{_OWN}:stack/mistral-7b-{{name}}-*"
_ROLES = "arn:{partition}:iam::{account}:role/*"
_QUOTAS = f"arn:{{partition}}:servicequotas:{_OWN}"
_DEFAULT_QUOTA = "servicequotas:GetAWSDefaultServiceQuota"
_ENDPOINTS: dict[str, tuple[str, ...]] = {
    f"arn:{{partition}}:sagemaker:{_OWN}:endpoint/*": ("sagemaker:DescribeEndpoint",),
    f"arn:{{partition}}:sagemaker:{_OWN}:endpoint-config/*": ("sagemaker:DescribeEndpointConfig",),
}
READS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "bootstrap": {
        f"arn:{{partition}}:ssm:{_OWN}:parameter/cdk-bootstrap/*": ("ssm:GetParameter",),
        "arn:{partition}:iam::{account}:role/cdk-*": ("iam:GetRole",),
    },
    "stacks": {_STACKS: ("cloudformation:DescribeStacks",)},
    "endpoint": {**_ENDPOINTS, _STACKS: ("cloudformation:DescribeStacks", "cloudformation:DescribeStackResources")},
    "names": {
        "*": ("sagemaker:ListEndpoints", "logs:DescribeLogGroups"),
        _STACKS: ("cloudformation:ListStackResources",),
        f"arn:{{partition}}:ssm:{_OWN}:parameter/mistral7b/*": ("ssm:GetParameter",),
        _ROLES: ("iam:GetRole",),
    },
    "quota": {
        **_ENDPOINTS,
        f"{_QUOTAS}:sagemaker/*": ("servicequotas:GetServiceQuota",),
        "*": ("sagemaker:ListEndpoints", _DEFAULT_QUOTA),
    },
    "zones": {"*": ("ec2:DescribeInstanceTypeOfferings",)},
    "scaling": {**_ENDPOINTS, "*": ("application-autoscaling:DescribeScalableTargets",)},
    "roles": {_ROLES: ("iam:GetRole",)},
    "image": {"{image}": ("ecr:BatchGetImage",)},
    "weights": {"{bucket}": ("s3:ListBucket",), "{config}": ("s3:GetObject",), "{key}": ("kms:Decrypt",)},
    "network": {
        "*": (*(f"ec2:Describe{one}" for one in ("Vpcs", "Subnets", "RouteTables", "VpcEndpoints")), _DEFAULT_QUOTA),
        f"arn:{{partition}}:ec2:{_OWN}:vpc/*": ("ec2:DescribeVpcAttribute",),
        f"{_QUOTAS}:vpc/{VPCS_PER_REGION}": ("servicequotas:GetServiceQuota",),
    },
}


def permissions(
    env: Environment, partition: str, account: str, region: str
) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Check, resource and actions of everything that the checks read; of own weights also their config.json."""
    registry, _, image = env.image_uri.partition("/")
    repository = f"{registry.split('.')[0]}:repository/{re.split('[:@]', image)[0]}"
    own = env.artifact if env.artifact and env.artifact.uri.endswith("/") else None
    names = {
        **{"partition": partition, "account": account, "region": region, "name": env.name},
        "image": f"arn:{partition}:ecr:{region}:{repository}",
        "bucket": f"arn:{partition}:s3:::{env.artifact_uri.split('/')[2]}",
        "config": own and f"arn:{partition}:s3:::{own.uri.removeprefix('s3://')}config.json",
        "key": own and own.kms_key_arn,
    }
    for check, reads in READS.items():
        needed = {one: actions for one, actions in reads.items() if names.get(one.strip("{}"), one)}
        yield from ((check, resource.format_map(names), actions) for resource, actions in needed.items())
