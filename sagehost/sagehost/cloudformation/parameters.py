"""Template parameters: the values given, their constraints, and what SSM makes of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.template import Template
from sagehost.cloudformation.values import Json, as_text

_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_LIST = re.compile(r"List<(.+)>")

_MOST_BYTES = 4096

HIDDEN = "****"
"""What the API shows of a NoEcho parameter."""

SsmValue = Callable[[str], str]
"""Name of an SSM parameter -> its value. Raises ValidationError if there is none."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of one deployment."""

    given: Mapping[str, str]
    """As written by the caller or the template's default: of an SSM type, the name of the SSM parameter."""
    values: Mapping[str, Json]
    """What Ref gives: text, or a list of texts."""
    resolved: Mapping[str, str]
    """Of the SSM types: the value behind the name."""


def resolve(
    template: Template, given: Sequence[Mapping[str, Json]], previous: Mapping[str, str] | None, ssm_value: SsmValue
) -> Parameters:
    """Check the parameters of a request (`ParameterKey`, and `ParameterValue` or `UsePreviousValue`) and resolve them.

    Raises:
        ValidationError: a parameter is unknown, missing, or breaks a constraint.
    """
    declared = template.section("Parameters")
    asked = {str(parameter["ParameterKey"]): parameter for parameter in given}
    if unknown := sorted(set(asked) - set(declared)):
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    found = {name: _written(name, declaration, asked.get(name, {}), previous) for name, declaration in declared.items()}
    if missing := sorted(name for name, value in found.items() if value is None):
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    raw = {name: value for name, value in found.items() if value is not None}
    resolved: dict[str, str] = {}
    values: dict[str, Json] = {}
    for name, written in raw.items():
        kind, value = str(declared[name].get("Type")), written
        if match := _SSM_VALUE.fullmatch(kind):
            kind, value = match[1], ssm_value(written)
            resolved[name] = value
        is_list = kind == "CommaDelimitedList" or _LIST.fullmatch(kind)
        items = [part.strip() for part in value.split(",")] if is_list else [value]
        for reason in filter(None, (_broken(declared[name], kind, item) for item in items)):
            told = declared[name].get("ConstraintDescription") or reason
            raise ValidationError(f"Parameter {name} failed to satisfy constraint: {told}")
        values[name] = items if is_list else value
    return Parameters(given=raw, values=values, resolved=resolved)


def _written(
    name: str, declaration: Mapping[str, Json], asked: Mapping[str, Json], previous: Mapping[str, str] | None
) -> str | None:
    if asked.get("UsePreviousValue"):
        if "ParameterValue" in asked:
            raise ValidationError(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value "
                "for a parameter"
            )
        if previous is None or name not in previous:
            raise ValidationError(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key "
                "not in the previous template"
            )
        return previous[name]
    value = asked.get("ParameterValue", declaration.get("Default"))
    if value is None:
        return None
    if len((text := as_text(value)).encode()) > _MOST_BYTES:
        raise ValidationError(f"Parameter {name} must not have more than {_MOST_BYTES} bytes")
    return text


def _broken(declaration: Mapping[str, Json], kind: str, item: str) -> str | None:
    """Which constraint a value breaks."""
    allowed = [as_text(value) for value in declaration.get("AllowedValues", [])]
    if allowed and item not in allowed:
        return f"Parameter must be one of [{', '.join(allowed)}]"
    pattern, least, most = (declaration.get(name) for name in ("AllowedPattern", "MinLength", "MaxLength"))
    if pattern and not _matches(pattern, item):
        return f"Parameter must match pattern {pattern}"
    if not int(least or 0) <= len(item) <= int(most or 1 << 20):
        return f"Parameter must have {least or 0} to {most or '…'} characters"
    if "Number" in kind:
        if not re.fullmatch(r"[-+]?\d+(\.\d+)?", item):
            return "Parameter must be a number"
        low, high = float(declaration.get("MinValue", "-inf")), float(declaration.get("MaxValue", "inf"))
        if not low <= float(item) <= high:
            return f"Parameter must be between {low:g} and {high:g}"
    return None


def _matches(pattern: str, text: str) -> bool:
    if len(pattern) > _MOST_BYTES:
        raise ValidationError(f"Template error: an AllowedPattern has more than {_MOST_BYTES} characters")
    try:
        return regex.fullmatch(pattern, text, timeout=1) is not None
    except (regex.error, RecursionError, TimeoutError) as error:
        raise ValidationError(f"Template error: AllowedPattern {pattern} cannot be evaluated: {error}") from error
