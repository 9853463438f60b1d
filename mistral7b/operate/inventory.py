"""Everything in one account and region that a deployment of this project can leave behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import jmespath

from mistral7b.operate.account import Client


@dataclass(frozen=True, order=True)
class Resource:
    """One resource: its kind, such as `sagemaker endpoint`, and its name or id."""

    kind: str
    name: str


_TARGETS = "ScalableTargets[].join('|', [ResourceId, ScalableDimension, ServiceNamespace])"
_LISTINGS = {
    "cloudformation stack": ("cloudformation", "describe_stacks", "Stacks[?StackStatus!='DELETE_COMPLETE'].StackName"),
    "sagemaker endpoint": ("sagemaker", "list_endpoints", "Endpoints[].EndpointName"),
    "sagemaker endpoint config": ("sagemaker", "list_endpoint_configs", "EndpointConfigs[].EndpointConfigName"),
    "sagemaker model": ("sagemaker", "list_models", "Models[].ModelName"),
    "schedule": ("scheduler", "list_schedules", "Schedules[].Name"),
    "queue": ("sqs", "list_queues", "QueueUrls[]"),
    "scalable target": ("application-autoscaling", "describe_scalable_targets", _TARGETS),
    "scaling policy": ("application-autoscaling", "describe_scaling_policies", "ScalingPolicies[].PolicyARN"),
    "alarm": ("cloudwatch", "describe_alarms", "[MetricAlarms[].AlarmName, CompositeAlarms[].AlarmName][]"),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    "log group": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "parameter": ("ssm", "describe_parameters", "Parameters[].Name"),
    "role": ("iam", "list_roles", "Roles[].RoleName"),
    "identity provider": ("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList[].Arn"),
    "policy": ("iam", "list_policies", "Policies[].PolicyName"),
    "vpc": ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "route table": ("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "security group": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "network interface": ("ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    "vpc endpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    "flow log": ("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    "bucket": ("s3", "list_buckets", "Buckets[].Name"),
    "topic": ("sns", "list_topics", "Topics[].TopicArn"),
    "key": ("kms", "list_keys", "Keys[].KeyId"),
    "key alias": ("kms", "list_aliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"),
}
"""How to list each kind: service, operation, and where the names are in the answer (JMESPath).

A name of several parts has `|` between them, as CloudFormation's physical id has.
"""

_ARGUMENTS: dict[str, dict[str, Any]] = {
    "describe_scalable_targets": {"ServiceNamespace": "sagemaker"},
    "describe_scaling_policies": {"ServiceNamespace": "sagemaker"},
    "describe_alarms": {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
    "list_policies": {"Scope": "Local"},
}


def inventory(session: boto3.Session) -> set[Resource]:
    """The resources of every kind that this project deploys, in the session's account and region.

    Two of these, taken before a deployment and after its removal, are equal if nothing is left.

    Raises:
        botocore.exceptions.ClientError: the credentials may not list one of the kinds.
    """
    found = {Resource(kind, name) for kind in _LISTINGS for name in names_of(session.client, kind)}
    kms = session.client("kms")
    return {one for one in found if one.kind != "key" or not is_pending_deletion(kms, one.name)}


def service_of(kind: str) -> str:
    """boto3's name of the service that has a kind of resource."""
    return _LISTINGS[kind][0]


def names_of(client: Client, kind: str) -> Iterator[str]:
    """Names or ids of every resource of a kind. Raises ClientError."""
    service, operation, names = _LISTINGS[kind]
    caller, arguments = client(service), _ARGUMENTS.get(operation, {})
    if caller.can_paginate(operation):
        pages = caller.get_paginator(operation).paginate(**arguments)
    else:
        pages = [getattr(caller, operation)(**arguments)]
    for page in pages:
        yield from jmespath.search(names, page) or []


def is_pending_deletion(kms: Any, key: str) -> bool:
    """Whether a key is scheduled for deletion: it encrypts nothing any more and costs nothing.

    CloudFormation can only schedule the deletion: AWS KMS waits 7 to 30 days. Source: AWS KMS pricing, "KMS keys that
    are scheduled for deletion".
    """
    return bool(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion")
