"""EC2: security groups and their rules.

The properties of one rule hold what the API splits into ranges, groups and prefix lists.
"""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Apply, Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import answer, api, by, itself, names, own
from sagehost.cloudformation.providers.ec2 import TAGS
from sagehost.cloudformation.values import Json

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
    within="VpcId",
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


PROVIDERS: Mapping[str, Provider] = {
    "AWS::EC2::SecurityGroup": SECURITY_GROUP,
    "AWS::EC2::SecurityGroupEgress": _rule("egress", "Destination"),
    "AWS::EC2::SecurityGroupIngress": _rule("ingress", "Source"),
}
