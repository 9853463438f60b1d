"""The constraints of botocore's model on a request: required members, lengths, ranges, patterns, enumerations.

botocore's clients check only required members, types and minimums before they send; the service checks all.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

import regex  # type: ignore[import-untyped]
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.utils import get_service_model

from sagehost.aws_errors import refused
from sagehost.validation.asked import Asked

_PATTERN_S = 0.5
"""How long a value is held against a pattern: there are patterns that some values keep busy for years."""

_OPEN = ("InstanceType", "AcceleratorType", "LocationConstraint", "ResourceType", "Runtime")
"""How enumerations end in name to which AWS adds between releases of botocore."""


class Violation(NamedTuple):
    """What breaks the model."""

    path: str
    value: object
    constraint: str

    def __str__(self) -> str:
        value = "null" if self.value is None else f"'{self.value}'"
        return f"Value {value} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def check(asked: Asked) -> None:
    """Raise Refused, with the service's code and message, unless a request keeps to the model."""
    found = list(violations(asked.service, asked.operation, asked.given))
    if not found:
        return
    path, value, constraint = found[0]
    name = f"{path[0].upper()}{path[1:]}"
    members = get_service_model(asked.service).operation_model(asked.operation).input_shape.members
    in_header = "location" in getattr(members.get(name.partition(".")[0]), "serialization", {})
    told: dict[str, Any] = {"count": len(found), "s": "s" if len(found) > 1 else "", "all": "; ".join(map(str, found))}
    told |= {"path": path, "name": name, "value": value, "constraint": constraint}
    kind = f"{'missing' if value is None else 'invalid'} {'header' if in_header else 'member'}"
    raise refused(asked.service, kind, bare=constraint.removeprefix("Member "), **told)


def violations(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[Violation]:
    """What of a request's parameters breaks the model."""
    shape = get_service_model(service).operation_model(operation).input_shape
    return iter(()) if shape is None else _check(shape, given, "")


def _check(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    if value is None:
        yield Violation(path, None, "Member must not be null")
    elif isinstance(shape, StructureShape) and isinstance(value, Mapping) and not shape.is_document_type:
        for name in dict.fromkeys([*shape.required_members, *value]):
            one = value.get(name)
            if name in shape.members and (one is not None or name in shape.required_members):
                yield from _check(shape.members[name], one, f"{path}.{name[0].lower()}{name[1:]}".lstrip("."))
        if shape.is_tagged_union and len([one for one in value.values() if one is not None]) != 1:
            yield Violation(path, value, f"Member must have exactly one of: [{', '.join(shape.members)}]")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _bounds(shape, len(value), value, path, "length")
        for index, item in enumerate(value, start=1):
            yield from _check(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        yield from _bounds(shape, len(value), value, path, "length")
        for key, item in value.items():
            yield from _check(shape.key, key, f"{path}.key")
            yield from _check(shape.value, item, f"{path}.{key}.member")
    elif isinstance(value, str | bytes):
        yield from _bounds(shape, len(value), value, path, "length")
        if isinstance(value, str):
            yield from _text(shape, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(shape, value, value, path, "value")


def _bounds(shape: Shape, size: float, value: object, path: str, what: str) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield Violation(path, value, f"Member must have {what} greater than or equal to {low}")
    if high is not None and size > high:
        yield Violation(path, value, f"Member must have {what} less than or equal to {high}")


def _text(shape: Shape, value: str, path: str) -> Iterator[Violation]:
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed and value not in allowed:
        as_known = f" (as this version knows it: botocore {version('botocore')})" if shape.name.endswith(_OPEN) else ""
        yield Violation(path, value, f"Member must satisfy enum value set: [{', '.join(allowed)}]{as_known}")
    if pattern and not compiled(pattern).fullmatch(value, timeout=_PATTERN_S):
        yield Violation(path, value, f"Member must satisfy regular expression pattern: {pattern}")


@cache
def compiled(pattern: str) -> Any:
    r"""A pattern of Java's. Pairs of surrogates are one character there, and `\w` is ASCII, unlike `\p{L}`."""
    text = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    return regex.compile(text, regex.V1 if r"\p" in pattern else regex.V1 | regex.ASCII)
