"""The JSON schema that editors use."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mistral7b.environment import json_schema, reference

FOLDER = Path(__file__).parents[3] / "environments"
FILES = sorted(file for file in FOLDER.glob("*.yaml") if file.name != "pipeline.yaml")


def test_the_schema_file_is_what_the_code_says() -> None:
    stored = json.loads((FOLDER / "environment.schema.json").read_text(encoding="utf-8"))
    assert stored == json_schema(), "run `make schema`"


def test_the_reference_is_what_the_code_says() -> None:
    stored = (FOLDER.parent / "docs" / "environment-file.md").read_text(encoding="utf-8")
    assert stored == reference.markdown(), "run `make schema`"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_environment_file_fits_the_schema_by_itself(file: Path) -> None:
    jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), json_schema())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_environment_file_names_the_schema_for_editors(file: Path) -> None:
    assert "# yaml-language-server: $schema=environment.schema.json" in file.read_text(encoding="utf-8")


def test_the_schema_marks_an_unknown_launcher_variable() -> None:
    with pytest.raises(jsonschema.ValidationError, match="MAX_CONCURENT_REQUESTS"):
        jsonschema.validate({"tgi": {"MAX_CONCURENT_REQUESTS": 4}}, json_schema())


def test_every_field_has_a_description() -> None:
    schema = json_schema()
    without = [
        f"{name}.{field}"
        for name, section in {"environment": schema, **schema["$defs"]}.items()
        for field, value in section.get("properties", {}).items()
        if "description" not in value and "$ref" not in value
    ]
    assert without == []
