"""KMS: keys and their aliases."""

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Provider, Resource, Setting, setting
from sagehost.cloudformation.values import as_text

_FIXED = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": False, "Origin": "AWS_KMS"}
"""What is decided when a key is created, with its defaults."""


def _switch(name: str, on: str, off: str, *, default: bool) -> Setting:
    """A boolean of which each value has its operation."""

    def apply(resource: Resource, new: Props, _: Props) -> None:
        resource.call_on(on if as_text(new.get(name, default)).lower() == "true" else off, new)

    return Setting(frozenset([name]), apply)


def _refuse(resource: Resource, new: Props, _: Props) -> None:
    """CloudFormation never replaces a key for these: what the old one had encrypted would be lost with it."""
    present = resource.call_on("describe_key", new)["KeyMetadata"]
    for name, default in _FIXED.items():
        if as_text(new.get(name, default)) != as_text(present[name]):
            raise ResourceFailure(f"You cannot change the {name} of an existing KMS key ({present[name]})")


PROVIDERS = (
    Provider(
        "AWS::KMS::Key",
        delete_with="schedule_key_deletion",
        sends="KeySpec KeyUsage MultiRegion Origin Description",
        delete_sends="PendingWindowInDays",
        defaults=_FIXED,  # moto gives KeyUsage no default
        id="KeyMetadata.KeyId",
        settings=(
            setting("KeyPolicy", "put_key_policy", parameter="Policy", PolicyName="default"),
            _switch("EnableKeyRotation", "enable_key_rotation", "disable_key_rotation", default=False),
            setting("Description", "update_key_description", default=""),
            _switch("Enabled", "enable_key", "disable_key", default=True),
            Setting(frozenset(_FIXED), _refuse),
        ),
        attributes={"Arn": "arn:{partition}:kms:{region}:{account}:key/{id}"},
    ),
    Provider("AWS::KMS::Alias", update_with="update_alias", sends="AliasName TargetKeyId", name="AliasName"),
)
