"""The schema that editors read, and the reference: they say what the code says, and the project's file fits."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mistral7b.promotion import json_schema, load_promotion, reference

FOLDER = Path(__file__).parents[3] / "environments"
TEXT = (FOLDER / "pipeline.yaml").read_text(encoding="utf-8")


def test_the_stored_schema_is_what_the_code_says() -> None:
    assert json.loads((FOLDER / "pipeline.schema.json").read_text(encoding="utf-8")) == json_schema(), (
        "run `make schema`"
    )


def test_the_reference_is_what_the_code_says() -> None:
    stored = (FOLDER.parent / "docs" / "pipeline-file.md").read_text(encoding="utf-8")
    assert stored == reference.markdown(), "run `make schema`"


def test_the_projects_pipeline_fits_the_schema_and_names_it_for_editors() -> None:
    jsonschema.validate(yaml.safe_load(TEXT), json_schema())
    assert TEXT.startswith("# yaml-language-server: $schema=pipeline.schema.json\n")


def test_the_projects_pipeline_promotes_dev_staging_prod() -> None:
    promotion = load_promotion(FOLDER)
    assert promotion is not None
    assert [(one.name, one.approval, len(one.gates)) for one in promotion.environments] == [
        ("dev", False, 0),
        ("staging", False, 1),
        ("prod", True, 0),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"account": "1"}, {"environments": []}, {"colour": "red"}, {"source": {"repository": 1}}, {"region": None}],
)
def test_an_editor_refuses_what_the_schema_does_not_allow(wrong: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(TEXT) | wrong, json_schema())
