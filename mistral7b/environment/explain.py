"""Turns pydantic's errors into problems: the field as written in the file, the reason and the fix in plain words."""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from mistral7b.environment.problem import FieldPath, Problem, dotted
from mistral7b.environment.source import Source
from mistral7b.environment.suggest import nearest

_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of fields to values",
}
_DESCRIBED = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
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
# How to mend what a pattern refuses, by the field's name.
_EXAMPLES = {
    "account": 'write twelve digits: "123456789012"',
    "vpc_id": "write it like vpc-0123456789abcdef0",
    "subnet_ids": "write it like subnet-0123456789abcdef0",
    "route_table_ids": "write it like rtb-0123456789abcdef0",
    "kms_key_arn": "write the ARN of a key, not of an alias: arn:aws:kms:REGION:ACCOUNT:key/KEY-ID",
    "s3_prefix_list_id": "write it like pl-63a5400a",
    "role_names": "write a role's name, without path or ARN: up to 64 letters, digits and _ + = , . @ -",
    "endpoint_name": "use up to 63 letters, digits and hyphens, such as mistral-7b-dev",
    "tags": "use letters, digits, spaces and _ . : / = + - @",
    "HF_MODEL_REVISION": "write a commit or branch: up to 255 letters, digits, hyphens and . _ /",
    "name": "rename the file: up to 20 lower-case letters, digits and hyphens, from a letter to a letter or digit",
}


def field_path(error: ErrorDetails, values: Mapping[str, Any]) -> FieldPath:
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


def explain(error: ErrorDetails, path: FieldPath, source: Source, model: type[BaseModel], how_to_add: str) -> Problem:
    """The problem that `error` stands for, at `path` of `source`, whose schema is `model`."""
    reason, fix = _reason_and_fix(error, path, model, how_to_add)
    if error["type"] == "missing":  # it stands nowhere
        return Problem(source.file, None, dotted(path), None, reason, fix)
    return source.problem(path, error["input"], reason, fix)


def _reason_and_fix(error: ErrorDetails, path: FieldPath, schema: type[BaseModel], how_to_add: str) -> tuple[str, str]:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _fields_at(path[:-1], schema)
        guess = nearest(str(path[-1]), known)
        suggestion = f"did you mean {guess}? " if guess else ""
        return "there is no such field", f"{suggestion}Fields here are {', '.join(known)}"
    if kind == "missing":
        return "it is required", how_to_add
    if kind in _TYPES:
        return f"it has to be {_TYPES[kind]}, not {_described(value)}", _type_fix(kind, value)
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = words.format(context[key])
        return f"it has to be {bound}", f"use {bound}"
    if kind in ("literal_error", "enum"):
        allowed = [choice.strip("' ") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        guess = nearest(str(value), allowed)
        suggestion = f"did you mean {guess}? " if guess else ""
        return "it is none of the possible values", f"{suggestion}Use one of {', '.join(allowed)}"
    if kind in ("string_pattern_mismatch", "string_unicode"):
        name = next((str(part) for part in reversed(path) if part in _EXAMPLES), "")
        return "it has the wrong form", _EXAMPLES.get(name, f"write it like {context.get('pattern', 'plain text')}")
    if kind == "refusal":
        return context["reason"], context["fix"]
    return error["msg"], "see the field's description in the JSON schema that the file's first line names"


def _type_fix(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    if kind in ("int_type", "float_type", "bool_type") and isinstance(value, str):
        bare = value.strip().lower()
        if bare.lstrip("+-").isdigit() or (kind == "bool_type" and bare in ("true", "false")):
            return f"write it without quotes: {bare}"
    return f"write {_TYPES[kind]}"


def _described(value: Any) -> str:
    return "nothing" if value is None else _DESCRIBED.get(type(value), type(value).__name__)


def _fields_at(path: FieldPath, model: type[BaseModel]) -> list[str]:
    for part in path:
        if isinstance(part, int):  # the fields are those of the list's entries
            continue
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return sorted(f.alias or n for n, f in model.model_fields.items() if n != "name" or path)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, list, Annotated):
        return next((m for m in map(_model_in, get_args(annotation)) if m), None)
    return None
