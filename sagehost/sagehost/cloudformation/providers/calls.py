"""Providers as a table of API calls: two to five lines a type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Attribute, Context, Facet, Props, Provider
from sagehost.cloudformation.values import Json

Handle = Callable[[str, Props], dict[str, Json]]
"""Physical id and properties -> the parameters with which the API names an existing resource."""

Identify = Callable[[Json, Props], str]
"""Response and parameters of the creating call -> physical id."""

Adapt = Callable[[Context, dict[str, Json]], dict[str, Json]]
"""Reshapes the parameters of a call where they differ from the properties."""


def answer(path: str) -> Identify:
    """The physical id is this part of the response, as in `"Vpc.VpcId"` or `"FlowLogIds.0"`."""

    def identify(response: Json, _: Props) -> str:
        for key in path.split("."):
            response = response[int(key)] if key.isdecimal() else response[key]
        return str(response)

    return identify


def parameter(name: str) -> Identify:
    """The physical id is this parameter, usually the name."""
    return lambda _, parameters: str(parameters[name])


def by(name: str) -> Handle:
    """The API names the resource by its physical id, in this parameter."""
    return lambda physical_id, _: {name: physical_id}


def own(name: str, default: Json = None) -> Attribute:
    """The attribute is the property of that name."""
    return lambda _, __, properties: properties.get(name, default)


def itself(_: Context, physical_id: str, __: Props) -> Json:
    """The attribute is the physical id."""
    return physical_id


def last_part(_: Context, physical_id: str, __: Props) -> Json:
    """The attribute is the name at the end of the ARN that is the physical id."""
    return physical_id.rsplit("/", 1)[-1]


def arn(service: str, prefix: str) -> Attribute:
    """The attribute is the ARN of the resource that the physical id names."""
    return lambda context, physical_id, _: context.arn(service, f"{prefix}{physical_id}")


def names(text: str) -> frozenset[str]:
    """`"A B C"` -> a set of three."""
    return frozenset(text.split())


def api(
    service: str,
    *,
    create: str,
    delete: str,
    sends: str,
    identify: Identify,
    handle: Handle,
    delete_handle: Handle | None = None,
    name: str | None = None,
    within: str = "",
    longest_name: int = 63,
    lower_name: bool = False,
    rename: Mapping[str, str] | None = None,
    adapt: Adapt | None = None,
    update: str | None = None,
    facets: Sequence[Facet] = (),
    attributes: Mapping[str, Attribute] | None = None,
    ready: Callable[[Context, str], None] | None = None,
    system_tags: bool = False,
) -> Provider:
    """A provider of one creating, one deleting and, where a change needs it, one updating call.

    Args:
        service: botocore's name of the service.
        create: operation that creates, given the properties in `sends`.
        delete: operation that deletes, given `handle`.
        sends: properties that the creating call carries, separated by spaces.
        identify: how to find the physical id.
        handle: how the API names an existing resource.
        delete_handle: the same for `delete`, where that differs.
        name: property that names the resource; made up when absent.
        within: properties that name what the name is unique in.
        longest_name: the longest name the service allows.
        lower_name: whether a made-up name must be in lower case.
        rename: property -> parameter, where they differ by more than case.
        adapt: further changes to the parameters.
        update: operation that takes the parameters of `create` plus `handle`. None: a change replaces the resource.
        facets: properties with calls of their own.
        attributes: values for Fn::GetAtt.
        ready: waits until the resource is in service.
        system_tags: whether the service takes `aws:cloudformation:` tags.
    """
    sent, renamed = names(sends), rename or {}

    def parameters(context: Context, properties: Props) -> dict[str, Json]:
        shaped = {renamed.get(key, key): value for key, value in properties.items() if key in sent}
        if name:
            key = renamed.get(name, name)
            shaped[key] = shaped.get(key) or context.made_up_name(longest_name, lower=lower_name)
        return adapt(context, shaped) if adapt else shaped

    def created(context: Context, properties: Props) -> str:
        shaped = parameters(context, properties)
        return identify(context.call(service, create, shaped), shaped)

    def updated(context: Context, physical_id: str, properties: Props) -> None:
        existing = handle(physical_id, properties)
        context.call(service, str(update), {**parameters(context, properties), **existing})

    def deleted(context: Context, physical_id: str, properties: Props) -> None:
        context.call(service, delete, (delete_handle or handle)(physical_id, properties))

    return Provider(
        create=created,
        delete=deleted,
        sends=sent,
        facets=facets,
        update=updated if update else None,
        ready=ready,
        name=name,
        within=names(within),
        attributes=attributes or {},
        system_tags=system_tags,
    )


def setting(
    service: str,
    properties: str,
    put: Callable[[Any, str, Props], object],
    remove: Callable[[Any, str], object] | None = None,
) -> Facet:
    """Properties that one call sets and another call unsets.

    Args:
        service: botocore's name of the service.
        properties: the properties, separated by spaces; the setting is present when the first of them is.
        put: `put(client, physical_id, properties)`.
        remove: `remove(client, physical_id)`; None where the API has no way back to the default.
    """
    first = properties.split(maxsplit=1)[0]

    def apply(context: Context, physical_id: str, new: Props, _: Props) -> None:
        client = _Caller(context, service)
        if first in new:
            put(client, physical_id, new)
        elif remove:
            remove(client, physical_id)
        else:
            raise ResourceFailure(f"Property {first} of {context.resource_type} cannot be removed once set")

    return Facet(names(properties), apply)


class _Caller:
    """`caller.operation(**parameters)`: a client whose parameters and errors are brought to CloudFormation's."""

    def __init__(self, context: Context, service: str) -> None:
        self._context = context
        self._service = service

    def __getattr__(self, operation: str) -> Callable[..., Json]:
        return lambda **parameters: self._context.call(self._service, operation, parameters)


def tags(
    service: str,
    handle: Callable[[Context, str], dict[str, Json]],
    *,
    put: str = "tag_resource",
    remove: str = "untag_resource",
    put_key: str = "Tags",
    remove_key: str = "TagKeys",
    mapping: bool = False,
    pair: tuple[str, str] = ("Key", "Value"),
    property_name: str = "Tags",
) -> Facet:
    """The tags of a resource, by the service's calls to add and to remove some.

    Args:
        service: botocore's name of the service.
        handle: context and physical id -> the parameters that name the resource.
        put: operation that adds tags, in the parameter `put_key`.
        remove: operation that removes tags, whose keys are in the parameter `remove_key`.
        put_key: see `put`.
        remove_key: see `remove`.
        mapping: the API takes a mapping rather than a list of pairs.
        pair: names of the two members of a pair.
        property_name: the property with the tags.
    """

    def apply(context: Context, physical_id: str, new: Props, old: Props) -> None:
        wanted, present = as_mapping(new.get(property_name)), as_mapping(old.get(property_name))
        named = handle(context, physical_id)
        if gone := sorted(set(present) - set(wanted)):
            keys = gone if remove_key != "Tags" else [{pair[0]: key} for key in gone]
            context.call(service, remove, {**named, remove_key: keys})
        if added := {key: value for key, value in wanted.items() if present.get(key) != value}:
            pairs = [{pair[0]: key, pair[1]: value} for key, value in added.items()]
            context.call(service, put, {**named, put_key: added if mapping else pairs})

    return Facet(frozenset({property_name}), apply)


def as_mapping(value: Json) -> dict[str, str]:
    """Tags in either form of the schemas as a mapping."""
    if isinstance(value, list):
        return {str(tag["Key"]): str(tag["Value"]) for tag in value}
    return {str(key): str(item) for key, item in (value or {}).items()}
