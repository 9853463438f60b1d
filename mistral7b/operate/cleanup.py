"""What is left of an environment in its account, what it costs, and how it is deleted.

CloudFormation alone decides what is the environment's: its record of the environment's stacks, which it keeps for 90
days after it has deleted one, and its tag `aws:cloudformation:stack-name`, which nobody else can set. A resource that
has no more than the name is never touched.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.environment import Environment
from mistral7b.operate.account import Client
from mistral7b.operate.costs import monthly_usd
from mistral7b.operate.inventory import is_pending_deletion, names_of, service_of
from mistral7b.operate.stacks import StackState, find, protect
from mistral7b.promotion.names import environment_stacks

_STACK, _POLICY, _INTERFACE = "cloudformation stack", "inline policy", "network interface"
_DELETIONS = {
    "schedule": ("Scheduler::Schedule", "delete_schedule", "Name"),
    "scalable target": (
        "ApplicationAutoScaling::ScalableTarget",
        "deregister_scalable_target",
        "ResourceId|ScalableDimension|ServiceNamespace",
    ),
    "alarm": ("CloudWatch::Alarm", "delete_alarms", "AlarmNames"),
    "dashboard": ("CloudWatch::Dashboard", "delete_dashboards", "DashboardNames"),
    "sagemaker endpoint": ("SageMaker::Endpoint", "delete_endpoint", "EndpointName"),
    "sagemaker endpoint config": ("SageMaker::EndpointConfig", "delete_endpoint_config", "EndpointConfigName"),
    "sagemaker model": ("SageMaker::Model", "delete_model", "ModelName"),
    "vpc endpoint": ("EC2::VPCEndpoint", "delete_vpc_endpoints", "VpcEndpointIds"),
    "flow log": ("EC2::FlowLog", "delete_flow_logs", "FlowLogIds"),
    _INTERFACE: ("", "delete_network_interface", "NetworkInterfaceId"),
    "security group": ("EC2::SecurityGroup", "delete_security_group", "GroupId"),
    "subnet": ("EC2::Subnet", "delete_subnet", "SubnetId"),
    "route table": ("EC2::RouteTable", "delete_route_table", "RouteTableId"),
    "vpc": ("EC2::VPC", "delete_vpc", "VpcId"),
    # SageMaker removes network interfaces with the endpoint's role, which therefore goes after the network.
    _POLICY: ("IAM::RolePolicy", "delete_role_policy", "PolicyName|RoleName"),
    "role": ("IAM::Role", "delete_role", "RoleName"),
    "identity provider": ("IAM::OIDCProvider", "delete_open_id_connect_provider", "OpenIDConnectProviderArn"),
    "parameter": ("SSM::Parameter", "delete_parameter", "Name"),
    "queue": ("SQS::Queue", "delete_queue", "QueueUrl"),
    "topic": ("SNS::Topic", "delete_topic", "TopicArn"),
    "log group": ("Logs::LogGroup", "delete_log_group", "logGroupName"),
    "bucket": ("S3::Bucket", "delete_bucket", "Bucket"),
    "key alias": ("KMS::Alias", "delete_alias", "AliasName"),
    "key": ("KMS::Key", "schedule_key_deletion", "KeyId"),
    _STACK: ("", "delete_stack", "StackName"),
}
"""By kind, in the order of deletion: CloudFormation's type, operation, and its parameters for the parts of the name."""

_RETAINED = {"log group": "retained: removal.log_group", "bucket": "retained: removal.captured_data"}
_DENIED = re.compile("Denied|Unauthorized|AuthorizationError")
_GONE = re.compile("NotFound|NoSuch|[Nn]ot find|does not exist|NonExistent")
_BUSY = re.compile("DependencyViolation|DeleteConflict|InUse|in use|OperationAborted|ConflictException")
_TAG = "aws:cloudformation:stack-name"
_KEY_DAYS = 30


@dataclass(frozen=True)
class Leftover:
    """A resource of the environment that no deployed stack uses."""

    kind: str
    name: str
    why: str
    usd_month: float | None
    """None: the price is not known, or the size could not be read."""
    data: str = ""
    """What is lost with it: `logs`, `captured data` or nothing."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass
class Findings:
    """What is in the account."""

    in_use: list[StackState]
    """Stacks that are deployed, or being deployed or deleted."""
    left: list[Leftover] = field(default_factory=list)
    """In the order of deletion."""
    left_alone: list[str] = field(default_factory=list)
    """Resources with a name of the environment's that nothing shows to be its own."""
    unchecked: list[str] = field(default_factory=list)
    """What a permission is missing for, and which."""

    def checked(self, what: str, look: Callable[[], Any]) -> Any:
        """What `look` finds; None, with a remark, where a permission is missing."""
        try:
            return look()
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            if not _DENIED.search(code):
                raise
            action = re.search(r"perform: (\S+)", message)
            self.unchecked.append(f"{what}: needs {action[1] if action else error.operation_name}")
            return None


@dataclass(frozen=True)
class _Record:
    """The newest that CloudFormation knows of a resource."""

    status: str
    reason: str
    stack: str
    """Status of its stack."""
    used: bool
    """Whether the stack is in use."""

    @property
    def left(self) -> bool:
        """Whether the stack does not use it, and has not deleted it."""
        return self.status in ("DELETE_FAILED", "DELETE_SKIPPED") or not (self.used or self.status == "DELETE_COMPLETE")

    def why(self, kind: str) -> str:
        if self.status == "DELETE_SKIPPED":
            return _RETAINED.get(kind, "retained when its stack was deleted")
        failed = self.status == "DELETE_FAILED"
        return f"not deleted: {self.reason}" if failed and self.reason else f"its stack is {self.stack}"


def look(client: Client, env: Environment) -> Findings:
    """Finds what is left of an environment. Reads only; raises ClientError."""
    cloudformation, names = client("cloudformation"), environment_stacks(env.name)
    stacks = list(find(cloudformation, names))
    found = Findings([one for one in stacks if one.deployed or one.busy])
    records = _records(cloudformation, names, {one.name for one in found.in_use})
    tagged = found.checked("tags", lambda: _tagged(client, names)) or set()
    found.left = [
        Leftover(_STACK, one.name, one.reason or f"it is {one.status}", 0.0)
        for one in stacks
        if one not in found.in_use
    ]
    for kind, (resource_type, _, _) in _DELETIONS.items():
        if kind in (_STACK, _POLICY, _INTERFACE):
            continue
        for name in found.checked(kind, lambda kind=kind: list(names_of(client, kind))) or ():
            record = records.get((resource_type, _key(kind, name)))
            if record and record.left:
                why = record.why(kind)
            elif record is None and (service_of(kind), _key(kind, name)) in tagged:
                why = "its stack does not know it any more"
            elif record and kind == "log group" and record.status == "DELETE_COMPLETE":
                why = "written to after it was deleted"
            else:
                if record is None and (kind, name) in _names(env):
                    found.left_alone.append(f"{kind} {name}")
                continue
            if kind == "sagemaker endpoint" and not _runs(client, name, records):
                found.left_alone.append(f"{kind} {name}")
            elif kind != "key" or not is_pending_deletion(client("kms"), name):
                found.left.append(_priced(client, env, found, kind, name, why))
    for name in _policies(client, records):
        found.left.append(Leftover(_POLICY, name, records["IAM::RolePolicy", name].why(_POLICY), 0.0))
    groups = [one.name for one in found.left if one.kind == "security group"]
    for name in found.checked(_INTERFACE, lambda: _interfaces(client("ec2"), groups)) or ():
        found.left.append(Leftover(_INTERFACE, name, "SageMaker removes it minutes after its endpoint", 0.0))
    found.left.sort(key=lambda one: list(_DELETIONS).index(one.kind))
    return found


def _key(kind: str, name: str) -> str:
    return name.lower() if kind.startswith("sagemaker") else name  # whose ARNs are in lower case


def _ids(physical_id: str) -> Iterator[str]:
    """A physical id and, of an ARN, the forms that a name can have in it."""
    yield physical_id
    if physical_id.startswith("arn:"):
        resource = physical_id.split(":", 5)[5]
        name = re.split("[:/]", resource, maxsplit=1)[-1]
        yield from (resource, name, f"/{name}")


def _records(cloudformation: Any, names: Collection[str], used: Collection[str]) -> dict[tuple[str, str], _Record]:
    """What every stack of these names has made, the deleted ones too, by type and name."""
    events = list[tuple[Any, dict[str, Any], _Record]]()
    for page in cloudformation.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            status, lists = stack["StackStatus"], [("describe_stack_events", "StackEvents", "Timestamp")]
            if stack["StackName"] not in names:
                continue
            if status != "DELETE_COMPLETE":  # of an old stack, the events have expired
                lists.append(("list_stack_resources", "StackResourceSummaries", "LastUpdatedTimestamp"))
            for operation, members, when in lists:
                pages = cloudformation.get_paginator(operation).paginate(StackName=stack["StackId"])
                for event in reversed([one for page in pages for one in page[members]]):
                    reason = event.get("ResourceStatusReason", "")
                    in_use = stack["StackName"] in used and status != "DELETE_COMPLETE"
                    record = _Record(event["ResourceStatus"], reason, status, in_use)
                    events.append((event[when], event, record))
    records = dict[tuple[str, str], _Record]()
    for _, event, record in sorted(events, key=lambda one: one[0]):
        kind = event["ResourceType"].removeprefix("AWS::").replace("CompositeAlarm", "Alarm")
        for name in _ids(event.get("PhysicalResourceId") or ""):
            key = (kind, _key(kind.lower(), name))
            if record.status == "CREATE_FAILED" and re.search("already ?exist", record.reason, re.IGNORECASE):
                records.pop(key, None)  # it is somebody else's
            else:
                records[key] = record
    return records


def _tagged(client: Client, names: Sequence[str]) -> set[tuple[str, str]]:
    """Service and name of everything that has the tag of one of these stacks."""
    pages = client("resourcegroupstaggingapi").get_paginator("get_resources")
    arns = [
        one["ResourceARN"]
        for page in pages.paginate(TagFilters=[{"Key": _TAG, "Values": list(names)}])
        for one in page["ResourceTagMappingList"]
    ]
    return {(arn.split(":")[2], _key(arn.split(":")[2], name)) for arn in arns for name in _ids(arn)}


def _names(env: Environment) -> set[tuple[str, str]]:
    endpoint = env.resolved_endpoint_name
    groups = (f"/aws/sagemaker/Endpoints/{endpoint}", f"/mistral7b/{env.name}/vpc-flow-logs")
    parameter = ("parameter", f"/mistral7b/{env.name}/endpoint-name")
    return {("sagemaker endpoint", endpoint), parameter, *(("log group", one) for one in groups)}


def _runs(client: Client, endpoint: str, records: Collection[tuple[str, str]]) -> bool:
    """Whether an endpoint runs a configuration of the environment's; another one of its name does not."""
    config = client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    return ("SageMaker::EndpointConfig", config.lower()) in records


def _policies(client: Client, records: dict[tuple[str, str], _Record]) -> Iterator[str]:
    """Inline policies of roles that are not the environment's own, with which they go."""
    for (kind, name), record in records.items():
        policy, _, role = name.partition("|")
        if kind == "IAM::RolePolicy" and record.left and ("IAM::Role", role) not in records:
            try:
                client("iam").get_role_policy(RoleName=role, PolicyName=policy)
            except ClientError as error:
                if not _GONE.search(str(error)):
                    raise
            else:
                yield name


def _interfaces(ec2: Any, groups: Sequence[str]) -> list[str]:
    if not groups:
        return []
    pages = ec2.get_paginator("describe_network_interfaces")
    found = [
        one
        for page in pages.paginate(Filters=[{"Name": "group-id", "Values": groups}])
        for one in page["NetworkInterfaces"]
    ]
    return [one["NetworkInterfaceId"] for one in found if one.get("InterfaceType") != "vpc_endpoint"]


def _priced(client: Client, env: Environment, found: Findings, kind: str, name: str, why: str) -> Leftover:
    cost = found.checked(f"cost of {kind} {name}", lambda: monthly_usd(client, env.region, kind, name))
    data = {"log group": "logs", "bucket": "captured data"}.get(kind, "")
    if kind == "bucket":
        held = found.checked(f"content of {name}", lambda: client("s3").list_object_versions(Bucket=name, MaxKeys=1))
        if held is not None and not held.get("Versions") and not held.get("DeleteMarkers"):
            data = ""
    return Leftover(kind, name, why, cost, data)


def choose(left: Sequence[Leftover], data: Collection[str]) -> list[Leftover]:
    """What may be deleted if these kinds of data may: keys only where nothing stays that they could encrypt."""
    stays = any(one.data and one.data not in data for one in left)
    return [one for one in left if (not one.data or one.data in data) and not (one.kind == "key" and stays)]


Tell = Callable[[str], None]


def delete(
    client: Client, env: Environment, data: Collection[str], tell: Tell, *, patience_s: float = 900, pause_s: float = 5
) -> list[str]:
    """Deletes what is left, dependants first; what cannot be deleted, with the reason.

    Stacks come first, as CloudFormation knows what it has made, and after the rest again, where some of that kept them.
    Nothing stops at a failure.

    Args:
        data: What may be lost: `logs`, `captured data`.
        tell: Is told of every deletion.
        patience_s: How long deletions are repeated, all together, that AWS refuses while something else is in use.
        pause_s: How long to wait between two tries.
    """
    until, failures = time.monotonic() + patience_s, dict[str, str]()

    def attempt(one: Leftover) -> None:
        failures.pop(str(one), None)
        while True:
            try:
                _delete(client, one, pause_s)
            except ClientError as error:
                if _BUSY.search(str(error)) and time.monotonic() < until:
                    time.sleep(pause_s)
                    continue
                if not _GONE.search(str(error)):
                    failures[str(one)] = f"{one}: {error.response['Error'].get('Message') or error}"
                    return
            tell(f"{'scheduled for deletion' if one.kind == 'key' else 'deleted'}: {one}")
            return

    first = choose(look(client, env).left, data)
    for one in [*(one for one in first if one.kind == "bucket"), *(one for one in first if one.kind == _STACK)]:
        attempt(one)
    for one in choose(look(client, env).left, data):
        attempt(one)
    return list(failures.values())


def _delete(client: Client, one: Leftover, pause_s: float) -> None:
    """Deletes a resource, after what has to go before it. Raises ClientError."""
    if one.kind == _STACK:
        _delete_stack(client("cloudformation"), one.name, pause_s)
        return
    service = client("iam" if one.kind == _POLICY else service_of(one.kind))
    if one.kind == "role":
        for policy in service.list_role_policies(RoleName=one.name)["PolicyNames"]:
            service.delete_role_policy(RoleName=one.name, PolicyName=policy)
        for attached in service.list_attached_role_policies(RoleName=one.name)["AttachedPolicies"]:
            service.detach_role_policy(RoleName=one.name, PolicyArn=attached["PolicyArn"])
    if one.kind == "bucket" and one.data:
        for page in service.get_paginator("list_object_versions").paginate(Bucket=one.name):
            there = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in there]
            if objects:
                service.delete_objects(Bucket=one.name, Delete={"Objects": objects, "Quiet": True})
    _, operation, parameters = _DELETIONS[one.kind]
    parts = dict(zip(parameters.split("|"), one.name.split("|") if "|" in parameters else [one.name], strict=True))
    more = {"PendingWindowInDays": _KEY_DAYS} if one.kind == "key" else {}
    listed = {name: [part] if name.endswith("s") else part for name, part in parts.items()}
    answer = getattr(service, operation)(**listed, **more)
    for refused in answer.get("Unsuccessful", ()):
        raise ClientError({"Error": refused["Error"]}, operation)


def _delete_stack(cloudformation: Any, name: str, pause_s: float) -> None:
    for state in find(cloudformation, [name]):
        protect(cloudformation, state, wanted=False)
        cloudformation.delete_stack(StackName=name)
    while states := list(find(cloudformation, [name])):
        if not states[0].busy:
            raise ClientError({"Error": {"Code": states[0].status, "Message": states[0].reason}}, "DeleteStack")
        time.sleep(pause_s)
