"""Values of environment files with the place each came from, and one file laid over another."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mistral7b.environment.problem import FieldPath, Problem, dotted
from mistral7b.environment.syntax import parse


@dataclass(frozen=True)
class Place:
    """Where a value stands."""

    file: str
    line: int


@dataclass
class Source:
    """Values of one or more files, with the place each came from."""

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[FieldPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: FieldPath) -> Place | None:
        """The place of `path`, or of the nearest field around it."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return None

    def problem(self, path: FieldPath, value: Any, reason: str, fix: str) -> Problem:
        """A problem with the value at `path`, with its place."""
        place = self.place(path)
        file, line = (place.file, place.line) if place else (self.file, None)
        return Problem(file, line, dotted(path), value, reason, fix)


def read(file: Path, shown: str) -> Source:
    """Reads one file; what cannot be read becomes a problem of the result.

    Args:
        file: the file.
        shown: its name in messages.
    """
    document = parse(file, shown)
    places = {path: Place(shown, line) for path, line in document.lines.items()}
    return Source(shown, document.values, places, document.problems)


def overlay(base: Source, over: Source) -> Source:
    """`over` laid on `base`: mappings are merged field by field, everything else is replaced, also by null."""
    merged = Source(over.file, {}, dict(base.places), [*base.problems, *over.problems])
    merged.values = _merge(base.values, over.values, (), merged.places)
    merged.places |= over.places
    return merged


def without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """Without fields that are null: the default counts for them, also where common.yaml sets another value."""
    return {
        key: without_nulls(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }


def _merge(base: Any, over: Any, path: FieldPath, places: dict[FieldPath, Place]) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for key, value in over.items():
            merged[key] = _merge(base[key], value, (*path, key), places) if key in base else value
        return merged
    _forget(base, path, places)
    return over


def _forget(value: Any, path: FieldPath, places: dict[FieldPath, Place]) -> None:
    """Takes the places of everything inside `value` out of `places`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, part_value in inner:
        places.pop((*path, part), None)
        _forget(part_value, (*path, part), places)
