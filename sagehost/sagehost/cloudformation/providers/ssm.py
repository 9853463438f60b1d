"""Systems Manager: parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sagehost.cloudformation.providers.base import Context, Props, Provider
from sagehost.cloudformation.providers.calls import api, by, itself, own, parameter, tags

_PARAMETER = api(
    "ssm",
    create="put_parameter",
    delete="delete_parameter",
    sends="Name Type Value Description AllowedPattern Tier DataType Policies",
    name="Name",
    longest_name=1011,
    identify=parameter("Name"),
    handle=by("Name"),
    facets=(
        tags(
            "ssm",
            lambda _, name: {"ResourceType": "Parameter", "ResourceId": name},
            put="add_tags_to_resource",
            remove="remove_tags_from_resource",
        ),
    ),
    attributes={
        "Arn": lambda context, name, _: context.arn("ssm", f"parameter/{name.lstrip('/')}"),
        "Name": itself,
        "Type": own("Type"),
        "Value": own("Value"),
    },
)


def _overwrite(context: Context, name: str, properties: Props) -> None:
    sent = {key: value for key, value in properties.items() if key in _PARAMETER.sends}
    context.call("ssm", "put_parameter", {"Description": "", **sent, "Name": name, "Overwrite": True})


PARAMETER = replace(_PARAMETER, update=_overwrite)

PROVIDERS: Mapping[str, Provider] = {"AWS::SSM::Parameter": PARAMETER}
