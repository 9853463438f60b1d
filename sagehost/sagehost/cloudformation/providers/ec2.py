"""EC2: networks, the endpoints of services in them, and security groups."""

from collections.abc import Mapping

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    Setting,
    changes,
    described,
    items,
    setting,
)
from sagehost.cloudformation.values import Json

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


class _Route(Provider):
    def create(self, resource: Resource, properties: Props) -> str:
        """The id is table and destination, of which there are three kinds."""
        table = super().create(resource, properties)
        return "|".join([table, *(properties[key] for key in _DESTINATIONS if key in properties)])


def _flag(name: str, operation: str, *, default: bool = False) -> Setting:
    """A boolean that EC2 wants wrapped."""
    return setting(name, operation, default={"Value": default}, shape=lambda value: {"Value": value})


def _modify_endpoint(resource: Resource, new: Props, old: Props) -> None:
    """Sends what to add to an endpoint that exists, and what to remove."""
    modified: dict[str, Json] = {}
    for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
        removed, added = changes(name, new, old)
        modified |= {key: ids for key, ids in ((f"Add{name}", added), (f"Remove{name}", removed)) if ids}
    if new.get("PolicyDocument") != old.get("PolicyDocument"):
        modified |= {"PolicyDocument": new["PolicyDocument"]} if "PolicyDocument" in new else {"ResetPolicy": True}
    if new.get("PrivateDnsEnabled") != old.get("PrivateDnsEnabled"):
        modified["PrivateDnsEnabled"] = new.get("PrivateDnsEnabled", False)
    resource.call_on("modify_vpc_endpoint", new, **modified)


_MODIFIABLE = "PolicyDocument RouteTableIds SubnetIds SecurityGroupIds PrivateDnsEnabled"

_RULE_TARGETS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _permission(rule: Mapping[str, Json]) -> Props:
    """The properties of one rule hold what the API splits into ranges, groups and prefix lists."""
    if unknown := sorted(set(rule) - {*_RULE_TARGETS, "IpProtocol", "FromPort", "ToPort", "Description", "GroupId"}):
        raise ResourceFailure(f"Property {unknown[0]} of a rule of AWS::EC2::SecurityGroup is not emulated")
    permission = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    text = {"Description": rule["Description"]} if "Description" in rule else {}
    targets = {group: [{member: rule[key], **text}] for key, (group, member) in _RULE_TARGETS.items() if key in rule}
    return {"IpPermissions": [permission | targets]}


def _inline_rules(way: str, initial: Json = ()) -> Setting:
    add = f"authorize_security_group_{way}"
    return items(f"SecurityGroup{way.title()}", add=add, parameters=_permission, initial=initial)


class _Rule(Provider):
    """A rule apart from its group. Its target, protocol and ports cannot change, so the API needs no rule id."""

    def parameters(self, _: Resource, properties: Props) -> dict[str, Json]:
        """The parameters of both calls."""
        return {"GroupId": properties["GroupId"], **_permission(properties)}

    def delete(self, resource: Resource, properties: Props) -> None:
        """The rule is named by what it says."""
        resource.call(self.delete_with, **self.parameters(resource, properties))


def _describe_rule(resource: Resource, new: Props, old: Props) -> None:
    """moto cannot change the description of a rule about a group or a prefix list: the rule is made anew."""
    resource.provider.remove(resource, old)
    resource.provider.create(resource, new)


def _rule(way: str, other: str) -> Provider:
    return _Rule(
        f"AWS::EC2::SecurityGroup{way.title()}",
        create_with=f"authorize_security_group_{way}",
        sends="GroupId IpProtocol FromPort ToPort Description CidrIp CidrIpv6 "
        f"{other}SecurityGroupId {other}PrefixListId",
        id="SecurityGroupRules[0].SecurityGroupRuleId",
        settings=(Setting(frozenset(["Description"]), _describe_rule),),
    )


PROVIDERS = (
    Provider(
        "AWS::EC2::VPC",
        sends="CidrBlock InstanceTenancy",
        id="Vpc.VpcId",
        settings=(
            _flag("EnableDnsSupport", "modify_vpc_attribute", default=True),
            _flag("EnableDnsHostnames", "modify_vpc_attribute"),
        ),
        attributes={
            "CidrBlock": "{CidrBlock}",
            "DefaultSecurityGroup": described(
                "describe_security_groups", "SecurityGroups[?VpcId=='{id}' && GroupName=='default'] | [0].GroupId"
            ),
            "DefaultNetworkAcl": described(
                "describe_network_acls", "NetworkAcls[?VpcId=='{id}' && IsDefault] | [0].NetworkAclId"
            ),
        },
    ),
    Provider(
        "AWS::EC2::Subnet",
        sends="VpcId CidrBlock AvailabilityZone AvailabilityZoneId",
        id="Subnet.SubnetId",
        settings=(_flag("MapPublicIpOnLaunch", "modify_subnet_attribute"),),
        attributes={
            "VpcId": "{VpcId}",
            "CidrBlock": "{CidrBlock}",
            "AvailabilityZone": described("describe_subnets", "Subnets[0].AvailabilityZone"),
        },
    ),
    Provider("AWS::EC2::RouteTable", sends="VpcId", id="RouteTable.RouteTableId"),
    Provider(
        "AWS::EC2::SubnetRouteTableAssociation",
        create_with="associate_route_table",
        sends="SubnetId RouteTableId",
        id="AssociationId",
    ),
    _Route(
        "AWS::EC2::Route",
        update_with="replace_route",
        sends=f"RouteTableId {' '.join(_DESTINATIONS)} GatewayId NatGatewayId "
        "NetworkInterfaceId InstanceId VpcPeeringConnectionId TransitGatewayId EgressOnlyInternetGatewayId",
        id="{RouteTableId}",
        handle=f"RouteTableId {' '.join(_DESTINATIONS)}",
        attributes={"CidrBlock": "{DestinationCidrBlock}"},
    ),
    Provider("AWS::EC2::InternetGateway", id="InternetGateway.InternetGatewayId"),
    Provider(
        "AWS::EC2::VPCGatewayAttachment",
        create_with="attach_internet_gateway",
        sends="VpcId InternetGatewayId",
        id="IGW|{VpcId}",
        handle="VpcId InternetGatewayId",
        attributes={"AttachmentType": "IGW"},
    ),
    Provider(
        "AWS::EC2::FlowLog",
        create_with="create_flow_logs",
        sends="ResourceId ResourceType TrafficType LogGroupName LogDestination LogDestinationType LogFormat "
        "DeliverLogsPermissionArn MaxAggregationInterval",
        id="FlowLogIds[0]",
        handle="FlowLogIds",
    ),
    Provider(
        "AWS::EC2::VPCEndpoint",
        delete_with="delete_vpc_endpoints",
        sends=f"VpcId ServiceName VpcEndpointType {_MODIFIABLE}",
        defaults={"PrivateDnsEnabled": False},
        id="VpcEndpoint.VpcEndpointId",
        settings=(Setting(frozenset(_MODIFIABLE.split()), _modify_endpoint),),
        attributes={
            "DnsEntries": described(
                "describe_vpc_endpoints", "VpcEndpoints[0].DnsEntries[].join(':', [HostedZoneId || '', DnsName])"
            ),
            "NetworkInterfaceIds": described("describe_vpc_endpoints", "VpcEndpoints[0].NetworkInterfaceIds"),
        },
    ),
    Provider(
        "AWS::EC2::SecurityGroup",
        sends="GroupName GroupDescription VpcId",
        rename={"GroupDescription": "Description"},
        id="GroupId",
        name="GroupName",
        within="VpcId",
        settings=(
            # A new group has this rule for egress, until it gets others.
            _inline_rules("egress", [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]),
            _inline_rules("ingress"),
        ),
        attributes={"GroupId": "{id}", "VpcId": "{VpcId}"},
    ),
    _rule("egress", "Destination"),
    _rule("ingress", "Source"),
)
