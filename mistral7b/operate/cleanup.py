"""What is left of an environment in its account, what it costs, and how it is deleted.

CloudFormation alone decides what is the environment's: its record of the environment's stacks, which it keeps for 90
days after it has deleted one, and its tag `aws:cloudformation:stack-name`, which nobody else can set. A resource that
has no more than the name is never touched.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.environment import Environment
from mistral7b.operate.calls import Client, ask, denied, each, needed, variants
from mistral7b.operate.costs import MONTH_HOURS, prices
from mistral7b.operate.inventory import KINDS, Kind, is_pending_deletion, names_of
from mistral7b.operate.stacks import StackState, find, protect
from mistral7b.promotion.names import environment_stacks

_STACK, _POLICY, _INTERFACE = "cloudformation stack", "inline policy", "network interface"
_RETAINED, _OTHERS = "retained", "somebody else's"
_GIB = 1024**3
_GONE = re.compile("NotFound|NoSuch|[Nn]ot find|does not exist|NonExistent")
_BUSY = re.compile("DependencyViolation|DeleteConflict|InUse|in use|OperationAborted|ConflictException")
_TAKEN = re.compile("already ?exist", re.IGNORECASE)
_Records = dict[tuple[str, str], str | None]
"""Why a resource is left, by type and name: None if it is in use, empty if it is deleted."""


@dataclass(frozen=True)
class Leftover:
    """A resource of the environment that no deployed stack uses."""

    kind: str
    name: str
    why: str
    usd_month: float | None = 0.0
    """None: no price is built in, or a permission is missing."""
    data: str = ""
    """What is lost with it: `logs`, `captured data` or nothing."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Findings:
    """What is in the account."""

    in_use: list[StackState] = field(default_factory=list)
    """Stacks that are deployed, or being deployed or deleted."""
    left: list[Leftover] = field(default_factory=list)
    """In the order of deletion."""
    left_alone: list[str] = field(default_factory=list)
    """The endpoint, if it has the environment's name, and nothing shows it to be the environment's own."""
    unchecked: list[str] = field(default_factory=list)
    """What a permission is missing for, and which."""

    def checked(self, what: str, look: Callable[[], Any]) -> Any:
        """What `look` finds; None, with a remark, where a permission is missing."""
        try:
            return look()
        except ClientError as error:
            if not denied(error):
                raise
            self.unchecked.append(f"{what}: needs {needed(error)}")
            return None


def look(client: Client, env: Environment) -> Findings:
    """Finds what is left of an environment. Reads only; raises ClientError."""
    cloudformation, stacks, found = client("cloudformation"), environment_stacks(env.name), Findings()
    for stack in find(cloudformation, stacks):
        if stack.deployed or stack.busy:
            found.in_use.append(stack)
        else:
            found.left.append(Leftover(_STACK, stack.name, ": ".join(filter(None, (stack.status, stack.reason)))))
    records = _records(cloudformation, stacks, {one.name for one in found.in_use})
    tagged = found.checked("tags", lambda: _tagged(client("resourcegroupstaggingapi"), stacks)) or set()
    for kind in (one for one in KINDS.values() if one.type):
        for name in found.checked(kind.name, partial(names_of, client, kind)) or ():
            key = name.lower() if kind.service == "sagemaker" else name
            found_tag = "tagged by a stack that has no record of it" if (kind.service, key) in tagged else ""
            why = records.get((kind.type, key), found_tag)
            if why == "" and kind.data == "logs" and (kind.type, key) in records:
                why = "written to after its deletion"
            if why and _is_own(client, found, kind, name, records):
                why = f"retained by {kind.retained_by or 'the deletion of its stack'}" if why == _RETAINED else why
                cost = found.checked(f"cost of {name}", partial(monthly_usd, client, env.region, kind.name, name))
                found.left.append(Leftover(kind.name, name, why, cost, kind.data))
            elif why is not None and (kind.name, name) == ("sagemaker endpoint", env.resolved_endpoint_name):
                found.left_alone.append(name)
    for name in found.checked(_POLICY, lambda: list(_policies(client("iam"), records))) or ():
        found.left.append(Leftover(_POLICY, name, "of a role that is not the environment's"))
    groups = [one.name for one in found.left if one.kind == "security group"]
    for name in found.checked(_INTERFACE, lambda: _interfaces(client("ec2"), groups)) or ():
        found.left.append(Leftover(_INTERFACE, name, "SageMaker removes it minutes after its endpoint"))
    found.left.sort(key=lambda one: list(KINDS).index(one.kind))
    return found


def _records(cloudformation: Any, names: Collection[str], in_use: Collection[str]) -> _Records:
    """What the stacks of these names have made; deleted stacks count, too."""
    history = list[tuple[Any, tuple[str, str], str, str | None]]()
    for stack in (one for one in each(cloudformation, "list_stacks", "StackSummaries") if one["StackName"] in names):
        status, lists = stack["StackStatus"], [("describe_stack_events", "StackEvents", "Timestamp")]
        if status != "DELETE_COMPLETE":  # the events of an old stack have expired
            lists.append(("list_stack_resources", "StackResourceSummaries", "LastUpdatedTimestamp"))
        used = status != "DELETE_COMPLETE" and stack["StackName"] in in_use
        for operation, members, when in lists:
            for one in reversed([*each(cloudformation, operation, members, StackName=stack["StackId"])]):
                change, reason = one["ResourceStatus"], one.get("ResourceStatusReason", "")
                why = None if used else f"its stack is {status}"
                why = {"DELETE_COMPLETE": "", "DELETE_SKIPPED": _RETAINED}.get(change, why)
                why = f"not deleted: {reason}" if change == "DELETE_FAILED" else why
                change = _OTHERS if change == "CREATE_FAILED" and _TAKEN.search(reason) else change
                kind = one["ResourceType"].removeprefix("AWS::").replace("Composite", "")
                for name in _ids(one.get("PhysicalResourceId") or ""):
                    history.append((one[when], (kind, name), change, why))
    records = _Records()
    others = set[tuple[str, str]]()
    for _, key, change, why in sorted(history, key=lambda entry: entry[0]):
        if change == _OTHERS:
            others.add(key)
            records.pop(key, None)
        elif key not in others or not change.startswith("DELETE"):  # a roll-back says that it deletes others', too
            others.discard(key)
            records[key] = why
    return records


def _ids(physical_id: str) -> Iterator[str]:
    """A physical id and, of an ARN, the forms that a name can have in it: in lower case, where it is SageMaker's."""
    yield physical_id
    if physical_id.startswith("arn:"):
        _, _, service, _, _, resource = physical_id.split(":", 5)
        resource = resource.lower() if service == "sagemaker" else resource
        name = re.split("[:/]", resource, maxsplit=1)[-1]
        yield from (resource, name, f"/{name}")


def _tagged(tagging: Any, stacks: Sequence[str]) -> set[tuple[str, str]]:
    """Service and name of everything that has the tag of one of these stacks."""
    wanted = {"Key": "aws:cloudformation:stack-name", "Values": list(stacks)}
    arns = each(tagging, "get_resources", "ResourceTagMappingList[].ResourceARN", TagFilters=[wanted])
    return {(arn.split(":")[2], name) for arn in arns for name in _ids(arn)}


def _is_own(client: Client, found: Findings, kind: Kind, name: str, records: _Records) -> bool:
    """Whether a resource that CloudFormation has made has not been made again by somebody else, or scheduled to go."""
    if kind.name == "sagemaker endpoint":
        endpoint = found.checked(name, lambda: client("sagemaker").describe_endpoint(EndpointName=name))
        return endpoint and ("SageMaker::EndpointConfig", endpoint["EndpointConfigName"].lower()) in records
    if kind.name == "log group":  # which an endpoint that is somebody else's writes to
        return name.rpartition("/")[2] not in found.left_alone
    return kind.name != "key" or not found.checked(name, lambda: is_pending_deletion(client("kms"), name))


def _policies(iam: Any, records: _Records) -> Iterator[str]:
    """Inline policies of roles that are not the environment's own, with which they go."""
    for (kind, name), why in records.items():
        policy, _, role = name.partition("|")
        others = kind == "IAM::RolePolicy" and why and ("IAM::Role", role) not in records
        if others and ask(iam.get_role_policy, "NoSuchEntity", RoleName=role, PolicyName=policy):
            yield name


def _interfaces(ec2: Any, groups: Sequence[str]) -> list[str]:
    """SageMaker's network interfaces in these security groups. VPC endpoints take theirs with them."""
    if not groups:
        return []
    of = [{"Name": "group-id", "Values": groups}]
    found = each(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=of)
    return [one["NetworkInterfaceId"] for one in found if "sagemaker" in one.get("Description", "").lower()]


def choose(left: Sequence[Leftover], data: Collection[str]) -> list[Leftover]:
    """What may be deleted if these kinds of data may: keys only where nothing stays that they could encrypt."""
    stays = any(one.data and one.data not in data for one in left)
    return [one for one in left if (not one.data or one.data in data) and not (one.kind == "key" and stays)]


def delete(
    client: Client,
    env: Environment,
    data: Collection[str],
    tell: Callable[[str], None],
    *,
    patience_s: float = 900,
    pause_s: float = 5,
) -> list[str]:
    """Deletes what is left, dependants first; returns what could not be deleted, with the reason.

    Stacks come first, as CloudFormation knows what it has made, and last again, if something has kept them. Nothing
    stops at a failure.

    Args:
        data: What may be lost: `logs`, `captured data`.
        tell: Is told of every deletion.
        patience_s: How long deletions are repeated, all together, that AWS refuses while something else is in use.
        pause_s: How long to wait between two tries.
    """
    until, failures = time.monotonic() + patience_s, dict[str, str]()

    def attempt(one: Leftover) -> None:
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
            failures.pop(str(one), None)
            tell(f"{'scheduled for deletion' if one.kind == 'key' else 'deleted'}: {one}")
            return

    left = choose(look(client, env).left, data)
    buckets, stacks = ([one for one in left if one.kind == kind] for kind in ("bucket", _STACK))
    for one in (*buckets, *stacks):
        attempt(one)
    for one in choose(look(client, env).left, data):
        if one.kind == "role" and any(failed.startswith(_INTERFACE) for failed in failures):
            failures[str(one)] = f"{one}: SageMaker may need it to remove the network interfaces"
        else:
            attempt(one)
    return list(failures.values())


def _delete(client: Client, one: Leftover, pause_s: float) -> None:
    """Deletes a resource, after what has to go before it. Raises ClientError."""
    kind = KINDS[one.kind]
    service = client(kind.service)
    if one.kind == _STACK:
        for state in find(service, [one.name]):
            protect(service, state, wanted=False)
    elif one.kind == "role":
        for policy in service.list_role_policies(RoleName=one.name)["PolicyNames"]:
            service.delete_role_policy(RoleName=one.name, PolicyName=policy)
    elif one.kind == "route table":
        [table] = service.describe_route_tables(RouteTableIds=[one.name])["RouteTables"]
        for association in table["Associations"]:
            service.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    elif one.kind == "bucket":
        for page in service.get_paginator("list_object_versions").paginate(Bucket=one.name):
            there = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if objects := [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in there]:
                service.delete_objects(Bucket=one.name, Delete={"Objects": objects, "Quiet": True})
    parameters = kind.by.split("|")
    named = dict(zip(parameters, one.name.split("|", len(parameters) - 1), strict=True))
    arguments = {by: [part] if by.endswith("s") else part for by, part in named.items()} | kind.more
    for refused in getattr(service, kind.delete)(**arguments).get("Unsuccessful", ()):
        raise ClientError({"Error": refused["Error"]}, kind.delete)
    while one.kind == _STACK and (states := list(find(service, [one.name]))):
        if not states[0].busy:
            raise ClientError({"Error": {"Code": states[0].status, "Message": states[0].reason}}, kind.delete)
        time.sleep(pause_s)


def monthly_usd(client: Client, region: str, kind: str, name: str) -> float | None:
    """What a resource of this kind (`mistral7b.operate.inventory`) costs a month; None where no price is built in.

    Requests and data transfer are not counted. Raises ClientError.
    """
    usd = prices(region)[0]
    if kind == "log group":
        groups = each(client("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=name)
        stored = sum(one.get("storedBytes", 0) for one in groups if one["logGroupName"] == name)
        return float(stored / _GIB * usd["log_gib"])
    if kind == "bucket":
        sizes = each(client("s3"), "list_object_versions", "Versions[].Size", Bucket=name)
        return float(sum(sizes) / _GIB * usd["bucket_gib"])
    if kind == "vpc endpoint":
        [found] = client("ec2").describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
        return float(len(found.get("SubnetIds", ())) * MONTH_HOURS * usd["interface_endpoint_zone_hour"])
    if kind != "sagemaker endpoint":
        return float(usd.get(kind, 0))
    hourly = [(usd["instance_hour"].get(kind), count) for _, kind, count in variants(client("sagemaker"), name)]
    monthly = [price and price * count * MONTH_HOURS for price, count in hourly]
    return None if None in monthly else float(sum(monthly))
