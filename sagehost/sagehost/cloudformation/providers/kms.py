"""KMS: keys."""

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Resource
from sagehost.cloudformation.values import Json, as_text


def apply_rotation(resource: Resource, new: Props, _: Props) -> None:
    """Turns the rotation on or off."""
    _call(resource, new, new.get("EnableKeyRotation", False), "enable_key_rotation", "disable_key_rotation")


def apply_enabled(resource: Resource, new: Props, _: Props) -> None:
    """Enables or disables the key."""
    _call(resource, new, new.get("Enabled", True), "enable_key", "disable_key")


def _call(resource: Resource, new: Props, value: Json, on: str, off: str) -> None:
    resource.call_on(on if as_text(value).lower() == "true" else off, new)


def refuse(resource: Resource, new: Props, _: Props) -> None:
    """CloudFormation never replaces a key for these: what the old one had encrypted would be lost with it."""
    present = resource.call_on("describe_key", new)["KeyMetadata"]
    for name, default in resource.provider.defaults.items():
        if as_text(new.get(name, default)) != as_text(present[name]):
            raise ResourceFailure(f"You cannot change the {name} of an existing KMS key ({present[name]})")
