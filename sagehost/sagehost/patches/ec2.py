"""EC2: what it refuses, what goes with changed or deleted networks, chosen ids, availability zones, flow logs."""

import functools
import inspect
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import (
    DependencyViolationError,
    EC2ClientError,
    InvalidAvailabilityZoneError,
    InvalidParameter,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.flow_logs import FlowLogsBackend
from moto.ec2.models.instance_types import InstanceTypeOfferingBackend
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend
from moto.ec2.models.subnets import Subnet, SubnetBackend
from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.vpcs import VPCs
from moto.ec2.utils import random_private_ip

from sagehost import quotas
from sagehost.accounts import url_suffix
from sagehost.patches import correction
from sagehost.patches.chosen_ids import chosen_by_tag


def _subnets(ec2: Any) -> dict[str, Any]:
    return {subnet.id: subnet for subnet in ec2.describe_subnets()}


def _ids_by_tag(owner: type, operation: str, generator: str, kind: str, present: Callable[[Any], Any]) -> None:
    refusal = functools.partial(EC2ClientError, "InvalidParameterValue")
    chosen = chosen_by_tag(generator, kind + r"-[0-9a-f]{8}([0-9a-f]{9})?", present, refusal)
    correction.replaces(owner, operation)(chosen)


@correction.replaces(VPCBackend, "create_vpc")
def _create_vpc(original: Callable[..., Any], self: Any, *args: Any, **given: Any) -> Any:
    """moto makes any number of VPCs."""
    if len(self.vpcs) >= quotas.quota(self.account_id, self.region_name, "vpc", quotas.VPCS):
        raise EC2ClientError("VpcLimitExceeded", "The maximum number of VPCs has been reached.")
    return original(self, *args, **given)


_ids_by_tag(VPCBackend, "create_vpc", "random_vpc_id", "vpc", lambda ec2: ec2.vpcs)
_ids_by_tag(SubnetBackend, "create_subnet", "random_subnet_id", "subnet", _subnets)
_ids_by_tag(RouteBackend, "create_route_table", "random_route_table_id", "rtb", lambda ec2: ec2.route_tables)


def _arn(kind: str) -> property:
    """An ARN in the region's partition; moto sets and gives those of `aws` everywhere."""

    def arn(self: Any) -> str:
        ec2 = self.ec2_backend
        return f"arn:{ec2.partition}:ec2:{ec2.region_name}:{ec2.account_id}:{kind}/{self.id}"

    return property(arn, lambda *_: None)


for _resource, _kind in ((Subnet, "subnet"), (SecurityGroup, "security-group")):
    setattr(_resource, "arn", _arn(_kind))  # noqa: B010 - to mypy it is what moto has


@correction.replaces(VPCs, "modify_vpc_endpoint")
def _modify_vpc_endpoint(original: Callable[[VPCs], ActionResult], self: VPCs) -> ActionResult:
    """moto changes the lists of subnets and route tables without the network interfaces and the routes.

    It also drops PrivateDnsEnabled and ResetPolicy.
    """
    ec2: Any = self.ec2_backend
    endpoint = ec2.describe_vpc_endpoints([self._get_param("VpcEndpointId")])[0]
    wanted = SimpleNamespace(**vars(endpoint), endpoint_type=endpoint.vpc_endpoint_type)
    wanted.private_dns_enabled = self._get_bool_param("PrivateDnsEnabled", if_none=endpoint.private_dns_enabled)
    for name, attribute in _MEMBERS.items():
        removed, added = self._get_param(f"Remove{name}", []), self._get_param(f"Add{name}", [])
        members = dict.fromkeys([*(getattr(endpoint, attribute) or []), *added])
        setattr(wanted, attribute, [one for one in members if one not in removed])
    _check(ec2, wanted, endpoint)
    prefix_list, tables = endpoint.destination_prefix_list_id, set(endpoint.route_table_ids)
    answer = original(self)
    endpoint.private_dns_enabled = wanted.private_dns_enabled
    if self._get_bool_param("ResetPolicy"):
        endpoint.policy_document = json.dumps(VPCEndPoint.DEFAULT_POLICY)
    if endpoint.vpc_endpoint_type == "Interface":
        _place_interfaces(ec2, endpoint)
    elif prefix_list:
        for table in tables - set(endpoint.route_table_ids):
            ec2.delete_route(table, None, destination_prefix_list_id=prefix_list)
        for table in set(endpoint.route_table_ids) - tables:
            ec2.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
    return answer


_MEMBERS = {"RouteTableIds": "route_table_ids", "SecurityGroupIds": "security_group_ids", "SubnetIds": "subnet_ids"}


@correction.replaces(VPCBackend, "create_vpc_endpoint")
def _create_vpc_endpoint(original: Callable[..., VPCEndPoint], self: Any, **given: Any) -> VPCEndPoint:
    """moto creates endpoints that EC2 refuses, and gives interfaces no security groups."""
    given["endpoint_type"] = given["endpoint_type"] or "Gateway"
    _check(self, SimpleNamespace(**given), None)
    endpoint = original(self, **given)
    if endpoint.vpc_endpoint_type == "Interface":
        _place_interfaces(self, endpoint)
    return endpoint


def _check(ec2: Any, wanted: Any, present: VPCEndPoint | None) -> None:
    """Refuse an endpoint as EC2 does, whose members `validation.rules` has found in its VPC."""
    vpc, private = ec2.get_vpc(wanted.vpc_id), wanted.endpoint_type == "Interface" and wanted.private_dns_enabled
    if private and not (present and present.private_dns_enabled):
        if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
            attributes = "enableDnsSupport and enableDnsHostnames VPC attributes"
            raise InvalidParameter(f"Enabling private DNS requires both {attributes} set to true for {vpc.id}")
        others = [one for one in ec2.vpc_end_points.values() if one.vpc_id == vpc.id and one.private_dns_enabled]
        if wanted.service_name in [one.service_name for one in others if one.vpc_endpoint_type == "Interface"]:
            name = ".".join(reversed(wanted.service_name.partition(f".{ec2.region_name}.")[2].split(".")))
            domain = f"{name}.{ec2.region_name}.{url_suffix(ec2.region_name)}"
            conflict = f"there is already a conflicting DNS domain for {domain} in the VPC {vpc.id}"
            raise InvalidParameter(f"private-dns-enabled cannot be set because {conflict}")
    subnets = _subnets(ec2)
    by_zone = dict[str, str]()
    for subnet in wanted.subnet_ids or []:
        if by_zone.setdefault(subnets[subnet].availability_zone, subnet) != subnet:
            raise EC2ClientError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet}. VPC endpoint subnets should "
                "be in different availability zones supported by the VPC endpoint service.",
            )
    for route in (route for table in wanted.route_table_ids for route in ec2.route_tables[table].routes):
        target = route.destination_prefix_list
        if target and target.prefix_list_name == wanted.service_name and route.gateway_id != getattr(present, "id", ""):
            twice = f"already has a route with destination-prefix-list-id {target.id}"
            raise EC2ClientError("RouteAlreadyExists", f"route table {route.route_table.id} {twice}")


def _place_interfaces(ec2: Any, endpoint: VPCEndPoint) -> None:
    """An interface in every subnet of the endpoint, with its security groups, and none elsewhere."""
    present = {ec2.enis[eni].subnet.id: eni for eni in endpoint.network_interface_ids}
    for subnet in present.keys() - set(endpoint.subnet_ids or []):
        ec2.enis.pop(present.pop(subnet))
    for subnet in set(endpoint.subnet_ids or []) - present.keys():
        present[subnet] = ec2.create_network_interface(subnet, random_private_ip()).id
    endpoint.network_interface_ids = list(present.values())
    groups = [_groups(ec2)[one] for one in endpoint.security_group_ids]
    for eni in endpoint.network_interface_ids:
        ec2.enis[eni]._group_set = groups or [ec2.get_default_security_group(endpoint.vpc_id)]


def _groups(ec2: Any) -> dict[str, Any]:
    return {group.id: group for of_vpc in ec2.groups.values() for group in of_vpc.values()}


def _group_in_use(ec2: Any, group: str) -> bool:
    others = [one for name, one in _groups(ec2).items() if name != group]
    named = [rule.source_group.get("GroupId") for one in others for rule in (*one.ingress_rules, *one.egress_rules)]
    return group in [*named, *(one.id for eni in ec2.enis.values() for one in eni.group_set)]


def _vpc_in_use(ec2: Any, vpc: str) -> bool:
    """Beside subnets and route tables, which moto looks at itself; the default group goes with its VPC."""
    gateways = [one.vpc.id for one in ec2.internet_gateways.values() if one.vpc]
    parts = (*ec2.vpc_end_points.values(), *(one for one in _groups(ec2).values() if one.name != "default"))
    return vpc in [*gateways, *(one.vpc_id for one in parts)]


def _refuse_in_use(owner: type, operation: str, in_use: Callable[[Any, str], bool], refusal: str) -> None:
    """moto deletes what is in use. It keeps the network ACL created with a VPC, and deleted subnets in it."""

    @correction.replaces(owner, operation)
    def delete(original: Callable[..., Any], self: Any, *args: Any, **given: Any) -> Any:
        name = (*args, *given.values())[-1]
        if in_use(self, name):
            raise DependencyViolationError(refusal.format(name))
        deleted = original(self, *args, **given)
        for acl in list(self.network_acls.values()):
            acl._associations = {key: one for key, one in acl._associations.items() if one.subnet_id != name}
            if acl.vpc_id == name and acl.default:
                self.network_acls.pop(acl.id)
        return deleted


_HELD = "'{}' has dependencies and cannot be deleted."
_refuse_in_use(VPCBackend, "delete_vpc", _vpc_in_use, f"The vpc {_HELD}")
_refuse_in_use(
    SubnetBackend,
    "delete_subnet",
    lambda ec2, subnet: any(eni.subnet.id == subnet for eni in ec2.enis.values()),
    f"The subnet {_HELD}",
)
_refuse_in_use(SecurityGroupBackend, "_delete_security_group", _group_in_use, "resource {} has a dependent object")


@correction.replaces(VPCBackend, "delete_vpc_endpoints")
def _delete_vpc_endpoints(original: Callable[..., None], self: VPCBackend, vpce_ids: list[str] | None = None) -> None:
    """moto shows deleted endpoints for ever, with the ids they had used."""
    original(self, vpce_ids)
    for endpoint in vpce_ids or []:
        self.vpc_end_points.pop(endpoint, None)


# The fourth zone of eu-west-2 is in moto's offerings of instance types alone.
RegionsAndZonesBackend.zones["eu-west-2"].append(Zone("eu-west-2d", "eu-west-2", "euw2-az4"))


@functools.cache
def zones(account: str, region: str) -> list[Zone]:
    """The zones of a region as an account names them: us-east-1a is use1-az2 in the default account."""
    known = RegionsAndZonesBackend.zones.get(region, [])
    names, ids = sorted(zone.name for zone in known), sorted(zone.zone_id for zone in known)
    shift = (int(account) + 1) % len(ids) if ids else 0
    return [Zone(name, region, zone_id) for name, zone_id in zip(names, ids[shift:] + ids[:shift], strict=True)]


# moto gives every account the same names.
setattr(EC2Backend, "zones", property(lambda self: {self.region_name: zones(self.account_id, self.region_name)}))  # noqa: B010


@correction.replaces(SubnetBackend, "create_subnet")
def _create_subnet(original: Callable[..., Subnet], self: Any, *args: Any, **given: Any) -> Subnet:
    """moto takes zones of other regions."""
    bound = inspect.signature(original).bind(self, *args, **given)
    name, zone_id = (bound.arguments.pop(one, None) for one in ("availability_zone", "availability_zone_id"))
    own = {zone.name if name else zone.zone_id: zone for zone in zones(self.account_id, self.region_name)}
    zone = own.get(name or zone_id)
    if zone is None:
        raise InvalidAvailabilityZoneError(name or zone_id, ", ".join(own))
    subnet = original(**bound.arguments, availability_zone=zone.name)
    subnet._availability_zone = zone
    return subnet


@correction.replaces(InstanceTypeOfferingBackend, "describe_instance_type_offerings")
def _describe_instance_type_offerings(
    original: Callable[..., list[Any]], self: Any, location_type: str | None = None, filters: Any = None
) -> list[Any]:
    """moto's offerings by name of the zone are those of one account."""
    if location_type != "availability-zone":
        return original(self, location_type, filters)
    names = {zone.zone_id: zone.name for zone in zones(self.account_id, self.region_name)}
    wanted = (filters or {}).pop("location", names.values())
    found = original(self, "availability-zone-id", filters)
    renamed = ({**one, "LocationType": location_type, "Location": names[one["Location"]]} for one in found)
    return [one for one in renamed if one["Location"] in wanted]


_GROUP = ":log-group:"
_DEFAULT_INTERVAL_S = 600
_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status}"
)
"""Both as API_CreateFlowLogs of EC2 has them."""


@correction.replaces(FlowLogsBackend, "create_flow_logs")
def _create_flow_logs(original: Callable[..., Any], self: FlowLogsBackend, **given: Any) -> Any:
    """moto finds no log group that is given by its ARN.

    It also refuses a second flow log to the same destination whatever its configuration, so CloudFormation could not
    replace one; EC2 refuses one of "the same configuration and log destination".
    """
    destination = given["log_destination"] or ""
    if given["log_group_name"] is None and _GROUP in destination:
        given["log_group_name"] = destination.split(_GROUP)[1].removesuffix(":*")
    different = {
        flow_log.id: self.flow_logs.pop(flow_log.id)
        for flow_log in list(self.flow_logs.values())
        if (flow_log.traffic_type, flow_log.deliver_logs_permission_arn)
        != (given["traffic_type"], given["deliver_logs_permission_arn"])
        or (given["log_format"] or _DEFAULT_FORMAT) != flow_log.log_format
        or (given["max_aggregation_interval"] or _DEFAULT_INTERVAL_S) != flow_log.max_aggregation_interval
    }
    try:
        return original(self, **given)
    finally:
        self.flow_logs = different | self.flow_logs
