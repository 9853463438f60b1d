"""KMS: keys."""

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Resource
from sagehost.cloudformation.values import as_text


def refuse(resource: Resource, new: Props, _: Props) -> None:
    """CloudFormation never replaces a key for these: what the old one had encrypted would be lost with it."""
    present = resource.call_on("describe_key", new)["KeyMetadata"]
    for name, default in resource.provider.defaults.items():
        if as_text(new.get(name, default)) != as_text(present[name]):
            raise ResourceFailure(f"You cannot change the {name} of an existing KMS key ({present[name]})")
