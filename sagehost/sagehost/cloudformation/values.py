"""Values of a template: JSON, and what is not known before deployment."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
"""JSON as Python has it. Templates are read by shape, so nothing narrower helps."""


class Unknown:
    """A value that only the deployment will tell, such as an attribute of a resource that does not exist yet."""

    def __repr__(self) -> str:
        return "(known after deployment)"


UNKNOWN: Final = Unknown()


class NoValue:
    """`AWS::NoValue`: the property is as if not written."""


NO_VALUE: Final = NoValue()


def has_unknown(value: Json) -> bool:
    """Whether any part of `value` is unknown."""
    if isinstance(value, dict):
        return any(has_unknown(part) for part in value.values())
    if isinstance(value, list):
        return any(has_unknown(part) for part in value)
    return value is UNKNOWN


def as_text(value: Json) -> str:
    """A value as CloudFormation writes it into a text: `true`, `5`, `a,b`."""
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
