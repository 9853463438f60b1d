"""EC2: networks, the endpoints of services in them, and security groups."""

from collections.abc import Mapping

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Provider, Resource, changes
from sagehost.cloudformation.values import Json

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


class Route(Provider):
    """A route."""

    def create(self, resource: Resource, properties: Props) -> str:
        """The id is table and destination, of which there are three kinds."""
        table = super().create(resource, properties)
        return "|".join([table, *(properties[key] for key in _DESTINATIONS if key in properties)])


def modify_endpoint(resource: Resource, new: Props, old: Props) -> None:
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


_RULE_TARGETS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def permission(rule: Mapping[str, Json]) -> Props:
    """The properties of one rule hold what the API splits into ranges, groups and prefix lists."""
    if unknown := sorted(set(rule) - {*_RULE_TARGETS, "IpProtocol", "FromPort", "ToPort", "Description", "GroupId"}):
        raise ResourceFailure(f"Property {unknown[0]} of a rule of AWS::EC2::SecurityGroup is not emulated")
    made = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    text = {"Description": rule["Description"]} if "Description" in rule else {}
    targets = {group: [{member: rule[key], **text}] for key, (group, member) in _RULE_TARGETS.items() if key in rule}
    return {"IpPermissions": [made | targets]}


class Rule(Provider):
    """A rule apart from its group. Its target, protocol and ports cannot change, so the API needs no rule id."""

    def parameters(self, _: Resource, properties: Props) -> dict[str, Json]:
        """The parameters of both calls."""
        return {"GroupId": properties["GroupId"], **permission(properties)}

    def delete(self, resource: Resource, properties: Props) -> None:
        """The rule is named by what it says."""
        resource.call(self.delete_with, **self.parameters(resource, properties))


def describe_rule(resource: Resource, new: Props, old: Props) -> None:
    """moto cannot change the description of a rule about a group or a prefix list: the rule is made anew."""
    resource.provider.remove(resource, old)
    resource.provider.create(resource, new)
