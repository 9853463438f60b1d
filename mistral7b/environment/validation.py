"""Validates a file's values field by field: every wrong field is named, and what is right can still be checked."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from mistral7b.environment.explain import explain, field_path
from mistral7b.environment.problem import FieldPath, Problem, overlap
from mistral7b.environment.source import Source

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class FileKind(Generic[Model]):
    """What a file is validated as."""

    model: type[Model]
    """The schema."""
    how_to_add: str
    """How to mend a required field that is missing."""
    stand_ins: Mapping[FieldPath, Any]
    """A value for every field without a default, for when it is missing or wrong: the others can be checked then."""


def validate_fields(
    kind: FileKind[Model], values: dict[str, Any], source: Source, problems: list[Problem]
) -> tuple[Model, list[FieldPath]]:
    """The values as the schema's model, stand-ins or defaults for wrong ones, and the paths of these.

    Args:
        kind: the schema.
        values: what the file holds; wrong fields are taken out of it.
        source: where each value stands.
        problems: gets a problem for each wrong field.
    """
    wrong: list[FieldPath] = []
    told: set[FieldPath] = set()
    while True:
        try:
            return kind.model.model_validate(values), wrong
        except ValidationError as error:
            errors = [(details, field_path(details, values)) for details in error.errors(include_url=False)]
        for details, path in errors:
            if path not in told:
                problems.append(explain(details, path, source, kind.model, kind.how_to_add))
                told.add(path)
                if details["type"] != "extra_forbidden":  # no rule reads what is no field
                    wrong.append(path)
        before = copy.deepcopy(values)
        for details, path in errors:
            _take_out(values, path if details["type"] != "missing" else path[:-1])
        if values == before and not any(details["type"] == "missing" for details, _ in errors):
            values.clear()  # nothing of it can be left out
            wrong.extend((field,) for field in kind.model.model_fields)
        for path, value in kind.stand_ins.items():
            if any(overlap(path, bad) for bad in wrong):
                _put_in(values, path, copy.deepcopy(value))


def _take_out(values: dict[str, Any], path: FieldPath) -> None:
    """Removes the field at `path`; of a list with a wrong entry, all of it: others keep their places."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    node: Any = values
    for part in path[:-1]:
        if not _holds(node, part):
            return
        if not isinstance(node[part], dict | list):
            del node[part]
            return
        node = node[part]
    if path and _holds(node, path[-1]):
        del node[path[-1]]


def _holds(node: Any, part: str | int) -> bool:
    """Whether `node` is a mapping, or a list of them, with something at `part`."""
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node) and isinstance(node[part], dict)
    return isinstance(node, dict) and part in node


def _put_in(values: dict[str, Any], path: FieldPath, value: Any) -> None:
    node = values
    for part in path[:-1]:
        node = node.setdefault(str(part), {})
    node.setdefault(str(path[-1]), value)
