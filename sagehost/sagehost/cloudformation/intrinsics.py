"""Intrinsic functions and conditions."""

import base64
import ipaddress
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.template import Template, attribute_of, sub_arguments, substitute, substituted
from sagehost.cloudformation.values import NO_VALUE, UNKNOWN, Json, as_text, has_unknown

if TYPE_CHECKING:
    from sagehost.cloudformation.target_state import TargetState

MOST_BUILT = 4_000_000
"""Characters that the functions of a template may build in all: a limit of our own."""


class Evaluator:
    """Turns the expressions of a template into values."""

    def __init__(self, template: Template, parameters: Mapping[str, Json], region: str, state: "TargetState") -> None:
        self._template = template
        self._parameters = parameters
        self._region = region
        self._state = state
        self._conditions: dict[str, bool] = {}
        self._pending: list[str] = []
        self._built = 0

    def holds(self, block: Mapping[str, Json]) -> bool:
        """Whether the condition of a resource or an output, if any, is true."""
        return "Condition" not in block or self.condition(block["Condition"])

    def condition(self, name: str) -> bool:
        """A condition's value. Raises ValidationError: it does not exist, or depends on itself."""
        if name not in self._conditions:
            if name in self._pending:
                raise ValidationError(f"Circular dependency between conditions: [{', '.join(self._pending)}]")
            expression = self._template.section("Conditions").get(name)
            if expression is None:
                raise ValidationError(f"Template error: unresolved condition dependency {name}")
            self._pending.append(name)
            self._conditions[name] = self.truth(expression)
            self._pending.pop()
        return self._conditions[name]

    def truth(self, expression: Json) -> bool:
        """The value of a boolean expression of Conditions or Rules."""
        match _function(expression):
            case "Condition", name:
                return self.condition(name)
            case "Fn::Equals", [first, second]:
                return as_text(self.value(first)) == as_text(self.value(second))
            case "Fn::And", [*parts]:
                return all(self.truth(part) for part in parts)
            case "Fn::Or", [*parts]:
                return any(self.truth(part) for part in parts)
            case "Fn::Not", [part]:
                return not self.truth(part)
            case "Fn::Contains", [items, item]:
                return as_text(self.value(item)) in {as_text(one) for one in self.value(items)}
        raise ValidationError(f"Template error: {expression} is not a condition function that is emulated")

    def value(self, node: Json) -> Json:
        """The value of any expression. Parts that are `AWS::NoValue` are left out."""
        if isinstance(node, list):
            return [part for part in map(self.value, node) if part is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        function, argument = _function(node)
        if function is None or function == "Condition":
            values = {key: self.value(part) for key, part in node.items()}
            return {key: part for key, part in values.items() if part is not NO_VALUE}
        value = self._result(function, argument)
        self._spend(len(value) if isinstance(value, str | list) else 1)
        return value

    def _result(self, function: str, argument: Json) -> Json:
        match function, argument:
            case "Fn::If", [str(condition), if_true, if_false]:
                return self.value(if_true if self.condition(condition) else if_false)
            case "Fn::If", _:
                raise ValidationError("Template error: Fn::If requires a list argument with three elements")
            case "Fn::Sub", _:
                return self._sub(*sub_arguments(argument))
            case "Ref", str(name):
                return self.reference(name)
            case "Fn::GetAtt", _:
                logical_id, name = attribute_of(argument)
                return self._state.attribute(logical_id, str(self.value(name)))
            case "Fn::FindInMap", [*path]:
                return self._find_in_map([self.value(part) for part in path])
        return self._call(function, self.value(argument))

    def _spend(self, characters: int) -> None:
        """Count what functions build: nested ones multiply a short template."""
        self._built += characters
        if self._built > MOST_BUILT:
            raise ValidationError(f"Template error: its functions build more than {MOST_BUILT} characters")

    def reference(self, name: str) -> Json:
        """What Ref gives for a resource, a parameter or a pseudo parameter."""
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._parameters:
            return self._parameters[name]
        return self._state.reference(name)

    def _sub(self, text: str, own: Mapping[str, Json]) -> Json:
        values: dict[str, str] = {}
        names = substituted(text)
        for name in dict.fromkeys(names):
            if name in own:
                value = self.value(own[name])
            elif "." in name:
                value = self._state.attribute(*name.split(".", 1))
            else:
                value = self.reference(name)
            if value is UNKNOWN:
                return UNKNOWN
            values[name] = as_text(value)
        self._spend(sum(len(values[name]) for name in names))
        return substitute(text, values)

    def _find_in_map(self, path: list[Json]) -> Json:
        value: Json = self._template.section("Mappings")
        for key in path:
            if not isinstance(value, dict) or str(key) not in value:
                raise ValidationError(f"Template error: Unable to get mapping for {'::'.join(map(str, path))}")
            value = value[str(key)]
        return value

    def _call(self, function: str, argument: Json) -> Json:
        if function == "Fn::ImportValue":
            return UNKNOWN if argument is UNKNOWN else self._state.imported(argument)
        if function == "Fn::GetAZs":
            region = argument or self._region
            return UNKNOWN if region is UNKNOWN else self._state.zones(region)
        if function not in _PURE:
            raise ValidationError(f"Template error: {function} is not emulated")
        if function != "Fn::Select" and has_unknown(argument):
            return UNKNOWN
        try:
            if function == "Fn::Join":
                self._spend(len(argument[0]) * len(argument[1]))
            return _PURE[function](argument)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise ValidationError(f"Template error: {function} does not take {argument} ({error})") from error


def _function(node: Json) -> tuple[str | None, Json]:
    if isinstance(node, dict) and len(node) == 1:
        (key, value), *_ = node.items()
        if key == "Ref" or key.startswith("Fn::") or (key == "Condition" and isinstance(value, str)):
            return key, value
    return None, None


def _join(argument: Any) -> str:
    separator, parts = argument
    return str(separator).join(as_text(part) for part in parts)


def _split(argument: Any) -> list[str]:
    separator, text = argument
    return str(text).split(separator)


def _select(argument: Any) -> Json:
    index, items = argument
    if items is UNKNOWN or index is UNKNOWN:
        return UNKNOWN
    if not isinstance(items, list) or not 0 <= int(index) < len(items):
        raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def _cidr(argument: Any) -> list[str]:
    block, count, *bits = argument
    if not 1 <= int(count) <= 256:
        raise ValueError("the count is from 1 to 256")
    network = ipaddress.ip_network(block)
    width = network.max_prefixlen - int(bits[0]) if bits else network.prefixlen + (int(count) - 1).bit_length()
    blocks = network.subnets(new_prefix=width)
    return [str(next(blocks)) for _ in range(int(count))]


_PURE: Mapping[str, Callable[[Any], Json]] = {
    "Fn::Base64": lambda value: base64.b64encode(as_text(value).encode()).decode(),
    "Fn::Cidr": _cidr,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
}
