"""KMS: keys and their aliases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import answer, api, arn, by, itself, names, parameter, setting, tags
from sagehost.cloudformation.values import Json, as_text


def _policy(kms: Any, key: str, new: Props) -> None:
    document = new["KeyPolicy"]
    kms.put_key_policy(
        KeyId=key, PolicyName="default", Policy=document if isinstance(document, str) else json.dumps(document)
    )


def _true(value: Json, default: bool) -> bool:
    return default if value is None else str(value).lower() == "true"


def _rotation(context: Context, key: str, new: Props, _: Props) -> None:
    operation = "enable_key_rotation" if _true(new.get("EnableKeyRotation"), default=False) else "disable_key_rotation"
    context.call("kms", operation, {"KeyId": key})


def _enabled(context: Context, key: str, new: Props, _: Props) -> None:
    operation = "enable_key" if _true(new.get("Enabled"), default=True) else "disable_key"
    context.call("kms", operation, {"KeyId": key})


def _schedule(key: str, properties: Props) -> dict[str, Json]:
    return {"KeyId": key, "PendingWindowInDays": properties.get("PendingWindowInDays", 30)}


_FIXED = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": False, "Origin": "AWS_KMS"}
"""What is decided when a key is created, with its defaults."""


def _refuse(context: Context, key: str, new: Props, _: Props) -> None:
    """CloudFormation never replaces a key for these: what the old one had encrypted would be lost with it."""
    present = context.call("kms", "describe_key", {"KeyId": key})["KeyMetadata"]
    for name, default in _FIXED.items():
        if as_text(new.get(name, default)) != as_text(present[name]):
            raise ResourceFailure(f"You cannot change the {name} of an existing KMS key ({present[name]})")


def _nothing(*_: object) -> None:
    """PendingWindowInDays counts only once the key is deleted."""


KEY = api(
    "kms",
    create="create_key",
    delete="schedule_key_deletion",
    sends="KeySpec KeyUsage MultiRegion Origin Description",
    adapt=lambda _, parameters: {**_FIXED, **parameters},  # moto gives KeyUsage no default
    identify=answer("KeyMetadata.KeyId"),
    handle=_schedule,
    facets=(
        setting("kms", "KeyPolicy", _policy),
        Facet(names("EnableKeyRotation"), _rotation),
        setting(
            "kms",
            "Description",
            lambda kms, key, new: kms.update_key_description(KeyId=key, Description=new["Description"]),
            lambda kms, key: kms.update_key_description(KeyId=key, Description=""),
        ),
        Facet(names("Enabled"), _enabled),
        Facet(names("PendingWindowInDays"), _nothing),
        Facet(frozenset(_FIXED), _refuse),
        tags("kms", lambda _, key: {"KeyId": key}, pair=("TagKey", "TagValue")),
    ),
    attributes={"Arn": arn("kms", "key/"), "KeyId": itself},
)

ALIAS = api(
    "kms",
    create="create_alias",
    update="update_alias",
    delete="delete_alias",
    sends="AliasName TargetKeyId",
    name="AliasName",
    identify=parameter("AliasName"),
    handle=by("AliasName"),
)

PROVIDERS: Mapping[str, Provider] = {"AWS::KMS::Alias": ALIAS, "AWS::KMS::Key": KEY}
