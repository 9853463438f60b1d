"""Every permission in a CloudFormation template: its policy statements and security group rules, one by one."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mistral7b.operate.permissions import listed

_OPEN = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
_DEFAULTS: dict[str, dict[str, Any]] = {  # AWS's own, where a template says nothing; a key's is narrower
    "AWS::EC2::VPCEndpoint": {"PolicyDocument": _OPEN},
    "AWS::KMS::Key": {"KeyPolicy": _OPEN},
    "AWS::EC2::SecurityGroup": {"SecurityGroupEgress": [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}]},
}
_MAKES_STATEMENTS = re.compile(r'"Statement\\?"')
_RULES = ("SecurityGroupIngress", "SecurityGroupEgress")
# Whom a policy is attached to: AWS::IAM::Policy and ManagedPolicy; AWS::IAM::RolePolicy and the like.
_HOLDERS = ("Roles", "Users", "Groups", "RoleName", "UserName", "GroupName")


@dataclass(frozen=True)
class Grant:
    """A statement, an attachment or a rule. Two that differ in anything but a Sid or a description are not equal."""

    key: str
    """Principal or resource, and the statement, as JSON."""
    text: str = field(compare=False)
    """The same for people."""
    denies: bool
    is_rule: bool
    """Whether it is a rule of a security group."""
    is_public: bool
    """Whether its principal is everyone (`*`)."""


def grants(template: Mapping[str, Any], pseudo: Mapping[str, str]) -> Iterator[Grant]:
    """All of a template, with the values of pseudo parameters such as `AWS::Region`."""
    resources: Mapping[str, Any] = template.get("Resources", {})
    names = {one: f"${{{_name(one, resource)}}}" for one, resource in resources.items()} | dict(pseudo)
    for section in ("Parameters", "Mappings", "Conditions"):  # which intrinsic functions lead to
        for name, value in template.get(section, {}).items():
            if name != "BootstrapVersion":  # the CDK's, in every stack
                yield _grant(section, {"Effect": "Allow", name: value}, "")
    for one, resource in resources.items():
        kind, own = resource["Type"], names[one]
        properties = _resolved(_DEFAULTS.get(kind, {}) | (resource.get("Properties") or {}), names)
        holders = [own]
        if kind in (f"AWS::EC2::{side}" for side in _RULES):
            holders, properties = [properties.get("GroupId", own)], {kind.removeprefix("AWS::EC2::"): [properties]}
        elif kind.startswith("AWS::IAM::") and kind.endswith("Policy"):
            holders = [who for key in _HOLDERS for who in listed(properties.get(key, []))] or [own]
        elif kind == "AWS::EC2::SecurityGroup":
            holders = [f"{own[:-1]}.GroupId}}"]
        for what in _grants_in(properties):
            yield from (_grant(holder, what, resource.get("Condition", "")) for holder in holders)


def _grants_in(value: Any) -> Iterator[dict[str, Any]]:
    """Statements, attachments and rules; where an intrinsic function or a text makes one, that as it is."""
    if isinstance(value, dict) and "Statement" in value:
        yield from map(_statement, listed(value["Statement"]))
    elif isinstance(value, dict) and not any(key.startswith("Fn::") for key in value):
        for key, one in value.items():
            if key in _RULES:
                yield from ({"Effect": "Allow", key: _without(rule, "GroupId", "Description")} for rule in listed(one))
            elif key == "ManagedPolicyArns":
                yield from ({"Effect": "Allow", "ManagedPolicy": arn} for arn in listed(one))
            elif key == "PermissionsBoundary":
                yield {"Effect": "Deny", "AllBut": one}
            else:
                yield from _grants_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _grants_in(one)
    elif _MAKES_STATEMENTS.search(json.dumps(value)):
        yield {"Effect": "Allow", "Computed": value}


def _statement(value: Any) -> dict[str, Any]:
    """A statement without its Sid, and with a sorted list in place of a single action or resource."""
    if not isinstance(value, dict) or value.get("Effect") not in ("Allow", "Deny"):
        return {"Effect": "Allow", "Computed": value}
    lists = ("Action", "NotAction", "Resource", "NotResource")
    return {k: sorted(listed(v), key=str) if k in lists else v for k, v in _without(value, "Sid").items()}


def _without(value: Any, *keys: str) -> Any:
    return {k: v for k, v in value.items() if k not in keys} if isinstance(value, dict) else value


def _grant(holder: Any, what: dict[str, Any], condition: str) -> Grant:
    principal = what.get("Principal", "*" if "NotPrincipal" in what else [])
    whom = principal.values() if isinstance(principal, dict) else [principal]
    return Grant(
        key=json.dumps([holder, what, condition], sort_keys=True),
        text=_text(str(holder), dict(what)) + (f" (if {condition} of the template)" if condition else ""),
        denies=what["Effect"] == "Deny",
        is_rule=any(side in what for side in _RULES),
        is_public=any("*" in listed(who) for who in whom),
    )


def _text(holder: str, what: dict[str, Any]) -> str:
    effect, action, who = what.pop("Effect"), what.pop("Action", None), what.pop("Principal", None)
    on, condition = _readable(what.pop("Resource", holder) if action else holder), what.pop("Condition", None)
    if who is not None:
        on = holder if on in ("*", holder) else f"{on} by {holder}"
    told = [*([f"{_readable(action)} on {on}"] if action else []), *([_readable(what)] if what else [])]
    return f"{effect} {_readable(who or holder)}: {', '.join(told)}{f' if {_readable(condition)}' if condition else ''}"


def _readable(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key} {_readable(one)}" for key, one in value.items())
    return ", ".join(map(_readable, value)) if isinstance(value, list) else str(value)


def _resolved(value: Any, names: Mapping[str, str]) -> Any:
    """The value with references as texts like `${Role.Arn}`, as the CDK shows them; other functions stay."""
    if isinstance(value, list):
        return [_resolved(one, names) for one in value]
    match value:
        case {"Ref": str(name)}:
            return names.get(name, f"${{{name}}}")
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{names.get(name, f'${{{name}}}')[:-1]}.{attribute}}}"
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(str(_resolved(part, names)) for part in parts)
        case dict():
            return {key: _resolved(one, names) for key, one in value.items()}
    return value


def _name(logical_id: str, resource: Mapping[str, Any]) -> str:
    """The construct's path below its stage or app."""
    path = str(resource.get("Metadata", {}).get("aws:cdk:path", logical_id))
    return path.partition("/")[2].replace("/Default/", "/").removesuffix("/Resource") or path
