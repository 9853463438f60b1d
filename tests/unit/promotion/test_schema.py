"""The schema that editors read, and the reference."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from mistral7b.promotion import json_schema

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "tests" / "snapshot").glob("*/pipeline.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_pipeline_file_fits_the_schema(file: Path) -> None:
    jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), json_schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "1"},
        {"environments": []},
        {"colour": "red"},
        {"source": {"repository": 1}},
        {"region": None},
        {"region": "us-esat-1"},
    ],
)
def test_an_editor_refuses_what_the_schema_does_not_allow(wrong: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(FILES[0].read_text(encoding="utf-8")) | wrong, json_schema())
