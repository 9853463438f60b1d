"""Lengths, ranges and patterns of a service's request, in which CloudFormation's properties are looked up by name.

The embedded AWS checks requests, too: but no tags, no keys of maps, and no pattern in Java's own syntax.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
import regex  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel, Shape

from sagehost.cloudformation.values import UNKNOWN


def beyond(request: Shape, properties: Mapping[str, Any]) -> Iterator[str]:
    """Where properties are beyond the limits of the request's shape; what is UNKNOWN is taken to be within."""
    yield from _beyond(request, properties, "")


@cache
def operation(service: str, method: str) -> OperationModel | None:
    """The operation of a service that boto3 calls by `method`; None if there is none."""
    model: ServiceModel = botocore.session.get_session().get_service_model(service)
    return next((model.operation_model(name) for name in model.operation_names if xform_name(name) == method), None)


@cache
def _pattern(java: str) -> Any:
    """A pattern of the service models, in which Java's way to write all characters beyond U+FFFF is replaced."""
    return regex.compile(java.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))


def _beyond(shape: Any, value: Any, path: str) -> Iterator[str]:
    if value is UNKNOWN:
        return
    limits = shape.metadata
    size = value if isinstance(value, int | float) else len(value)
    if size > limits.get("max", size) or size < limits.get("min", size):
        yield f"{path}: {size} is not from {limits.get('min')} to {limits.get('max')}"
    if shape.type_name == "string" and "pattern" in limits and not _pattern(limits["pattern"]).fullmatch(str(value)):
        yield f"{path}: {value!r} does not match {limits['pattern']}"
    if shape.type_name == "structure":
        members = {name.lower(): member for name, member in shape.members.items()}
        for name, inner in value.items():
            if name.lower() in members:
                yield from _beyond(members[name.lower()], inner, f"{path}/{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _beyond(shape.member, inner, f"{path}/{index}")
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, inner in value.items():
            yield from _beyond(shape.key, name, f"{path}/{name}")
            yield from _beyond(shape.value, inner, f"{path}/{name}")
