"""Syntax of templates, references and order."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.template import dependants_first, parse, references


def template(resources: Any, **sections: Any) -> str:
    return json.dumps({"Resources": resources, **sections})


ONE = {"A": {"Type": "AWS::SNS::Topic"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "JSON not well-formed"),
        ("a: [", "YAML not well-formed"),
        ("text", "unsupported structure"),
        ("{}", "At least one Resources member must be defined."),
        (template({}), "At least one Resources member must be defined."),
        (template(ONE, Metadata=float("nan")), "JSON not well-formed"),
        ('{"Resources": ' + "[" * 5000 + "]" * 5000 + "}", "JSON not well-formed"),
        ("Resources: " + "[" * 5000 + "]" * 5000, "YAML so large or deep is not emulated"),
        ("Resources: {A: !!binary YQ==}", "YAML not well-formed"),
        ("Resources: {A: .inf}", "YAML not well-formed"),
        ("Resources: {A: 0x" + "9" * 9000 + "}", "YAML not well-formed"),
        ("Resources: &a {A: *a}", "YAML aliases are not allowed in CloudFormation templates"),
        (
            template({f"A{n}": ONE["A"] for n in range(501)}),
            "resources, 501, is greater than maximum allowed, 500",
        ),
        (template(ONE, Outputs={f"O{n}": {"Value": 1} for n in range(201)}), "Number of outputs, 201, is greater than"),
        (template(ONE, Parameters=[1]), r"\[/Parameters\] expected type: object, found: list"),
        (template(ONE, Parameters={"P": "x"}), r"\[/Parameters/P\] expected type: object"),
        (template(ONE, Outputs={"O": {"Valeu": 1}}), r"\[/Outputs/O\] .*\(did you mean Value\?\)"),
        (template({"A": {**ONE["A"], "DependsOn": {"a": 1}}}), r"\[/Resources/A/DependsOn\] expected type"),
        (
            template({"A": {**ONE["A"], "Properties": {"DisplayName": {"Fn::Sub": []}}}}),
            "don't specify expected arguments",
        ),
        (template(ONE, Resource={}), r"Invalid template property or properties \[Resource\]"),
        (template(ONE, Transform="AWS::Serverless-2016-10-31"), "Transform AWS::Serverless-2016-10-31 is not emulated"),
        (template({"A": {}}), r"\[/Resources/A\] Every Resources object must contain a Type member"),
        (template({"A-b": ONE["A"]}), "Resource name A-b is non alphanumeric"),
        (template({"A": {**ONE["A"], "Propertys": {}}}), r"'Propertys' of A \(did you mean Properties\?\)"),
        (template({"A": {**ONE["A"], "Properties": []}}), r"\[/Resources/A/Properties\] must be an object"),
        (template({"A": {**ONE["A"], "CreationPolicy": {}}}), "CreationPolicy is not emulated"),
        (template({"A": {**ONE["A"], "DeletionPolicy": "Keep"}}), "Unrecognized DeletionPolicy Keep for resource A"),
        (template({"A": {**ONE["A"], "DeletionPolicy": "Snapshot"}}), "DeletionPolicy Snapshot is not emulated"),
        (
            template({"A": {**ONE["A"], "DependsOn": "B"}}),
            r"Unresolved resource dependencies \[B\] in the Resources block",
        ),
        (template(ONE, Outputs={"O": {"Value": {"Ref": "B"}}}), r"dependencies \[B\] in the Outputs block"),
        (template({"A": {**ONE["A"], "Condition": "C"}}), "Unresolved condition dependency C in the Resources block"),
        (template(ONE, Conditions={"C": {"Fn::Not": [{"Condition": "D"}]}}), "dependency D in the Conditions block"),
        (template(ONE, Outputs={"O": {"Value": 1, "Condition": "C"}}), "dependency C in the Outputs block"),
        (
            template({"A": {**ONE["A"], "Properties": {"TopicName": {"Fn::GetAtt": ["A"]}}}}),
            "every Fn::GetAtt object requires two non-empty parameters",
        ),
    ],
)
def test_an_invalid_template_is_refused_with_the_reason(body: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        parse(body)


def test_aliases_are_refused_before_they_multiply() -> None:
    levels = "".join(f"  m{n}: &m{n} [{', '.join([f'*m{n - 1}'] * 9)}]\n" for n in range(1, 40))
    with pytest.raises(ValidationError, match="YAML aliases are not allowed"):
        parse(f"Resources: {{A: {{Type: AWS::SNS::Topic}}}}\nMetadata:\n  m0: &m0 lol\n{levels}")


def test_keys_of_yaml_are_texts() -> None:
    parsed = parse("Resources: {A: {Type: AWS::SNS::Topic}}\nMappings: {Sizes: {us-east-1: {64: a}}}")
    assert parsed.section("Mappings") == {"Sizes": {"us-east-1": {"64": "a"}}}


def test_a_cycle_is_refused_with_the_resources_in_it() -> None:
    def refers_to(name: str) -> dict[str, Any]:
        return {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::Sub": f"${{{name}}}"}}}

    body = template({"A": refers_to("B"), "B": refers_to("C"), "C": refers_to("A"), "D": refers_to("A")})
    with pytest.raises(ValidationError, match=r"Circular dependency between resources: \[") as refused:
        parse(body)
    assert {name for name in "ABCD" if name in refused.value.message.split("[")[1]} == {"A", "B", "C"}


@pytest.mark.parametrize(
    ("node", "found"),
    [
        ({"Ref": "A"}, {"A"}),
        ({"Fn::GetAtt": ["A", "Arn"]}, {"A"}),
        ({"Fn::GetAtt": "A.Arn"}, {"A"}),
        ({"Fn::Sub": "${A} ${B.Arn} ${!C} ${ D }"}, {"A", "B", "D"}),
        ({"Fn::Sub": ["${A} ${Own}", {"Own": {"Ref": "B"}}]}, {"A", "B"}),
        ({"Fn::If": ["Condition", {"Ref": "A"}, {"Ref": "B"}]}, {"A", "B"}),
        ({"Fn::Join": ["", [{"Ref": "A"}, {"deep": [{"Ref": "B"}]}]]}, {"A", "B"}),
    ],
)
def test_references_are_found_in_every_form(node: Any, found: set[str]) -> None:
    assert set(references(node)) == found


def test_the_short_forms_of_yaml_mean_the_long_ones() -> None:
    body = """
    Conditions:
      C: !Equals [!Ref AWS::Region, here]
    Resources:
      A:
        Type: AWS::SNS::Topic
        Condition: C
        Properties:
          DisplayName: !Sub "${B}"
          TopicName: !If [C, !GetAtt B.TopicName, !Select [0, !Split [",", a]]]
      B:
        Type: AWS::SNS::Topic
        Properties: {Version: 2012-10-17}
    """
    parsed = parse(body)
    assert parsed.section("Conditions")["C"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "here"]}
    assert parsed.resources["A"]["Properties"] == {
        "DisplayName": {"Fn::Sub": "${B}"},
        "TopicName": {
            "Fn::If": [
                "C",
                {"Fn::GetAtt": ["B", "TopicName"]},
                {"Fn::Select": [0, {"Fn::Split": [",", "a"]}]},
            ]
        },
    }
    assert parsed.resources["B"]["Properties"] == {"Version": "2012-10-17"}


def test_json_and_yaml_of_the_same_template_are_the_same() -> None:
    document = {"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "a: b", "Tags": []}}}}
    assert parse(json.dumps(document)).document == parse(yaml.safe_dump(document)).document


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, set[str]]:
    """Dependencies without a cycle: each name depends on earlier ones only."""
    names = [f"R{number}" for number in range(draw(st.integers(1, 12)))]
    return {name: draw(st.sets(st.sampled_from(names[:index]))) if index else set() for index, name in enumerate(names)}


@given(graphs())
def test_resources_come_after_what_they_depend_on_and_go_before_it(graph: dict[str, set[str]]) -> None:
    resources = {name: {"Type": "AWS::SNS::Topic", "DependsOn": sorted(before)} for name, before in graph.items()}
    order = parse(template(resources)).order(graph)
    going = dependants_first(graph)
    assert sorted(order) == sorted(going) == sorted(graph)
    for name, before in graph.items():
        assert all(order.index(other) < order.index(name) for other in before)
        assert all(going.index(other) > going.index(name) for other in before)
