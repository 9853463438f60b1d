"""EC2: endpoints of services within a VPC."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.providers.base import Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import answer, api, itself, names
from sagehost.cloudformation.providers.ec2 import TAGS
from sagehost.cloudformation.values import Json


def _members(properties: Props, name: str) -> set[str]:
    return set(properties.get(name) or [])


def _modify_endpoint(context: Context, physical_id: str, new: Props, old: Props) -> None:
    """What a change of an endpoint that exists sends: what to add and what to remove."""
    if not old:
        return
    changes: dict[str, Json] = {}
    for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
        if added := sorted(_members(new, name) - _members(old, name)):
            changes[f"Add{name}"] = added
        if removed := sorted(_members(old, name) - _members(new, name)):
            changes[f"Remove{name}"] = removed
    if new.get("PolicyDocument") != old.get("PolicyDocument"):
        changes |= {"PolicyDocument": new["PolicyDocument"]} if "PolicyDocument" in new else {"ResetPolicy": True}
    if new.get("PrivateDnsEnabled") != old.get("PrivateDnsEnabled"):
        changes["PrivateDnsEnabled"] = new.get("PrivateDnsEnabled", False)
    if changes:
        context.call("ec2", "modify_vpc_endpoint", {"VpcEndpointId": physical_id, **changes})


def _endpoint(context: Context, physical_id: str) -> Json:
    return context.call("ec2", "describe_vpc_endpoints", {"VpcEndpointIds": [physical_id]})["VpcEndpoints"][0]


def _dns_entries(context: Context, physical_id: str, _: Props) -> Json:
    entries = _endpoint(context, physical_id).get("DnsEntries", [])
    return [f"{entry.get('HostedZoneId', '')}:{entry['DnsName']}" for entry in entries]


def _endpoint_parameters(_: Context, parameters: dict[str, Json]) -> dict[str, Json]:
    return {"PrivateDnsEnabled": False, **parameters}


_ENDPOINT_MODIFIABLE = "PolicyDocument RouteTableIds SubnetIds SecurityGroupIds PrivateDnsEnabled"

VPC_ENDPOINT = api(
    "ec2",
    create="create_vpc_endpoint",
    delete="delete_vpc_endpoints",
    sends=f"VpcId ServiceName VpcEndpointType {_ENDPOINT_MODIFIABLE}",
    adapt=_endpoint_parameters,
    identify=answer("VpcEndpoint.VpcEndpointId"),
    handle=lambda physical_id, _: {"VpcEndpointIds": [physical_id]},
    facets=(Facet(names(_ENDPOINT_MODIFIABLE), _modify_endpoint), TAGS),
    attributes={
        "Id": itself,
        "DnsEntries": _dns_entries,
        "NetworkInterfaceIds": lambda context, physical_id, _: _endpoint(context, physical_id)["NetworkInterfaceIds"],
    },
    system_tags=True,
)

PROVIDERS: Mapping[str, Provider] = {"AWS::EC2::VPCEndpoint": VPC_ENDPOINT}
