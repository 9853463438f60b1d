"""What the sections of the project's YAML files have in common."""

from pydantic import ConfigDict
from pydantic_core import PydanticCustomError

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
"""Known fields alone, with values of the very type; a field's docstring is its description."""


def refusal(reason: str, fix: str) -> PydanticCustomError:
    """The error of a value that is refused for `reason`; `explain` shows both as they are."""
    return PydanticCustomError("refusal", "{reason}", {"reason": reason, "fix": fix})
