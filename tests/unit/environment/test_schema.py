"""The JSON schema that editors use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from mistral7b import catalog, promotion
from mistral7b.environment import Environment, json_schema
from mistral7b.promotion.schema import PipelineSettings
from tools.field_reference import environment_file, pipeline_file

ROOT = Path(__file__).parents[3]
FILES = [file for file in sorted((ROOT / "tests" / "snapshot").glob("*/*.yaml")) if file.name != "pipeline.yaml"]


def refuses(values: dict[str, Any]) -> bool:
    return not jsonschema.Draft202012Validator(json_schema()).is_valid(values)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


@pytest.mark.parametrize("model", [Environment, PipelineSettings])
def test_a_field_of_several_forms_has_a_discriminator(model: type[BaseModel]) -> None:
    """Then pydantic reports a mistake once, in the form that is meant: `oneOf` in the schema, else `anyOf`."""
    for node in nodes(model.model_json_schema()):
        forms = [one for one in node.get("anyOf", []) if one != {"type": "null"} and one.get("enum") != ["auto"]]
        assert len(forms) < 2, node


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_environment_file_fits_the_schema_by_itself(file: Path) -> None:
    jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), json_schema())


def test_the_schema_marks_an_unknown_launcher_variable() -> None:
    with pytest.raises(jsonschema.ValidationError, match="MAX_CONCURENT_REQUESTS"):
        jsonschema.validate({"tgi": {"MAX_CONCURENT_REQUESTS": 4}}, json_schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "us-esat-1"},
        {"instance": {"type": "g5.2xlarge"}},
        {"model_version": "v2.0.0"},
        {"model_version": "latest"},
        {"account": 444455556666},
        {"workload": {"objective": {}}},
        {"network": {"vpc": {}, "existing_vpc": {"vpc_id": "vpc-12345678"}}},
    ],
    ids=str,
)
def test_the_schema_marks_a_value_that_loading_refuses(wrong: dict[str, Any]) -> None:
    assert refuses(wrong)


def test_the_schema_lists_every_region_type_and_version_of_the_catalogue() -> None:
    versions = [version for model in catalog.models() for version in model.versions]
    known = {
        "region": {region for version in versions for region in version.regions},
        "model_version": {version.version for version in versions},
        "type": {name for version in versions for name in version.supported_instance_types},
    }
    listed: dict[str, set[str]] = {}
    for part in nodes(json_schema()):
        for name in known.keys() & part.get("properties", {}).keys():
            listed[name] = {value for one in nodes(part["properties"][name]) for value in one.get("enum", ())}
    assert listed == known


def test_the_schema_lets_any_field_be_null() -> None:
    fields = [part["properties"] for part in nodes(json_schema()) if "additionalProperties" in part]
    assert [n for f in fields for n, shape in f.items() if {"type": "null"} not in shape["anyOf"]] == []


def test_the_schema_lets_null_replace_the_other_kind_of_vpc() -> None:
    assert not refuses({"network": {"vpc": None, "existing_vpc": {"vpc_id": "vpc-12345678"}}})


def test_the_schema_lets_a_figure_be_auto() -> None:
    assert not refuses({"instance": {"count": "auto"}, "tgi": {"MAX_INPUT_LENGTH": "auto"}})


@pytest.mark.parametrize("schema", [json_schema(), promotion.json_schema()], ids=["environment", "pipeline"])
def test_only_the_file_has_a_title(schema: dict[str, Any]) -> None:
    assert [node["title"] for node in nodes(schema) if "title" in node] == [schema["title"]]


def test_the_reference_says_which_fields_are_required() -> None:
    rows = [line.split(" | ") for line in environment_file().splitlines() if line.startswith("| `")]
    required = {row[0].strip("| `") for row in rows if row[1] == "yes"}
    assert {"region", "vpc_id", "subnet_ids", "cidr", "input_tokens", "objective"} <= required
    assert required.isdisjoint({"name", "account", "instance", "route_table_ids"})


def test_every_field_has_a_description() -> None:
    schema = json_schema()
    without = [
        f"{name}.{field}"
        for name, section in {"environment": schema, **schema["$defs"]}.items()
        for field, value in section.get("properties", {}).items()
        if "description" not in value and not any("$ref" in form for form in value["anyOf"])
    ]
    assert without == []


def test_every_row_of_the_references_tables_is_one_line() -> None:
    texts = (environment_file(), pipeline_file())
    rows = [line for text in texts for line in text.splitlines() if line.startswith("|")]
    assert {row.count(" | ") for row in rows if row.startswith("| `")} == {4}
