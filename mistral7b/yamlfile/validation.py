"""Validates a file's values field by field: every wrong field is named, and what is right can still be checked.

pydantic's errors become problems: the field as written in the file, the reason and the fix in plain words.
"""

import copy
import types
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from mistral7b.yamlfile.problem import FieldPath, Problem, dotted, overlap
from mistral7b.yamlfile.source import Source
from mistral7b.yamlfile.suggest import with_guess

Model = TypeVar("Model", bound=BaseModel)

_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of fields to values",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "{} or more"),
    "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "{} or less"),
    "less_than": ("lt", "less than {}"),
    "too_short": ("min_length", "{} entries or more"),
    "too_long": ("max_length", "{} entries or fewer"),
    "string_too_short": ("min_length", "{} characters or more"),
    "string_too_long": ("max_length", "{} characters or fewer"),
}
# Reason and fix of a text that does not match, by pattern.
_PATTERNS: dict[str, tuple[str, str]] = {}


class Section(BaseModel):
    """A mapping with known fields only, of values of the very type; a field's docstring is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def pattern(expression: str, fix: str, reason: str = "it has the wrong form", **more: Any) -> Any:
    """The field of a text that matches `expression` as a whole, with what to say of one that does not."""
    whole = f"^{expression}$"
    _PATTERNS[whole] = reason, fix
    return Field(pattern=whole, **more)


def refusal(reason: str, fix: str) -> PydanticCustomError:
    """The error of a value that a validator refuses; the problem shows both as they are."""
    return PydanticCustomError("refusal", "{reason}", {"reason": reason, "fix": fix})


@dataclass(frozen=True)
class FileKind(Generic[Model]):
    """What a file is validated as."""

    model: type[Model]
    """The schema."""
    how_to_add: str
    """The fix of a required field that is missing."""
    stand_ins: Mapping[FieldPath, Any]
    """A value for every field without a default, for when it is missing or wrong: the others can be checked then."""
    not_in_file: str = ""
    """A field of the model that the file does not have."""


def validate_fields(
    kind: FileKind[Model], values: dict[str, Any], source: Source, problems: list[Problem]
) -> tuple[Model, list[FieldPath]]:
    """The values as the schema's model, stand-ins or defaults for wrong ones, and the paths of these.

    Args:
        kind: the schema.
        values: what the file holds; wrong fields are removed from it.
        source: where each value stands.
        problems: gets a problem for each wrong field.
    """
    wrong: list[FieldPath] = []
    told: set[FieldPath] = set()
    while True:
        try:
            return kind.model.model_validate(values), wrong
        except ValidationError as error:
            errors = [(details, _field_path(details, values)) for details in error.errors(include_url=False)]
        for details, path in errors:
            if path not in told:
                told.add(path)
                problems.append(_problem(details, path, source, kind))
                if details["type"] != "extra_forbidden":  # no rule reads what is not a field
                    wrong.append(path)
        before = copy.deepcopy(values)
        for details, path in errors:
            _remove(values, path if details["type"] != "missing" else path[:-1])
        if values == before and not any(details["type"] == "missing" for details, _ in errors):
            values.clear()  # nothing of it can be left out
            wrong.extend((field,) for field in kind.model.model_fields)
        for path, value in kind.stand_ins.items():
            if any(overlap(path, bad) for bad in wrong):
                _set_default(values, path, copy.deepcopy(value))


def _field_path(error: ErrorDetails, values: Mapping[str, Any]) -> FieldPath:
    """The error's place in the file: pydantic's location without the names of union members and of `[key]`."""
    path: list[str | int] = []
    node: Any = values
    for part in error["loc"]:
        in_list = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if in_list or (isinstance(node, dict) and part in node):
            node = node[part]
        elif part == "[key]" or not (isinstance(node, dict) and error["type"] == "missing"):
            continue
        path.append(part)
    return tuple(path)


def _remove(values: dict[str, Any], path: FieldPath) -> None:
    """Removes the field at `path`; of a list with a wrong entry, all of it: others keep their places."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    node: Any = values
    with suppress(LookupError, TypeError):  # what is around it was removed before
        for part in path[:-1]:
            node = node[part]
        del node[path[-1]]


def _set_default(values: dict[str, Any], path: FieldPath, value: Any) -> None:
    for part in path[:-1]:
        values = values.setdefault(str(part), {})
    values.setdefault(str(path[-1]), value)


def _problem(error: ErrorDetails, path: FieldPath, source: Source, kind: FileKind[Any]) -> Problem:
    if error["type"] == "missing":  # it stands nowhere
        return Problem(source.file, None, dotted(path), None, "it is required", kind.how_to_add)
    return source.problem(path, error["input"], *_reason_and_fix(error, path, kind))


def _reason_and_fix(error: ErrorDetails, path: FieldPath, file: FileKind[Any]) -> tuple[str, str]:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = sorted(set(_fields_at(path[:-1], file.model)) - (set() if path[1:] else {file.not_in_file}))
        return "there is no such field", with_guess(str(path[-1]), known, f"fields here are {', '.join(known)}")
    if kind in _TYPES:
        given = "nothing" if value is None else _described(value)
        return f"it has to be {_TYPES[kind]}, not {given}", _type_fix(kind, value)
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = words.format(context[key])
        return f"it has to be {bound}", f"use {bound}"
    if kind in ("literal_error", "enum"):
        allowed = [choice.strip("' ") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        return "it is none of the possible values", with_guess(str(value), allowed, f"use one of {', '.join(allowed)}")
    if kind in ("string_pattern_mismatch", "string_unicode"):
        return _PATTERNS.get(context.get("pattern", ""), ("it has the wrong form", "write it as plain text"))
    if kind == "refusal":
        return context["reason"], context["fix"]
    return error["msg"], "see the field's description in the JSON schema that the file's first line names"


def _described(value: Any) -> str:
    kinds = {str: "string", bool: "bool", int: "int", float: "float", list: "list"}
    name = f"{kinds.get(type(value), '')}_type"
    return "a mapping" if isinstance(value, dict) else _TYPES.get(name, type(value).__name__)


def _type_fix(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    if kind in ("int_type", "float_type", "bool_type") and isinstance(value, str):
        bare = value.strip().lower()
        if bare.lstrip("+-").isdigit() or (kind == "bool_type" and bare in ("true", "false")):
            return f"write it without quotes: {bare}"
    return f"write {_TYPES[kind]}"


def _fields_at(path: Iterable[str | int], model: type[BaseModel]) -> list[str]:
    """Names of the fields of the section at `path`; none where it is not a section."""
    section: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str):  # the fields are those of a list's entries
            fields = section.model_fields.items() if section else ()
            section = next((_model_in(field.annotation) for n, field in fields if part in (n, field.alias)), None)
    return [field.alias or name for name, field in section.model_fields.items()] if section else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, list, Annotated):
        return next((m for m in map(_model_in, get_args(annotation)) if m), None)
    return None
