"""Intrinsic functions, conditions and parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagehost.cloudformation import parameters
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.intrinsics import Evaluator
from sagehost.cloudformation.template import parse
from sagehost.cloudformation.values import UNKNOWN, has_unknown


class World:
    """A resource that exists, one that does not yet, and an export."""

    def reference(self, logical_id: str) -> Any:
        return {"Old": "old-id", "AWS::Region": "us-east-1"}.get(logical_id, UNKNOWN)

    def attribute(self, logical_id: str, name: str) -> Any:
        return f"{logical_id}.{name}" if logical_id == "Old" else UNKNOWN

    def imported(self, export: str) -> Any:
        return f"import of {export}"

    def zones(self, region: str) -> list[str]:
        return [f"{region}a", f"{region}b"]


STATE: Any = World()  # in the place of a TargetState

DOCUMENT = {
    "Resources": {"Old": {"Type": "AWS::SNS::Topic"}, "New": {"Type": "AWS::SNS::Topic"}},
    "Mappings": {"Sizes": {"us-east-1": {"small": ["a", "b"]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Name"}, "given"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
    },
    "Parameters": {"Name": {"Type": "String"}, "List": {"Type": "CommaDelimitedList"}},
}


@pytest.fixture
def evaluator() -> Evaluator:
    return Evaluator(parse(json.dumps(DOCUMENT)), {"Name": "given", "List": ["x", "y"]}, "us-east-1", STATE)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Name"}, "given"),
        ({"Ref": "List"}, ["x", "y"]),
        ({"Ref": "Old"}, "old-id"),
        ({"Ref": "New"}, UNKNOWN),
        ({"Fn::GetAtt": ["Old", "Arn"]}, "Old.Arn"),
        ({"Fn::GetAtt": "Old.Nested.Part"}, "Old.Nested.Part"),
        ({"Fn::Sub": "${Name}-${Old}-${Old.Arn}-${!Literal}"}, "given-old-id-Old.Arn-${Literal}"),
        ({"Fn::Sub": ["${Own}-${Name}", {"Own": {"Fn::Join": ["+", ["a", 1, True]]}}]}, "a+1+true-given"),
        ({"Fn::Sub": "${Name} ${New}"}, UNKNOWN),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "x,y"),
        ({"Fn::Join": [",", ["a", {"Ref": "New"}]]}, UNKNOWN),
        ({"Fn::Split": [".", "a.b"]}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "y"),
        ({"Fn::Select": [0, ["known", {"Ref": "New"}]]}, "known"),
        ({"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "New"}]}]}, UNKNOWN),
        ({"Fn::If": ["Yes", "then", {"Fn::ImportValue": "never"}]}, "then"),
        ({"Fn::If": ["No", "then", "else"]}, "else"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "small"]}, ["a", "b"]),
        ({"Fn::ImportValue": {"Fn::Sub": "${Name}"}}, "import of given"),
        ({"Fn::GetAZs": ""}, ["us-east-1a", "us-east-1b"]),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["us-east-1a", "us-east-1b"]),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
        ({"Fn::Cidr": ["10.0.0.0/16", 3, "8"]}, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ({"plain": {"Ref": "Name"}, "gone": {"Ref": "AWS::NoValue"}}, {"plain": "given"}),
        ([1, {"Ref": "AWS::NoValue"}, {"Fn::If": ["No", 2, {"Ref": "AWS::NoValue"}]}], [1]),
        ({"Condition": "a property of this name"}, {"Condition": "a property of this name"}),
    ],
)
def test_functions_return_their_value_or_unknown(evaluator: Evaluator, expression: Any, value: Any) -> None:
    assert evaluator.value(expression) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform is not emulated"),
        ({"Fn::Length": {"Ref": "List"}}, "Fn::Length is not emulated"),  # CloudFormation wants a transform for it
        ({"Fn::If": ["Yes", "only one"]}, "Fn::If requires a list argument with three elements"),
        ({"Fn::Select": [2, {"Ref": "List"}]}, "cannot select nonexistent value at index 2"),
        ({"Fn::FindInMap": ["Sizes", "mars", "small"]}, "Unable to get mapping for Sizes::mars::small"),
        ({"Fn::If": ["Loop", 1, 2]}, r"Circular dependency between conditions: \[Loop\]"),
    ],
)
def test_expressions_that_have_no_value_are_refused(evaluator: Evaluator, expression: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        evaluator.value(expression)


@pytest.mark.parametrize(("name", "value"), [("Yes", True), ("No", False), ("Both", False), ("Either", True)])
def test_conditions(evaluator: Evaluator, name: str, value: bool) -> None:
    assert evaluator.condition(name) is value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text().filter(lambda key: not key.startswith("Fn::")), parts),
)


def plain(value: Any) -> bool:
    if isinstance(value, dict):
        return "Ref" not in value and all(map(plain, value.values()))
    return all(map(plain, value)) if isinstance(value, list) else True


@given(JSON.filter(plain))
def test_a_value_without_functions_is_itself(value: Any) -> None:
    evaluated = Evaluator(parse(json.dumps(DOCUMENT)), {}, "us-east-1", STATE).value(value)
    assert evaluated == value
    assert not has_unknown(evaluated)


def declared(**parameter: Any) -> Any:
    return parse(json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic"}}, "Parameters": {"P": parameter}}))


def given_as(value: str) -> list[dict[str, str]]:
    return [{"ParameterKey": "P", "ParameterValue": value}]


def test_a_list_parameter_is_split_at_its_commas() -> None:
    resolved = parameters.resolve(declared(Type="List<AWS::EC2::Subnet::Id>"), given_as("a, b"), None, str)
    assert resolved.values == {"P": ["a", "b"]}


def test_a_parameter_takes_its_default_unless_it_is_given() -> None:
    template = declared(Type="Number", Default=3)
    assert parameters.resolve(template, [], None, str).values == {"P": "3"}
    assert parameters.resolve(template, given_as("4"), None, str).values == {"P": "4"}


@pytest.mark.parametrize(
    ("declaration", "given", "message"),
    [
        ({"Type": "String"}, [], r"Parameters: \[P\] must have values"),
        ({"Type": "String"}, [{"ParameterKey": "Q", "ParameterValue": ""}], r"Parameters: \[Q\] do not exist"),
        ({"Type": "String", "AllowedValues": ["a", True]}, given_as("b"), r"Parameter must be one of \[a, true\]"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, given_as("A"), "must match pattern"),
        ({"Type": "String", "MinLength": 2}, given_as("a"), "must have 2 to"),
        ({"Type": "Number"}, given_as("a"), "must be a number"),
        ({"Type": "Number", "MaxValue": 2}, given_as("3"), "must be between -inf and 2"),
        (
            {"Type": "String", "AllowedPattern": "a", "ConstraintDescription": "only a"},
            given_as("b"),
            "Parameter P failed to satisfy constraint: only a",
        ),
        ({"Type": "String"}, [{"ParameterKey": "P", "UsePreviousValue": True}], "not in the previous template"),
        (
            {"Type": "String"},
            [{"ParameterKey": "P", "UsePreviousValue": True, "ParameterValue": "x"}],
            "Cannot specify usePreviousValue as true and non empty value",
        ),
    ],
)
def test_parameters_that_break_their_declaration_are_refused(
    declaration: dict[str, Any], given: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        parameters.resolve(declared(**declaration), given, {}, str)


def nested(function: Callable[[Any], Any], times: int = 40) -> Any:
    expression: Any = "aaaa"
    for _ in range(times):
        expression = function(expression)
    return expression


@pytest.mark.parametrize(
    "expression",
    [
        nested(lambda part: {"Fn::Sub": ["${A}${A}", {"A": part}]}),
        nested(lambda part: {"Fn::Join": ["a" * 10, {"Fn::Split": ["a", part]}]}),
        nested(lambda part: {"Fn::Base64": part}, 60),
        {"Fn::Join": ["", [{"Fn::Join": ["", ["x" * 9000]]}] * 1000]},
    ],
)
def test_functions_that_multiply_a_value_are_refused(evaluator: Evaluator, expression: Any) -> None:
    with pytest.raises(ValidationError, match="its functions build more than 4000000 characters"):
        evaluator.value(expression)


@pytest.mark.parametrize(
    "expression",
    [
        {"Ref": ["Name"]},
        {"Fn::Join": "x"},
        {"Fn::Split": ["", "a"]},
        {"Fn::Select": ["x", ["a"]]},
        {"Fn::Select": [0, "ab"]},
        {"Fn::FindInMap": 7},
        {"Fn::Cidr": ["x", "y"]},
        {"Fn::Cidr": ["10.0.0.0/8", 1000000, 1]},
        {"Fn::If": [["Yes"], 1, 2]},
    ],
)
def test_wrong_arguments_are_refused(evaluator: Evaluator, expression: Any) -> None:
    with pytest.raises(ValidationError, match="Template error"):
        evaluator.value(expression)


@pytest.mark.parametrize(
    "expression", [{"Fn::Equals": ["a"]}, {"Fn::And": 1}, {"Fn::Not": []}, {"Fn::Contains": ["a"]}, "x"]
)
def test_wrong_arguments_of_conditions_are_refused(evaluator: Evaluator, expression: Any) -> None:
    with pytest.raises(ValidationError, match="is not a condition function that is emulated"):
        evaluator.truth(expression)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(a|a|a)*$", r"AllowedPattern \(a\|a\|a\)\*\$ cannot be evaluated: regex timed out"),
        ("(((", "cannot be evaluated: missing \\)"),
        ("a" * 5000, "an AllowedPattern has more than 4096 characters"),
    ],
)
def test_a_pattern_that_cannot_be_evaluated_is_refused(pattern: str, message: str) -> None:
    declared = {"P": {"Type": "String", "AllowedPattern": pattern, "Default": "a" * 400 + "b"}}
    template = parse(json.dumps({"Resources": DOCUMENT["Resources"], "Parameters": declared}))
    with pytest.raises(ValidationError, match=message):
        parameters.resolve(template, [], None, str)


def test_a_parameter_takes_4096_characters() -> None:
    template = parse(json.dumps({"Resources": DOCUMENT["Resources"], "Parameters": {"P": {"Type": "String"}}}))
    assert parameters.resolve(template, given_as("a" * 4096), None, str).values
    with pytest.raises(ValidationError, match="must not have more than 4096 bytes"):
        parameters.resolve(template, given_as("a" * 4097), None, str)
