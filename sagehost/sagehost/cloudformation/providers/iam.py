"""IAM: roles and policies."""

from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    Setting,
    SettingsOnly,
    described,
    items,
    setting,
)

_PRINCIPALS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))


def _update_role(resource: Resource, new: Props, _: Props) -> None:
    description, duration = new.get("Description", ""), new.get("MaxSessionDuration", 3600)
    resource.call_on("update_role", new, Description=description, MaxSessionDuration=duration)


def _new_version(resource: Resource, new: Props, _: Props) -> None:
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


PROVIDERS = (
    Provider(
        "AWS::IAM::Role",
        find_with="get_role",
        sends="RoleName Path AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary",
        name="RoleName",
        settings=(
            setting("AssumeRolePolicyDocument", "update_assume_role_policy", parameter="PolicyDocument"),
            Setting(frozenset(["Description", "MaxSessionDuration"]), _update_role),
            setting(
                "PermissionsBoundary",
                "put_role_permissions_boundary",
            ),
            items(
                "Policies",
                add="put_role_policy",
                parameters=lambda policy: policy,
                removing=lambda policy: {"PolicyName": policy["PolicyName"]},
                removed_first=True,
            ),
            items(
                "ManagedPolicyArns",
                add="attach_role_policy",
                parameters="PolicyArn",
                removed_first=True,
            ),
        ),
        attributes={"Arn": described("get_role", "Role.Arn"), "RoleId": described("get_role", "Role.RoleId")},
    ),
    SettingsOnly(
        "AWS::IAM::Policy",
        sends="PolicyName",
        name="PolicyName",
        settings=tuple(
            items(
                principals,
                add=f"put_{kind}_policy",
                parameters=key,
                along="PolicyDocument",
            )
            for principals, kind, key in _PRINCIPALS
        ),
    ),
    Provider(
        "AWS::IAM::RolePolicy",
        put_with="put_role_policy",
        find_with="get_role_policy",
        sends="PolicyName RoleName PolicyDocument",
        id="{PolicyName}|{RoleName}",
        handle="PolicyName RoleName",
        name="PolicyName",
        within="RoleName",
    ),
    _ManagedPolicy(
        "AWS::IAM::ManagedPolicy",
        create_with="create_policy",
        sends="ManagedPolicyName Path Description PolicyDocument",
        rename={"ManagedPolicyName": "PolicyName"},
        id="Policy.Arn",
        handle="PolicyArn",
        name="ManagedPolicyName",
        settings=(
            Setting(frozenset(["PolicyDocument"]), _new_version),
            *(
                items(
                    principals,
                    add=f"attach_{kind}_policy",
                    parameters=key,
                    removed_first=True,
                )
                for principals, kind, key in _PRINCIPALS
            ),
        ),
    ),
    Provider(
        "AWS::IAM::OIDCProvider",
        create_with="create_open_id_connect_provider",
        sends="Url ClientIdList ThumbprintList",
        id="OpenIDConnectProviderArn",
        settings=(setting("ThumbprintList", "update_open_id_connect_provider_thumbprint"),),
    ),
)
