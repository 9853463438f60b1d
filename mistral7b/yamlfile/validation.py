"""Validates a file's values field by field: every wrong field is named, and what is right can still be checked.

pydantic's errors become problems: the field as written in the file, the reason and the fix in plain words.
"""

import copy
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Discriminator, Field, ValidationError
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
# Of texts, which strict fields do not convert, and of infinite numbers.
_NOT_NUMBERS = {"int_parsing": "a whole number", "float_parsing": "a number", "finite_number": "a finite number"}
_NOT_NUMBERS |= {"int_parsing_size": "a smaller number"}
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
    reported: set[FieldPath] = set()
    given = values  # at first without stand-ins, which shows what is missing
    # Each round but the first removes a field of `values`, or is the last: the loop ends.
    while True:
        try:
            return kind.model.model_validate(given), wrong
        except ValidationError as error:
            errors = [(one, *_place(one["loc"], kind.model)) for one in error.errors(include_url=False)]
        for details, path, section in errors:
            # In later rounds a field is missing because it was wrong, and is reported as such.
            if path not in reported and (details["type"] != "missing" or given is values):
                reported.add(path)
                problems.append(_problem(details, path, section, source, kind))
        removed: list[FieldPath] = []
        for details, path, _ in errors:
            if not any(overlap(path, gone) for gone in removed):
                removed += _remove(values, path)
            if details["type"] != "extra_forbidden":  # no rule reads what is not a field
                wrong += [path, *removed[-1:]]
        if not removed and given is not values:  # nothing of it can be left out
            wrong += [(field,) for field in kind.model.model_fields]
            return kind.model.model_validate(_with_stand_ins({}, kind)), wrong
        given = _with_stand_ins(values, kind)


def _place(location: tuple[str | int, ...], model: type[BaseModel]) -> tuple[FieldPath, type[BaseModel]]:
    """The field that pydantic's location of an error names, and the section that has the field, or lacks it.

    The location also has the tag of a union's member, after the union's field, and `[key]` after a wrong key.
    """
    path: list[str | int] = []
    section, inner = model, cast("type[BaseModel] | None", model)
    parts = iter(location)
    for part in parts:
        path.append(part)
        if isinstance(part, int):  # the fields are those of a list's entries
            continue
        if inner is None:  # a key of a mapping
            break
        section = inner
        field = next((f for name, f in section.model_fields.items() if part in (name, f.alias)), None)
        if field is None:
            break
        if any(isinstance(one, Discriminator) for one in field.metadata):
            next(parts, None)
        inner = _model_in(field.annotation)
    return tuple(path), section


def _remove(values: Any, path: FieldPath) -> list[FieldPath]:
    """Removes the field at `path`, or the one around it that is there, and returns which; of a list, all of it."""
    found: list[tuple[FieldPath, dict[str, Any]]] = []
    for length, part in enumerate(path, 1):
        if isinstance(values, dict) and part in values:
            found.append((path[:length], values))
        elif not (isinstance(values, list) and isinstance(part, int)):
            break
        values = values[part]
    for field, section in found[-1:]:
        del section[str(field[-1])]
    return [field for field, _ in found[-1:]]


def _with_stand_ins(values: dict[str, Any], kind: FileKind[Any]) -> dict[str, Any]:
    filled = copy.deepcopy(values)
    for path, value in kind.stand_ins.items():
        section = filled
        for part in path[:-1]:
            section = section.setdefault(str(part), {})
        section.setdefault(str(path[-1]), copy.deepcopy(value))
    return filled


def _problem(
    error: ErrorDetails, path: FieldPath, section: type[BaseModel], source: Source, kind: FileKind[Any]
) -> Problem:
    if error["type"] == "missing":  # it stands nowhere
        return Problem(source.file, None, dotted(path), None, "it is required", kind.how_to_add)
    if error["type"] == "extra_forbidden":
        if explained := getattr(section, "explain_unknown", lambda _: None)(str(path[-1])):
            return source.problem(path, None, *explained)  # the value may be a secret
        names = {field.alias or name for name, field in section.model_fields.items()}
        known = sorted(names - ({kind.not_in_file} if section is kind.model else set()))
        fix = with_guess(str(path[-1]), known, f"fields here are {', '.join(known)}")
        return source.problem(path, error["input"], "there is no such field", fix)
    return source.problem(path, error["input"], *reason_and_fix(error))


def reason_and_fix(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong with a value that pydantic refuses, and what to write, in our words."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in _NOT_NUMBERS:
        return f"it has to be {_NOT_NUMBERS[kind]}", f"write {_NOT_NUMBERS[kind]}"
    if kind in _TYPES:
        given = "nothing" if value is None else _described(value)
        return f"it has to be {_TYPES[kind]}, not {given}", _type_fix(kind, value)
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = words.format(context[key])
        return f"it has to be {bound}", f"use {bound}"
    if kind in ("literal_error", "enum"):
        allowed = [choice.strip("' ") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        fix = with_guess(str(value), allowed, f"use one of {', '.join(allowed)}")
        return "it is not one of the possible values", fix
    if kind in ("string_pattern_mismatch", "string_unicode"):
        return _PATTERNS.get(context.get("pattern", ""), ("it has the wrong form", "write it as plain text"))
    if kind == "refusal":
        return context["reason"], context["fix"]
    return "it is not accepted", "see the field's description in the JSON schema that the file's first line names"


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


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, list, Annotated):
        return next((m for m in map(_model_in, get_args(annotation)) if m), None)
    return None
