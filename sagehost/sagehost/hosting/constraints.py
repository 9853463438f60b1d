"""The constraints of a service's own model on a request: lengths, ranges, patterns, enumerations.

botocore itself checks required members, types and minimums; all else it sends, and the service refuses. So must an
emulator, with the service's message.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.utils import get_service_model


def violations(service: str, operation: str, parameters: Mapping[str, object]) -> str | None:
    """The message of a ValidationException for these parameters, or None if they keep to the model."""
    shape = get_service_model(service).operation_model(operation).input_shape
    found = [] if shape is None else list(_check(shape, parameters, ""))
    if not found:
        return None
    return f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(found)}"


def _check(shape: Shape, value: object, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _check(member, value[name], f"{path}.{name[0].lower()}{name[1:]}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _bounds(shape, len(value), value, path, "length")
        for index, item in enumerate(value, start=1):
            yield from _check(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _check(shape.value, item, f"{path}.{key}.member")
    elif isinstance(value, str):
        yield from _bounds(shape, len(value), value, path, "length")
        yield from _text(shape, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(shape, value, value, path, "value")


def _bounds(shape: Shape, size: float, value: object, path: str, what: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield _violation(value, path, f"Member must have {what} greater than or equal to {low}")
    if high is not None and size > high:
        yield _violation(value, path, f"Member must have {what} less than or equal to {high}")


def _text(shape: Shape, value: str, path: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern; None for one in Java's own syntax, such as `\\p{L}`, which is then not checked."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _violation(value: object, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"
