"""Examples of refused calls, a module for each service."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
Cases = dict[str, tuple[str, Json, Json, Json | None]]
"""By name: operation, parameters, those that are refused in their place, and those that are accepted."""


def of(operation: str, base: Json, pairs: Mapping[str, tuple[Json, Json]]) -> Cases:
    """Examples of one operation: what is refused and what is accepted in place of these parameters."""
    return {name: (operation, base, refused, accepted) for name, (refused, accepted) in pairs.items()}
