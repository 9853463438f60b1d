"""EC2: networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Attribute, Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import answer, api, by, itself, own, setting, tags
from sagehost.cloudformation.values import Json

TAGS = tags(
    "ec2",
    lambda _, physical_id: {"Resources": [physical_id]},
    put="create_tags",
    remove="delete_tags",
    remove_key="Tags",
)


def _vpc_attribute(name: str, *, default: bool) -> Facet:
    def put(client: Any, physical_id: str, properties: Props) -> None:
        client.modify_vpc_attribute(VpcId=physical_id, **{name: {"Value": properties.get(name, default)}})

    return setting("ec2", name, put, lambda client, physical_id: put(client, physical_id, {}))


def _of_vpc(operation: str, listed: str, identifier: str, **filters: str) -> Attribute:
    """An id of something that AWS creates along with a VPC."""

    def attribute(context: Context, physical_id: str, _: Props) -> Json:
        wanted = [{"Name": "vpc-id", "Values": [physical_id]}]
        wanted += [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
        return context.call("ec2", operation, {"Filters": wanted})[listed][0][identifier]

    return attribute


VPC = api(
    "ec2",
    create="create_vpc",
    delete="delete_vpc",
    sends="CidrBlock InstanceTenancy",
    identify=answer("Vpc.VpcId"),
    handle=by("VpcId"),
    facets=(
        _vpc_attribute("EnableDnsSupport", default=True),
        _vpc_attribute("EnableDnsHostnames", default=False),
        TAGS,
    ),
    attributes={
        "VpcId": itself,
        "CidrBlock": own("CidrBlock"),
        "DefaultSecurityGroup": _of_vpc("describe_security_groups", "SecurityGroups", "GroupId", group_name="default"),
        "DefaultNetworkAcl": _of_vpc("describe_network_acls", "NetworkAcls", "NetworkAclId", default="true"),
    },
    system_tags=True,
)


def _public_addresses(client: Any, physical_id: str, properties: Props) -> None:
    client.modify_subnet_attribute(
        SubnetId=physical_id, MapPublicIpOnLaunch={"Value": properties.get("MapPublicIpOnLaunch", False)}
    )


def _zone(context: Context, physical_id: str, _: Props) -> Json:
    return context.call("ec2", "describe_subnets", {"SubnetIds": [physical_id]})["Subnets"][0]["AvailabilityZone"]


SUBNET = api(
    "ec2",
    create="create_subnet",
    delete="delete_subnet",
    sends="VpcId CidrBlock AvailabilityZone AvailabilityZoneId",
    identify=answer("Subnet.SubnetId"),
    handle=by("SubnetId"),
    facets=(
        setting(
            "ec2",
            "MapPublicIpOnLaunch",
            _public_addresses,
            lambda client, physical_id: _public_addresses(client, physical_id, {}),
        ),
        TAGS,
    ),
    attributes={"SubnetId": itself, "VpcId": own("VpcId"), "CidrBlock": own("CidrBlock"), "AvailabilityZone": _zone},
    system_tags=True,
)

ROUTE_TABLE = api(
    "ec2",
    create="create_route_table",
    delete="delete_route_table",
    sends="VpcId",
    identify=answer("RouteTable.RouteTableId"),
    handle=by("RouteTableId"),
    facets=(TAGS,),
    attributes={"RouteTableId": itself},
    system_tags=True,
)

SUBNET_ROUTE_TABLE_ASSOCIATION = api(
    "ec2",
    create="associate_route_table",
    delete="disassociate_route_table",
    sends="SubnetId RouteTableId",
    identify=answer("AssociationId"),
    handle=by("AssociationId"),
    attributes={"Id": itself},
)

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _route(_: str, properties: Props) -> dict[str, Json]:
    return {key: properties[key] for key in ("RouteTableId", *_DESTINATIONS) if key in properties}


ROUTE = api(
    "ec2",
    create="create_route",
    update="replace_route",
    delete="delete_route",
    sends="RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId GatewayId NatGatewayId "
    "NetworkInterfaceId InstanceId VpcPeeringConnectionId TransitGatewayId EgressOnlyInternetGatewayId",
    identify=lambda _, sent: "|".join([sent["RouteTableId"], *(sent[key] for key in _DESTINATIONS if key in sent)]),
    handle=_route,
    attributes={"CidrBlock": own("DestinationCidrBlock")},
)

INTERNET_GATEWAY = api(
    "ec2",
    create="create_internet_gateway",
    delete="delete_internet_gateway",
    sends="",
    identify=answer("InternetGateway.InternetGatewayId"),
    handle=by("InternetGatewayId"),
    facets=(TAGS,),
    attributes={"InternetGatewayId": itself},
    system_tags=True,
)

VPC_GATEWAY_ATTACHMENT = api(
    "ec2",
    create="attach_internet_gateway",
    delete="detach_internet_gateway",
    sends="VpcId InternetGatewayId",
    identify=lambda _, sent: f"IGW|{sent['VpcId']}",
    handle=lambda _, properties: {key: properties[key] for key in ("VpcId", "InternetGatewayId")},
    attributes={"AttachmentType": lambda *_: "IGW"},
)


def _one_resource(_: Context, parameters: dict[str, Json]) -> dict[str, Json]:
    return {**parameters, "ResourceIds": [parameters["ResourceIds"]]}


def _flow_log_id(response: Json, _: Props) -> str:
    if response.get("Unsuccessful"):
        raise ResourceFailure(response["Unsuccessful"][0]["Error"]["Message"])
    return str(response["FlowLogIds"][0])


FLOW_LOG = api(
    "ec2",
    create="create_flow_logs",
    delete="delete_flow_logs",
    sends="ResourceId ResourceType TrafficType LogGroupName LogDestination LogDestinationType LogFormat "
    "DeliverLogsPermissionArn MaxAggregationInterval",
    rename={"ResourceId": "ResourceIds"},
    adapt=_one_resource,
    identify=_flow_log_id,
    handle=lambda physical_id, _: {"FlowLogIds": [physical_id]},
    facets=(TAGS,),
    attributes={"Id": itself},
    system_tags=True,
)

PROVIDERS: Mapping[str, Provider] = {
    "AWS::EC2::FlowLog": FLOW_LOG,
    "AWS::EC2::InternetGateway": INTERNET_GATEWAY,
    "AWS::EC2::Route": ROUTE,
    "AWS::EC2::RouteTable": ROUTE_TABLE,
    "AWS::EC2::Subnet": SUBNET,
    "AWS::EC2::SubnetRouteTableAssociation": SUBNET_ROUTE_TABLE_ASSOCIATION,
    "AWS::EC2::VPC": VPC,
    "AWS::EC2::VPCGatewayAttachment": VPC_GATEWAY_ATTACHMENT,
}
