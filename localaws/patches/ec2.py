"""EC2: what goes with networks that are changed or deleted, and ids that a request chooses."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.vpcs import VPCs
from moto.ec2.utils import random_private_ip

from localaws.patches import correction, flow_logs
from localaws.patches.chosen_ids import chosen_by_tag

_ID = r"-[0-9a-f]{8}([0-9a-f]{9})?"
_REFUSAL = functools.partial(EC2ClientError, "InvalidParameterValue")


def install() -> None:
    """Apply the corrections."""
    correction.replace(VPCs, "modify_vpc_endpoint", _with_consequences)
    correction.replace(VPCBackend, "delete_vpc_endpoints", _forgetting)
    correction.replace(VPCBackend, "delete_vpc", _with_its_acl)
    flow_logs.install()
    vpc = chosen_by_tag("random_vpc_id", f"vpc{_ID}", lambda ec2: ec2.vpcs, _REFUSAL)
    correction.replace(VPCBackend, "create_vpc", vpc)
    subnet = chosen_by_tag("random_subnet_id", f"subnet{_ID}", _subnet_ids, _REFUSAL)
    correction.replace(SubnetBackend, "create_subnet", subnet)
    table = chosen_by_tag("random_route_table_id", f"rtb{_ID}", lambda ec2: ec2.route_tables, _REFUSAL)
    correction.replace(RouteBackend, "create_route_table", table)


def _subnet_ids(ec2: Any) -> set[str]:
    return {subnet.id for subnet in ec2.describe_subnets()}


def _with_consequences(original: Callable[[VPCs], ActionResult]) -> Callable[[VPCs], ActionResult]:
    """Replaces `VPCs.modify_vpc_endpoint`.

    moto changes the lists of subnets and route tables without the network interfaces and the routes that go with them,
    and drops PrivateDnsEnabled and ResetPolicy.
    """

    @functools.wraps(original)
    def modify_vpc_endpoint(self: VPCs) -> ActionResult:
        answer = original(self)
        backend: Any = self.ec2_backend
        endpoint = backend.describe_vpc_endpoints([self._get_param("VpcEndpointId")])[0]
        if (private_dns := self._get_bool_param("PrivateDnsEnabled")) is not None:
            endpoint.private_dns_enabled = private_dns
        if self._get_bool_param("ResetPolicy"):
            endpoint.policy_document = json.dumps(VPCEndPoint.DEFAULT_POLICY)
        if endpoint.vpc_endpoint_type == "Interface":
            _move_interfaces(backend, endpoint, set(self._get_param("RemoveSubnetIds", [])))
        elif endpoint.destination_prefix_list_id:
            _move_routes(backend, endpoint, self._get_param("RemoveRouteTableIds", []))
        return answer

    return modify_vpc_endpoint


def _move_interfaces(backend: Any, endpoint: VPCEndPoint, left: set[str]) -> None:
    """An interface in every subnet of the endpoint, and none in those that it has left."""
    present = {backend.enis[eni].subnet.id: eni for eni in endpoint.network_interface_ids}
    for subnet in left & present.keys():
        backend.enis.pop(present.pop(subnet))
    for subnet in endpoint.subnet_ids or []:
        if subnet not in present:
            present[subnet] = backend.create_network_interface(subnet, random_private_ip()).id
    endpoint.network_interface_ids = list(present.values())


def _move_routes(backend: Any, endpoint: VPCEndPoint, left: list[str]) -> None:
    """A route to the service in every route table of the endpoint, and none in those that it has left."""
    prefix_list = endpoint.destination_prefix_list_id

    def has_route(table: str) -> bool:
        targets = [route.destination_prefix_list for route in backend.get_route_table(table).routes]
        return any(target is not None and target.id == prefix_list for target in targets)

    for table in left:
        backend.delete_route(table, None, destination_prefix_list_id=prefix_list)
    for table in endpoint.route_table_ids:
        if not has_route(table):
            backend.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)


def _forgetting(original: Callable[..., None]) -> Callable[..., None]:
    """Replaces `VPCBackend.delete_vpc_endpoints`: moto shows deleted endpoints for ever, with the ids they had used."""

    @functools.wraps(original)
    def delete_vpc_endpoints(self: VPCBackend, vpce_ids: list[str] | None = None) -> None:
        original(self, vpce_ids)
        for endpoint in vpce_ids or []:
            self.vpc_end_points.pop(endpoint, None)

    return delete_vpc_endpoints


def _with_its_acl(original: Callable[..., Any]) -> Callable[..., Any]:
    """Replaces `VPCBackend.delete_vpc`: moto keeps the network ACL that it had made along with the VPC."""

    @functools.wraps(original)
    def delete_vpc(self: Any, vpc_id: str) -> Any:
        deleted = original(self, vpc_id)
        for acl in [acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id and acl.default]:
            self.network_acls.pop(acl.id)
        return deleted

    return delete_vpc
