"""Everything in one account and region that a deployment of this project can leave behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jmespath

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True, order=True)
class Resource:
    """One resource: its kind, such as `sagemaker endpoint`, and its name or id."""

    kind: str
    name: str


@dataclass(frozen=True)
class _Listing:
    """How to list one kind: service, operation, where the names are in the answer (JMESPath), arguments.

    `exists` tells, with a client of the service, whether a listed name is still a resource. None: every one is.
    """

    kind: str
    service: str
    operation: str
    names: str
    arguments: tuple[tuple[str, Any], ...] = ()
    exists: Callable[[Any, str], bool] | None = None


def _key_is_not_pending_deletion(kms: Any, key: str) -> bool:
    """A key that is scheduled for deletion encrypts nothing any more and costs nothing.

    CloudFormation can do no more than schedule it: AWS KMS waits 7 to 30 days. Source: AWS KMS pricing, "KMS keys that
    are scheduled for deletion".
    """
    return bool(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion")


_LISTINGS = (
    _Listing(
        "cloudformation stack",
        "cloudformation",
        "describe_stacks",
        "Stacks[?StackStatus!='DELETE_COMPLETE'].StackName",
    ),
    _Listing("sagemaker endpoint", "sagemaker", "list_endpoints", "Endpoints[].EndpointName"),
    _Listing("sagemaker endpoint config", "sagemaker", "list_endpoint_configs", "EndpointConfigs[].EndpointConfigName"),
    _Listing("sagemaker model", "sagemaker", "list_models", "Models[].ModelName"),
    _Listing(
        "scalable target",
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets[].ResourceId",
        (("ServiceNamespace", "sagemaker"),),
    ),
    _Listing(
        "scaling policy",
        "application-autoscaling",
        "describe_scaling_policies",
        "ScalingPolicies[].PolicyARN",
        (("ServiceNamespace", "sagemaker"),),
    ),
    _Listing("alarm", "cloudwatch", "describe_alarms", "[MetricAlarms[].AlarmName, CompositeAlarms[].AlarmName][]"),
    _Listing("dashboard", "cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    _Listing("log group", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    _Listing("parameter", "ssm", "describe_parameters", "Parameters[].Name"),
    _Listing("role", "iam", "list_roles", "Roles[].RoleName"),
    _Listing("policy", "iam", "list_policies", "Policies[].PolicyName", (("Scope", "Local"),)),
    _Listing("vpc", "ec2", "describe_vpcs", "Vpcs[].VpcId"),
    _Listing("subnet", "ec2", "describe_subnets", "Subnets[].SubnetId"),
    _Listing("route table", "ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    _Listing("security group", "ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    _Listing("network interface", "ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    _Listing("vpc endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    _Listing("flow log", "ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    _Listing("bucket", "s3", "list_buckets", "Buckets[].Name"),
    _Listing("topic", "sns", "list_topics", "Topics[].TopicArn"),
    _Listing("key", "kms", "list_keys", "Keys[].KeyId", exists=_key_is_not_pending_deletion),
    _Listing("key alias", "kms", "list_aliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"),
)


def inventory(session: "boto3.Session") -> set[Resource]:
    """The resources of every kind that this project deploys, in the session's account and region.

    Two of these, taken before a deployment and after its removal, are equal if nothing is left.

    Raises:
        botocore.exceptions.ClientError: the credentials may not list one of the kinds.
    """
    return {resource for listing in _LISTINGS for resource in _list(session, listing)}


def _list(session: "boto3.Session", listing: _Listing) -> Iterator[Resource]:
    client = session.client(listing.service)
    arguments = dict(listing.arguments)
    if client.can_paginate(listing.operation):
        pages = client.get_paginator(listing.operation).paginate(**arguments)
    else:
        pages = [getattr(client, listing.operation)(**arguments)]
    for page in pages:
        for name in jmespath.search(listing.names, page) or []:
            if listing.exists is None or listing.exists(client, name):
                yield Resource(listing.kind, name)
