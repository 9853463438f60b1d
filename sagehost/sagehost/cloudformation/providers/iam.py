"""IAM: roles and policies."""

from sagehost.cloudformation.providers.provider import Props, Provider, Resource


def update_role(resource: Resource, new: Props, _: Props) -> None:
    """Sets what IAM sets together."""
    description, duration = new.get("Description", ""), new.get("MaxSessionDuration", 3600)
    resource.call_on("update_role", new, Description=description, MaxSessionDuration=duration)


def new_version(resource: Resource, new: Props, _: Props) -> None:
    """Makes the document the policy's default version."""
    versions = resource.call_on("list_policy_versions", new)["Versions"]
    spare = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
    if len(versions) >= 5:  # as many as IAM keeps
        resource.call_on("delete_policy_version", new, VersionId=spare[0]["VersionId"])
    resource.call_on("create_policy_version", new, PolicyDocument=new["PolicyDocument"], SetAsDefault=True)


class ManagedPolicy(Provider):
    """A policy of the customer's."""

    def delete(self, resource: Resource, properties: Props) -> None:
        """IAM deletes a policy only without its older versions."""
        for version in resource.call_on("list_policy_versions", properties)["Versions"]:
            if not version["IsDefaultVersion"]:
                resource.call_on("delete_policy_version", properties, VersionId=version["VersionId"])
        super().delete(resource, properties)
