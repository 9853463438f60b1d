"""Values of a template: JSON, and what is not known before deployment."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
"""JSON as Python has it. Templates are read by shape, so nothing narrower helps."""


class _Marker(Enum):
    UNKNOWN = "known after deployment"
    NO_VALUE = "as if not written"


UNKNOWN: Final = _Marker.UNKNOWN
"""A value that only the deployment will tell, such as an attribute of a resource that does not exist yet."""

NO_VALUE: Final = _Marker.NO_VALUE
"""`AWS::NoValue`: the property is as if not written."""


def has_unknown(value: Json) -> bool:
    """Whether any part of `value` is unknown."""
    if isinstance(value, dict):
        return any(has_unknown(part) for part in value.values())
    if isinstance(value, list):
        return any(has_unknown(part) for part in value)
    return value is UNKNOWN


def hint(name: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, if one of the known names is similar."""
    similar = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {similar[0]}?)" if similar else ""


def as_text(value: Json) -> str:
    """A value as CloudFormation writes it into a text: `true`, `5`, `a,b`."""
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
