"""EC2: networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.errors import ResourceFailure
from localaws.cloudformation.providers.base import Apply, Attribute, Context, Facet, Props, Provider
from localaws.cloudformation.providers.calls import answer, api, by, itself, names, own, setting, tags
from localaws.cloudformation.values import Json

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


# Rules of security groups. The properties of one rule hold what the API splits into ranges, groups and prefix lists.

_ANYWHERE = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
"""The rule that EC2 gives a new group for egress."""

_RULE_TARGETS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}
_RULE_PROPERTIES = {*_RULE_TARGETS, "IpProtocol", "FromPort", "ToPort", "Description", "GroupId"}


def _permission(rule: Mapping[str, Json], resource_type: str) -> dict[str, Json]:
    if unknown := sorted(set(rule) - _RULE_PROPERTIES):
        raise ResourceFailure(f"Property {unknown[0]} of a rule of {resource_type} is not emulated")
    permission = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    for key, (group, member) in _RULE_TARGETS.items():
        if key in rule:
            permission[group] = [{member: rule[key], **described}]
    return permission


def _rules(way: str) -> Apply:
    """Brings the inline rules of a group from the old to the new."""
    name = f"SecurityGroup{way.title()}"
    implicit = [_ANYWHERE] if way == "egress" else []

    def apply(context: Context, physical_id: str, new: Props, old: Props) -> None:
        wanted, present = (side.get(name) or implicit for side in (new, old))
        for operation, rules in (
            ("revoke", [rule for rule in present if rule not in wanted]),
            ("authorize", [rule for rule in wanted if rule not in present]),
        ):
            for rule in rules:
                permissions = [_permission(rule, context.resource_type)]
                context.call(
                    "ec2", f"{operation}_security_group_{way}", {"GroupId": physical_id, "IpPermissions": permissions}
                )

    return apply


SECURITY_GROUP = api(
    "ec2",
    create="create_security_group",
    delete="delete_security_group",
    sends="GroupName GroupDescription VpcId",
    rename={"GroupDescription": "Description"},
    name="GroupName",
    longest_name=255,
    identify=answer("GroupId"),
    handle=by("GroupId"),
    facets=(
        Facet(names("SecurityGroupEgress"), _rules("egress")),
        Facet(names("SecurityGroupIngress"), _rules("ingress")),
        TAGS,
    ),
    attributes={"GroupId": itself, "Id": itself, "VpcId": own("VpcId")},
    system_tags=True,
)


def _rule(way: str, other: str) -> Provider:
    """A rule apart from its group. Its targets, protocol and ports cannot change, so the API needs no rule id."""

    def parameters(properties: Props, resource_type: str) -> dict[str, Json]:
        return {"GroupId": properties["GroupId"], "IpPermissions": [_permission(properties, resource_type)]}

    def create(context: Context, properties: Props) -> str:
        made = context.call("ec2", f"authorize_security_group_{way}", parameters(properties, context.resource_type))
        return str(made["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def delete(context: Context, _: str, properties: Props) -> None:
        context.call("ec2", f"revoke_security_group_{way}", parameters(properties, context.resource_type))

    def describe(context: Context, physical_id: str, new: Props, old: Props) -> None:
        # moto does not change the description of a rule about a group or a prefix list, so the rule is made anew.
        delete(context, physical_id, old)
        create(context, new)

    targets = f"CidrIp CidrIpv6 {other}SecurityGroupId {other}PrefixListId"
    return Provider(
        create=create,
        delete=delete,
        sends=names(f"GroupId IpProtocol FromPort ToPort Description {targets}"),
        facets=(Facet(names("Description"), describe),),
        attributes={"Id": itself},
    )


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
    return {"VpcEndpointType": "Gateway", "PrivateDnsEnabled": False, **parameters}


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
    "AWS::EC2::SecurityGroup": SECURITY_GROUP,
    "AWS::EC2::SecurityGroupEgress": _rule("egress", "Destination"),
    "AWS::EC2::SecurityGroupIngress": _rule("ingress", "Source"),
    "AWS::EC2::Subnet": SUBNET,
    "AWS::EC2::SubnetRouteTableAssociation": SUBNET_ROUTE_TABLE_ASSOCIATION,
    "AWS::EC2::VPC": VPC,
    "AWS::EC2::VPCEndpoint": VPC_ENDPOINT,
    "AWS::EC2::VPCGatewayAttachment": VPC_GATEWAY_ATTACHMENT,
}
