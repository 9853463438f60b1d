"""JSON schema as CloudFormation means it.

CloudFormation is lenient where JSON schema is strict: "1" is a number, 1 and true are strings. Before deployment some
values are unknown. And its schemas, as cfn-lint ships them, have some keywords of their own. So each keyword of the
standard is wrapped rather than rewritten.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
import regex  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from sagehost.cloudformation.values import UNKNOWN, Json, as_text, has_unknown, hint

_NUMBER = regex.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")


def _is_number(_: Any, value: Json) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (
        isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    )


def _is_string(_: Any, value: Json) -> bool:
    return isinstance(value, str | int | float)


Schema = Mapping[str, Any]
Errors = Iterator[jsonschema.ValidationError]
Keyword = Callable[[Any, Any, Any, Schema], Errors | None]


def _of(
    keyword: Keyword, applies: Callable[[Json], bool], converted: Callable[[Json], Json] = lambda value: value
) -> Keyword:
    """A keyword for the values to which it applies, converted."""

    def check(validator: Any, value: Any, instance: Json, schema: Schema) -> Errors:
        if applies(instance):
            yield from keyword(validator, value, converted(instance), schema) or ()

    return check


def _enum(validator: Any, values: list[Any], instance: Json, schema: Schema) -> Errors:
    if "type" in schema and not validator.evolve(schema={"type": schema["type"]}).is_valid(instance):
        return  # of the wrong type, which is told already
    if not isinstance(instance, dict | list) and as_text(instance) not in {as_text(value) for value in values}:
        yield jsonschema.ValidationError(f"{instance} is not a valid enum value (one of {', '.join(map(str, values))})")


def _pattern(_: Any, pattern: str, instance: Json, __: Schema) -> Errors:
    # The patterns are Java's: `regex` knows \\p{…}, which `re` does not.
    if _is_string(None, instance) and not regex.search(pattern, as_text(instance)):
        yield jsonschema.ValidationError(f"string [{instance}] does not match pattern {pattern}")


def _required(_: Any, names: list[str], instance: Json, __: Schema) -> Errors:
    for name in names:
        if isinstance(instance, dict) and name not in instance:
            yield jsonschema.ValidationError(f"required key [{name}] not found")


def _type(validator: Any, types: str | list[str], instance: Json, _: Schema) -> Errors:
    listed = [types] if isinstance(types, str) else types
    if not any(validator.is_type(instance, one) for one in listed):
        message = f"expected type: {', '.join(listed)}, found: {type(instance).__name__}"
        yield jsonschema.ValidationError(message)


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Json, _: Schema) -> Errors:
    if isinstance(instance, dict):
        for pattern, schema in patterns.items():
            for name, value in instance.items():
                if regex.search(pattern, name):
                    yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(_: Any, allowed: Any, instance: Json, schema: Schema) -> Errors:
    if allowed is False and isinstance(instance, dict):
        legal, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name in sorted(set(instance) - set(legal)):
            if not any(regex.search(pattern, name) for pattern in patterns):
                yield jsonschema.ValidationError(f"extraneous key [{name}] is not permitted{hint(name, legal)}")


def _exactly_one_of(_: Any, names: list[str], instance: Json, __: Schema) -> Errors:
    if isinstance(instance, dict) and len(present := [name for name in names if name in instance]) != 1:
        yield jsonschema.ValidationError(
            f"exactly one of [{', '.join(names)}] is required, found {', '.join(present) or 'none'}"
        )


def _at_least_one_of(_: Any, names: list[str], instance: Json, __: Schema) -> Errors:
    if isinstance(instance, dict) and not any(name in instance for name in names):
        yield jsonschema.ValidationError(f"at least one of [{', '.join(names)}] is required")


def _excludes(_: Any, exclusions: Mapping[str, list[str]], instance: Json, __: Schema) -> Errors:
    if isinstance(instance, dict):
        for name, excluded in exclusions.items():
            if name in instance and (both := [other for other in excluded if other in instance]):
                yield jsonschema.ValidationError(f"[{name}] excludes [{', '.join(both)}]")


_STANDARD = Draft202012Validator.VALIDATORS
_KEYWORDS: dict[str, Keyword] = {
    **_STANDARD,
    **{
        name: _of(_STANDARD[name], lambda value: _is_number(None, value), float)
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    },
    **{
        name: _of(_STANDARD[name], lambda value: _is_string(None, value), as_text)
        for name in ("minLength", "maxLength")
    },
    "uniqueItems": _of(_STANDARD["uniqueItems"], lambda value: not has_unknown(value)),
    "additionalProperties": _additional_properties,
    "patternProperties": _pattern_properties,
    "enum": _enum,
    "required": _required,
    "type": _type,
    "pattern": _pattern,
    "requiredXor": _exactly_one_of,
    "requiredOr": _at_least_one_of,
    "dependentExcluded": _excludes,
    # With values unknown, several alternatives may hold at once.
    "oneOf": _STANDARD["anyOf"],
}
Validator = extend(
    Draft202012Validator,
    validators={name: _of(keyword, lambda value: value is not UNKNOWN) for name, keyword in _KEYWORDS.items()},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "number": _is_number,
            "integer": lambda _, value: _is_number(_, value) and float(value).is_integer(),
            "boolean": lambda _, value: str(value).lower() in ("true", "false") and isinstance(value, bool | str),
            "string": _is_string,
        }
    ),
)
