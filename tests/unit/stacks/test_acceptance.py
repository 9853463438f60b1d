"""What `make check` shows of an edit of environments/, and what `make accept` keeps."""

import json
from pathlib import Path
from typing import Any

from mistral7b_stacks.acceptance import accept, differences


def stack(**resources: Any) -> dict[str, Any]:
    return {
        "Resources": {name: {"Type": "AWS::X::Y", "Properties": properties} for name, properties in resources.items()}
    }


def test_equal_templates_have_no_differences() -> None:
    assert differences({"dev": stack(A={"B": [1]})}, {"dev": stack(A={"B": [1]})}) == []


def test_a_changed_value_is_shown_with_its_path_in_one_line() -> None:
    before, after = stack(Model={"Environment": {"LIMIT": "128"}}), stack(Model={"Environment": {"LIMIT": "64"}})
    assert differences({"dev": before}, {"dev": after}) == [
        "~ stack dev",
        "    ~ AWS::X::Y Model",
        '        Environment.LIMIT: "128" -> "64"',
    ]


def test_long_values_stand_below_each_other() -> None:
    before, after = stack(Role={"Arn": "a" * 60}), stack(Role={"Arn": "b" * 60})
    assert differences({"dev": before}, {"dev": after})[-3:] == [
        "        Arn:",
        f'            - "{"a" * 60}"',
        f'            + "{"b" * 60}"',
    ]


def test_an_added_value_is_shown_against_none() -> None:
    assert differences({"dev": stack(A={})}, {"dev": stack(A={"B": False})})[-1] == "        B: (none) -> false"


def test_added_and_removed_resources_and_stacks_are_shown() -> None:
    before = {"dev": stack(A={}), "qa": stack(A={})}
    after = {"dev": stack(B={}), "prod": stack(A={}, B={})}
    assert differences(before, after) == [
        "~ stack dev",
        "    - AWS::X::Y A",
        "    + AWS::X::Y B",
        "+ stack prod",
        "- stack qa",
    ]


def test_changed_outputs_are_shown() -> None:
    before, after = stack() | {"Outputs": {"Name": {"Value": "a"}}}, stack() | {"Outputs": {"Name": {"Value": "b"}}}
    assert differences({"dev": before}, {"dev": after}) == ["~ stack dev", '    Outputs.Name.Value: "a" -> "b"']


def test_accepting_replaces_the_accepted_templates(tmp_path: Path) -> None:
    accept(tmp_path, {"dev": stack(A={}), "qa": stack(A={})})
    accept(tmp_path, {"dev": stack(A={"B": "ü"})})
    assert [file.name for file in tmp_path.iterdir()] == ["dev.json"]
    assert json.loads((tmp_path / "dev.json").read_text(encoding="utf-8")) == {
        "Resources": {"A": {"Type": "AWS::X::Y", "Properties": {"B": "ü"}}}
    }
