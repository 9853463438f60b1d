"""Values of YAML files with the place each came from, and one file laid over another."""

from dataclasses import dataclass, field
from typing import Any

from mistral7b.yamlfile.problem import FieldPath, Problem, dotted


@dataclass
class Source:
    """Values of one or more files, with the place each came from."""

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[FieldPath, tuple[str, int]] = field(default_factory=dict)
    """File and line of each value."""
    problems: list[Problem] = field(default_factory=list)

    def place_at(self, path: FieldPath, line: int) -> None:
        """Notes where the field is."""
        self.places[path] = self.file, line

    def problem(self, path: FieldPath, value: Any, reason: str, fix: str) -> Problem:
        """A problem with the value at `path`, with its place, or that of the nearest field around it."""
        around = (path[:length] for length in range(len(path), 0, -1))
        file, line = next((self.places[part] for part in around if part in self.places), (self.file, None))
        return Problem(file, line, dotted(path) or "(file)", value, reason, fix)


def overlay(base: Source, over: Source) -> Source:
    """`over` laid on `base`: mappings are merged field by field, everything else is replaced, also by null."""
    merged = Source(over.file, {}, dict(base.places), [*base.problems, *over.problems])
    merged.values = _merge(base.values, over.values, (), merged.places)
    merged.places |= over.places
    return merged


def without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """Without fields that are null: the default counts for them, also where the file below sets another value."""
    return {
        key: without_nulls(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }


def _merge(base: Any, over: Any, path: FieldPath, places: dict[FieldPath, tuple[str, int]]) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for key, value in over.items():
            merged[key] = _merge(base[key], value, (*path, key), places) if key in base else value
        return merged
    if isinstance(base, dict | list):  # which is replaced with all that is in it
        for inside in [one for one in places if one[: len(path)] == path != one]:
            del places[inside]
    return over
