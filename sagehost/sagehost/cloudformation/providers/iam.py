"""IAM: roles and policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Absent, Apply, Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import answer, api, by, itself, names, setting, tags
from sagehost.cloudformation.values import Json

_PRINCIPALS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))


def _document(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _members(properties: Props, name: str) -> list[str]:
    return list(properties.get(name) or [])


def _inline_policies(context: Context, role: str, new: Props, old: Props) -> None:
    wanted, present = (
        {policy["PolicyName"]: policy["PolicyDocument"] for policy in _members(side, "Policies")}  # type: ignore[index]
        for side in (new, old)
    )
    for name in present.keys() - wanted.keys():
        context.call("iam", "delete_role_policy", {"RoleName": role, "PolicyName": name})
    for name, document in wanted.items():
        if present.get(name) != document:
            context.call(
                "iam",
                "put_role_policy",
                {"RoleName": role, "PolicyName": name, "PolicyDocument": _document(document)},
            )


def _attached_policies(context: Context, role: str, new: Props, old: Props) -> None:
    wanted, present = (_members(side, "ManagedPolicyArns") for side in (new, old))
    for arn in present:
        if arn not in wanted:
            context.call("iam", "detach_role_policy", {"RoleName": role, "PolicyArn": arn})
    for arn in wanted:
        if arn not in present:
            context.call("iam", "attach_role_policy", {"RoleName": role, "PolicyArn": arn})


def _delete_role(context: Context, role: str, properties: Props) -> None:
    _attached_policies(context, role, {}, properties)
    _inline_policies(context, role, {}, properties)
    context.call("iam", "delete_role", {"RoleName": role})


def _role_attribute(name: str) -> Callable[[Context, str, Props], Json]:
    return lambda context, role, _: context.call("iam", "get_role", {"RoleName": role})["Role"][name]


_ROLE = api(
    "iam",
    create="create_role",
    delete="delete_role",
    sends="RoleName Path AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary",
    name="RoleName",
    longest_name=64,
    identify=answer("Role.RoleName"),
    handle=by("RoleName"),
    facets=(
        setting(
            "iam",
            "AssumeRolePolicyDocument",
            lambda iam, role, new: iam.update_assume_role_policy(
                RoleName=role, PolicyDocument=_document(new["AssumeRolePolicyDocument"])
            ),
        ),
        Facet(
            names("Description MaxSessionDuration"),
            lambda context, role, new, _: context.call(
                "iam",
                "update_role",
                {
                    "RoleName": role,
                    "Description": new.get("Description", ""),
                    "MaxSessionDuration": new.get("MaxSessionDuration", 3600),
                },
            ),
        ),
        setting(
            "iam",
            "PermissionsBoundary",
            lambda iam, role, new: iam.put_role_permissions_boundary(
                RoleName=role, PermissionsBoundary=new["PermissionsBoundary"]
            ),
            lambda iam, role: iam.delete_role_permissions_boundary(RoleName=role),
        ),
        Facet(names("Policies"), _inline_policies),
        Facet(names("ManagedPolicyArns"), _attached_policies),
        tags("iam", lambda _, role: {"RoleName": role}, put="tag_role", remove="untag_role"),
    ),
    attributes={"Arn": _role_attribute("Arn"), "RoleId": _role_attribute("RoleId")},
)
ROLE = replace(_ROLE, delete=_delete_role)


def _put_policy(context: Context, name: str, new: Props, old: Props) -> None:
    """Puts an inline policy on its principals, and takes it off those that are no longer named."""
    for listed, kind, key in _PRINCIPALS:
        for principal in _members(old, listed):
            if principal not in _members(new, listed):
                _take_off(context, kind, {key: principal, "PolicyName": name})
        for principal in _members(new, listed):
            context.call(
                "iam",
                f"put_{kind}_policy",
                {key: principal, "PolicyName": name, "PolicyDocument": _document(new["PolicyDocument"])},
            )


def _take_off(context: Context, kind: str, parameters: Props) -> None:
    try:
        context.call("iam", f"delete_{kind}_policy", parameters)
    except Absent:  # the principal has gone, and its inline policies with it
        return


POLICY = Provider(
    create=lambda _, properties: str(properties["PolicyName"]),
    delete=lambda context, name, properties: _put_policy(context, name, {}, properties),
    sends=names("PolicyName"),
    facets=(Facet(names("PolicyDocument Roles Users Groups"), _put_policy),),
    name="PolicyName",
    attributes={"Id": itself},
)


def _add_policy(context: Context, properties: Props) -> str:
    physical_id = f"{properties['PolicyName']}|{properties['RoleName']}"
    try:
        context.call("iam", "get_role_policy", {key: properties[key] for key in ("RoleName", "PolicyName")})
    except Absent:
        return physical_id
    raise ResourceFailure(
        f"Resource of type 'AWS::IAM::RolePolicy' with identifier '{physical_id}' already exists. "
        "(HandlerErrorCode: AlreadyExists)"
    )


def _with_role(properties: Props) -> Props:
    return {**properties, "Roles": [properties["RoleName"]]} if properties else {}


ROLE_POLICY = Provider(
    create=_add_policy,
    delete=lambda context, _, properties: _put_policy(context, properties["PolicyName"], {}, _with_role(properties)),
    sends=names("PolicyName RoleName"),
    facets=(
        Facet(
            names("PolicyDocument"),
            lambda context, _, new, old: _put_policy(context, new["PolicyName"], _with_role(new), _with_role(old)),
        ),
    ),
    name="PolicyName",
    within=names("RoleName"),
)


def _attachments() -> Apply:
    def apply(context: Context, arn: str, new: Props, old: Props) -> None:
        for listed, kind, key in _PRINCIPALS:
            for principal in _members(old, listed):
                if principal not in _members(new, listed):
                    context.call("iam", f"detach_{kind}_policy", {key: principal, "PolicyArn": arn})
            for principal in _members(new, listed):
                if principal not in _members(old, listed):
                    context.call("iam", f"attach_{kind}_policy", {key: principal, "PolicyArn": arn})

    return apply


def _new_version(context: Context, arn: str, new: Props, old: Props) -> None:
    if not old:
        return
    versions = context.call("iam", "list_policy_versions", {"PolicyArn": arn})["Versions"]
    spare = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
    if len(versions) >= 5:  # as many as IAM keeps
        context.call("iam", "delete_policy_version", {"PolicyArn": arn, "VersionId": spare[0]["VersionId"]})
    context.call(
        "iam",
        "create_policy_version",
        {"PolicyArn": arn, "PolicyDocument": _document(new["PolicyDocument"]), "SetAsDefault": True},
    )


def _delete_managed_policy(context: Context, arn: str, properties: Props) -> None:
    _attachments()(context, arn, {}, properties)
    for version in context.call("iam", "list_policy_versions", {"PolicyArn": arn})["Versions"]:
        if not version["IsDefaultVersion"]:
            context.call("iam", "delete_policy_version", {"PolicyArn": arn, "VersionId": version["VersionId"]})
    context.call("iam", "delete_policy", {"PolicyArn": arn})


_MANAGED_POLICY = api(
    "iam",
    create="create_policy",
    delete="delete_policy",
    sends="ManagedPolicyName Path Description PolicyDocument",
    rename={"ManagedPolicyName": "PolicyName"},
    name="ManagedPolicyName",
    longest_name=128,
    identify=answer("Policy.Arn"),
    handle=by("PolicyArn"),
    facets=(
        Facet(names("PolicyDocument"), _new_version),
        Facet(names("Roles Users Groups"), _attachments()),
    ),
    attributes={"PolicyArn": itself},
)
MANAGED_POLICY = replace(_MANAGED_POLICY, delete=_delete_managed_policy)

OIDC_PROVIDER = api(
    "iam",
    create="create_open_id_connect_provider",
    delete="delete_open_id_connect_provider",
    sends="Url ClientIdList ThumbprintList",
    rename={"ClientIdList": "ClientIDList"},
    identify=answer("OpenIDConnectProviderArn"),
    handle=by("OpenIDConnectProviderArn"),
    facets=(
        setting(
            "iam",
            "ThumbprintList",
            lambda iam, arn, new: iam.update_open_id_connect_provider_thumbprint(
                OpenIDConnectProviderArn=arn, ThumbprintList=new["ThumbprintList"]
            ),
        ),
        tags(
            "iam",
            lambda _, arn: {"OpenIDConnectProviderArn": arn},
            put="tag_open_id_connect_provider",
            remove="untag_open_id_connect_provider",
        ),
    ),
    attributes={"Arn": itself},
)

PROVIDERS: Mapping[str, Provider] = {
    "AWS::IAM::ManagedPolicy": MANAGED_POLICY,
    "AWS::IAM::OIDCProvider": OIDC_PROVIDER,
    "AWS::IAM::Policy": POLICY,
    "AWS::IAM::Role": ROLE,
    "AWS::IAM::RolePolicy": ROLE_POLICY,
}
