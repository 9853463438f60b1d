"""IAM: roles and policies."""

from __future__ import annotations

from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    ResourceNotFound,
    Setting,
    already_exists,
    changes,
    described,
    items,
    setting,
)

_PRINCIPALS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))


def _update_role(resource: Resource, new: Props, _: Props) -> None:
    description, duration = new.get("Description", ""), new.get("MaxSessionDuration", 3600)
    resource.call_on("update_role", new, Description=description, MaxSessionDuration=duration)


def _put_policy(resource: Resource, new: Props, old: Props) -> None:
    """Puts an inline policy on its principals, and removes it from those that are no longer named."""
    for principals, kind, key in _PRINCIPALS:
        for name in changes(principals, new, old)[0]:
            try:
                resource.call(f"delete_{kind}_policy", PolicyName=old["PolicyName"], **{key: name})
            except ResourceNotFound:  # the principal has gone, and its inline policies with it
                continue
        for name in new.get(principals) or []:
            policy = {"PolicyName": new["PolicyName"], "PolicyDocument": new["PolicyDocument"]}
            resource.call(f"put_{kind}_policy", **policy, **{key: name})


class _Policy(Provider):
    """An inline policy apart from its principals."""

    def create(self, _: Resource, properties: Props) -> str:
        """The setting puts it."""
        return str(properties["PolicyName"])

    def delete(self, resource: Resource, properties: Props) -> None:
        """Removes it from every principal."""
        _put_policy(resource, {}, properties)


class _RolePolicy(Provider):
    """The same for one role."""

    def create(self, resource: Resource, properties: Props) -> str:
        """PutRolePolicy would overwrite a policy of this name."""
        physical_id = f"{properties['PolicyName']}|{properties['RoleName']}"
        try:
            resource.call("get_role_policy", RoleName=properties["RoleName"], PolicyName=properties["PolicyName"])
        except ResourceNotFound:
            return physical_id
        raise already_exists(self.type, physical_id)

    def delete(self, resource: Resource, properties: Props) -> None:
        """Removes it from the role."""
        _put_policy(resource, {}, _with_role(properties))


def _with_role(properties: Props) -> Props:
    return {**properties, "Roles": [properties["RoleName"]]} if properties else {}


def _new_version(resource: Resource, new: Props, old: Props) -> None:
    if not old:
        return
    versions = resource.call_on("list_policy_versions", new)["Versions"]
    spare = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
    if len(versions) >= 5:  # as many as IAM keeps
        resource.call_on("delete_policy_version", new, VersionId=spare[0]["VersionId"])
    resource.call_on("create_policy_version", new, PolicyDocument=new["PolicyDocument"], SetAsDefault=True)


class _ManagedPolicy(Provider):
    def delete(self, resource: Resource, properties: Props) -> None:
        """IAM deletes a policy only without its older versions."""
        for version in resource.call_on("list_policy_versions", properties)["Versions"]:
            if not version["IsDefaultVersion"]:
                resource.call_on("delete_policy_version", properties, VersionId=version["VersionId"])
        super().delete(resource, properties)


def _attached_to(principals: str, kind: str, key: str) -> Setting:
    return items(
        principals,
        add=f"attach_{kind}_policy",
        remove=f"detach_{kind}_policy",
        parameters=lambda name: {key: name},
        removed_first=True,
    )


PROVIDERS = (
    Provider(
        "AWS::IAM::Role",
        sends="RoleName Path AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary",
        name="RoleName",
        settings=(
            setting("AssumeRolePolicyDocument", "update_assume_role_policy", parameter="PolicyDocument"),
            Setting(frozenset(["Description", "MaxSessionDuration"]), _update_role),
            setting(
                "PermissionsBoundary",
                "put_role_permissions_boundary",
                remove="delete_role_permissions_boundary",
            ),
            items(
                "Policies",
                add="put_role_policy",
                remove="delete_role_policy",
                parameters=lambda policy: policy,
                removing=lambda policy: {"PolicyName": policy["PolicyName"]},
                removed_first=True,
            ),
            items(
                "ManagedPolicyArns",
                add="attach_role_policy",
                remove="detach_role_policy",
                parameters=lambda arn: {"PolicyArn": arn},
                removed_first=True,
            ),
        ),
        attributes={"Arn": described("get_role", "Role.Arn"), "RoleId": described("get_role", "Role.RoleId")},
    ),
    _Policy(
        "AWS::IAM::Policy",
        sends="PolicyName",
        name="PolicyName",
        settings=(Setting(frozenset(["PolicyDocument", "Roles", "Users", "Groups"]), _put_policy),),
    ),
    _RolePolicy(
        "AWS::IAM::RolePolicy",
        sends="PolicyName RoleName",
        name="PolicyName",
        within="RoleName",
        settings=(
            Setting(
                frozenset(["PolicyDocument"]),
                lambda resource, new, old: _put_policy(resource, _with_role(new), _with_role(old)),
            ),
        ),
    ),
    _ManagedPolicy(
        "AWS::IAM::ManagedPolicy",
        create_with="create_policy",
        delete_with="delete_policy",
        sends="ManagedPolicyName Path Description PolicyDocument",
        rename={"ManagedPolicyName": "PolicyName"},
        id="Policy.Arn",
        handle="PolicyArn",
        name="ManagedPolicyName",
        settings=(
            Setting(frozenset(["PolicyDocument"]), _new_version),
            *(_attached_to(*principals) for principals in _PRINCIPALS),
        ),
    ),
    Provider(
        "AWS::IAM::OIDCProvider",
        create_with="create_open_id_connect_provider",
        delete_with="delete_open_id_connect_provider",
        sends="Url ClientIdList ThumbprintList",
        id="OpenIDConnectProviderArn",
        settings=(setting("ThumbprintList", "update_open_id_connect_provider_thumbprint"),),
    ),
)
