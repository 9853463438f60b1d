"""Requests that a service's model forbids, each made from one that it allows by changing a single argument."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.utils import get_service_model

from tests.unit.sagehost.validation.requests import protocol_of, serialized

Mutation = tuple[str, Any]
MOST_CHARACTERS, MOST_ITEMS = 20_000, 300
"""Longer values than these are not made: they take the time of a thousand others."""


def mutations(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """Kind of mutation, the request, and its body."""
    shape = get_service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    for kind, mutated in of_value(shape, given):
        try:
            request = serialized(service, operation, mutated)
        except (ValueError, TypeError, AttributeError, KeyError):  # no SDK could send this one
            continue
        yield kind, request, _bytes(request["body"])
    request = serialized(service, operation, given)
    for kind, body in of_body(service, shape, request):
        yield kind, request, body
    if protocol_of(service).startswith("rest"):
        url = f"{request['url']}{'&' if '?' in request['url'] else '?'}NoSuchParameter=x"
        yield "unknown member", {**request, "url": url}, _bytes(request["body"])


def of_value(shape: Shape, value: Any) -> Iterator[Mutation]:
    """What the constraints of a shape forbid, in place of a value that they allow."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(shape, StructureShape):
        yield from of_structure(shape, value)
    elif isinstance(shape, ListShape):
        if low and value:
            yield "too few items", value[: low - 1]
        if high and value and high < MOST_ITEMS:
            yield "too many items", (value * (high + 1))[: high + 1]
        for index, one in enumerate(value):
            for kind, mutated in of_value(shape.member, one):
                yield kind, [*value[:index], mutated, *value[index + 1 :]]
    elif isinstance(shape, MapShape):
        yield from of_map(shape, value)
    elif isinstance(value, str):
        yield from of_text(shape, value, low, high)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield "wrong type", "x"
        yield from (("number too small", low - 1) for _ in [low] if low is not None)
        yield from (("number too large", high + 1) for _ in [high] if high is not None)


def of_structure(shape: StructureShape, value: Mapping[str, Any]) -> Iterator[Mutation]:
    """Without what is required, and with each member changed."""
    for name in shape.required_members:
        if shape.members[name].serialization.get("location") not in ("uri", "querystring"):  # another operation's call
            yield "required member dropped", {key: one for key, one in value.items() if key != name}
    for name, one in value.items():
        if name != "ContentLength":  # which the transport writes
            yield from ((kind, {**value, name: mutated}) for kind, mutated in of_value(shape.members[name], one))


def of_map(shape: MapShape, value: Mapping[str, Any]) -> Iterator[Mutation]:
    """Too many keys, and each key and value changed."""
    high = shape.metadata.get("max", MOST_ITEMS)
    if value and high < MOST_ITEMS:
        yield "too many items", {f"k{number}": one for one in [*value.values()][:1] for number in range(high + 1)}
    for key, one in value.items():
        yield from ((kind, {mutated: one}) for kind, mutated in of_value(shape.key, key))
        yield from ((kind, {**value, key: mutated}) for kind, mutated in of_value(shape.value, one))


def of_text(shape: Shape, value: str, low: int | None, high: int | None) -> Iterator[Mutation]:
    """Too short, too long, of another form, foreign."""
    if shape.type_name != "string":
        return
    if low and value and shape.serialization.get("location") != "uri":
        yield "too short", value[: low - 1]
    if high and len(value) and high < MOST_CHARACTERS:
        yield "too long", (value * (high + 1))[: high + 1]
    if "enum" in shape.metadata:
        yield "foreign enumeration value", "no-such-value"
    pattern = shape.metadata.get("pattern")
    broken = f"{value}\x01 %é\x7f"
    try:
        breaks = pattern and not re.fullmatch(pattern, broken)
    except re.error:  # Java's own syntax: what follows is in no class of characters
        breaks = True
    if breaks:
        yield "pattern broken", broken


def of_body(service: str, shape: Shape, request: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Unknown members and wrong types, which only the body can hold."""
    protocol, body = protocol_of(service), request["body"]
    if protocol in ("query", "ec2"):
        yield "unknown member", urlencode({**body, "NoSuchParameter": "x"}).encode()
        for key in body.keys() - {"Action", "Version"}:
            scalars = {name: one for name, one in body.items() if name != key}
            yield "wrong type", urlencode({**scalars, key: body[key], f"{key}.No.1": "x"}).encode()
    elif protocol == "rest-xml":
        start, end, tag = _bytes(body).rpartition(b"</")
        if end:
            yield "unknown member", start + b"<NoSuchElement/>" + end + tag
    elif body and "payload" not in shape.serialization:
        for kind, mutated in of_json(shape, json.loads(_bytes(body))):
            yield kind, json.dumps(mutated).encode()


def of_json(shape: Shape, value: Any) -> Iterator[Mutation]:
    """Every value of another type, and a member too many in every structure."""
    yield "wrong type", [value] if not isinstance(value, list) else {"no": "list"}
    if isinstance(shape, StructureShape):
        yield "unknown member", {**value, "NoSuchMember": "x"}
        members = {one.serialization.get("name", name): one for name, one in shape.members.items()}
        for name, one in value.items():
            yield from ((kind, {**value, name: mutated}) for kind, mutated in of_json(members[name], one))
    elif isinstance(shape, ListShape):
        for index, one in enumerate(value):
            for kind, mutated in of_json(shape.member, one):
                yield kind, [*value[:index], mutated, *value[index + 1 :]]
    elif isinstance(shape, MapShape):
        for key, one in value.items():
            yield from ((kind, {**value, key: mutated}) for kind, mutated in of_json(shape.value, one))
    else:
        yield "wrong type", {"No": "scalar"}
        yield from (("wrong type", 5) for _ in [value] if shape.type_name == "string")
        yield from (("wrong type", "five") for _ in [value] if shape.type_name not in ("string", "blob"))


def _bytes(body: Any) -> bytes:
    if isinstance(body, dict):
        return urlencode(body).encode()
    return body.encode() if isinstance(body, str) else body or b""
