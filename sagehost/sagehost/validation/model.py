"""The constraints of botocore's model on a request: required members, lengths, ranges, patterns, enumerations.

botocore's clients check only required members, types and minimums before they send; the service checks all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import regex  # type: ignore[import-untyped]
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.utils import get_service_model

from sagehost.aws_errors import Refused
from sagehost.validation.asked import Asked
from sagehost.validation.codes import HEADERS_OF_S3, codes

_PATTERN_S = 0.5
"""How long a value is held against a pattern: there are patterns that some values keep busy for years."""

_OPEN = ("InstanceType", "AcceleratorType", "LocationConstraint", "ResourceType", "Runtime")
"""How names of enumerations end to which AWS adds between releases of botocore."""


@dataclass(frozen=True)
class Violation:
    """What breaks the model."""

    path: str
    value: object
    constraint: str

    def __str__(self) -> str:
        value = "null" if self.value is None else f"'{self.value}'"
        return f"Value {value} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def check(asked: Asked) -> None:
    """Raise Refused, with the service's code and message, unless a request keeps to the model."""
    model = get_service_model(asked.service)
    found = list(violations(asked.service, asked.operation, asked.given))
    if not found:
        return
    first = found[0]
    name = first.path.partition(".")[0]
    words = codes(model)
    if asked.service == "s3":
        shape = model.operation_model(asked.operation).input_shape
        inside = {f"{one[0].lower()}{one[1:]}": member for one, member in shape.members.items()}[name]
        words = HEADERS_OF_S3 if "location" in inside.serialization else words
    missing = first.value is None
    code, message = (words.missing, words.if_missing) if missing else (words.constraint, words.if_beyond)
    told = {"count": len(found), "s": "s" if len(found) > 1 else "", "all": "; ".join(map(str, found))}
    bare = first.constraint.removeprefix("Member ")
    told |= {"path": first.path, "value": first.value, "constraint": first.constraint, "bare": bare}
    raise Refused(code, message.format_map(told | {"name": f"{first.path[0].upper()}{first.path[1:]}"}))


def violations(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[Violation]:
    """What of a request's parameters breaks the model."""
    shape = get_service_model(service).operation_model(operation).input_shape
    return iter(()) if shape is None else _check(shape, given, "")


def _check(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    if value is None:
        yield Violation(path, None, "Member must not be null")
    elif isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        if isinstance(value, list):
            yield from _bounds(shape, len(value), value, path, "length")
            for index, item in enumerate(value, start=1):
                yield from _check(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        if isinstance(value, Mapping):
            yield from _bounds(shape, len(value), value, path, "length")
            for key, item in value.items():
                yield from _check(shape.key, key, f"{path}.key")
                yield from _check(shape.value, item, f"{path}.{key}.member")
    elif isinstance(value, str):
        yield from _bounds(shape, len(value), value, path, "length")
        yield from _text(shape, value, path)
    elif isinstance(value, bytes):
        yield from _bounds(shape, len(value), "(blob)", path, "length")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(shape, value, value, path, "value")


def _structure(shape: StructureShape, value: Any, path: str) -> Iterator[Violation]:
    if not isinstance(value, Mapping) or shape.is_document_type:
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield Violation(_member(path, name), None, "Member must not be null")
    if shape.is_tagged_union and len([one for one in value.values() if one is not None]) != 1:
        yield Violation(path, value, f"Member must have exactly one of: [{', '.join(shape.members)}]")
    for name, given in value.items():
        if given is not None and name in shape.members:
            yield from _check(shape.members[name], given, _member(path, name))


def _member(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")


def _bounds(shape: Shape, size: float, value: object, path: str, what: str) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield Violation(path, value, f"Member must have {what} greater than or equal to {low}")
    if high is not None and size > high:
        yield Violation(path, value, f"Member must have {what} less than or equal to {high}")


def _text(shape: Shape, value: str, path: str) -> Iterator[Violation]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        open_set = f" (as this version knows it: botocore {version('botocore')})" if shape.name.endswith(_OPEN) else ""
        yield Violation(path, value, f"Member must satisfy enum value set: [{', '.join(allowed)}]{open_set}")
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value, timeout=_PATTERN_S):
        yield Violation(path, value, f"Member must satisfy regular expression pattern: {pattern}")


@cache
def compiled(pattern: str) -> Any:
    r"""A pattern of Java's. Pairs of surrogates are one character there, and `\w` is ASCII, unlike `\p{L}`."""
    text = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    return regex.compile(text, regex.V1 if r"\p" in pattern else regex.V1 | regex.ASCII)
