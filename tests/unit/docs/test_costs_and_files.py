"""The figures of docs/costs.md, and the files of docs/files.md, against the code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mistral7b.catalog.data import load
from mistral7b.environment import Environment, load_environment
from mistral7b.operate.costs import Span, estimate
from mistral7b_stacks.stage import EnvironmentStage
from tests.variants import new_app

DOCS = Path(__file__).parents[3] / "docs"
COSTS, FILES = ((DOCS / name).read_text(encoding="utf-8") for name in ("costs.md", "files.md"))
SCHEMA = json.loads((DOCS.parent / "schemas" / "environment.schema.json").read_text(encoding="utf-8"))
SHAPES = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \| `(\{.*?\})` \|$", COSTS, re.MULTILINE)
SHOWN = dict(re.findall(r"```yaml\n# environments/([a-z]+)\.yaml\n(.*?)```", FILES, re.DOTALL))


def environment(folder: Path, name: str, text: str) -> Environment:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_environment(folder, name)


def span(values: Span | None, digits: int) -> str:
    assert values is not None
    return " to ".join(dict.fromkeys(f"{value:,.{digits}f}" for value in values))


def test_the_page_has_environments_to_compare() -> None:
    assert "{}" in [settings for *_, settings in SHAPES]


@pytest.mark.parametrize(("hour", "month", "settings"), SHAPES, ids=[settings for *_, settings in SHAPES])
def test_an_environment_costs_what_the_page_says(hour: str, month: str, settings: str, tmp_path: Path) -> None:
    text = "region: us-east-1\n" + "".join(
        f"{field}: {json.dumps(value)}\n" for field, value in YAML(typ="safe").load(settings).items()
    )
    total = estimate(environment(tmp_path, "shape", text)).total
    assert (span(total.usd_per_hour, 3), span(total.usd_per_month, 2)) == (hour, month)


def test_the_page_says_what_its_prices_are_of() -> None:
    prices = load("prices.json")
    date, rest = prices["as_of"].split(", ", 1)
    assert f"in us-east-1, {rest}, as of {date}" in COSTS
    usd = prices["usd"]["us-east-1"]
    shown = re.findall(r"^\| [^|]+ \| (\d+\.\d+)", COSTS, re.MULTILINE)
    parts = ("key", "alarm", "alarm_metric", "dashboard", "log_written_gib", "bucket_gib")
    wanted = {usd["instance_hour"]["ml.g5.2xlarge"], usd["interface_endpoint_zone_hour"], *(usd[one] for one in parts)}
    assert wanted <= {float(one) for one in shown}


@pytest.mark.parametrize("name", ["small", "full"])
def test_a_file_synthesizes_as_it_stands(name: str, tmp_path: Path) -> None:
    env = environment(tmp_path, name, SHOWN[name]).model_copy(update={"compliance_packs": []})
    app = new_app()
    EnvironmentStage(app, environment=env)
    stacks = app.synth().get_nested_assembly(f"assembly-{name}").stacks
    assert "AWS::SageMaker::Endpoint" in {one["Type"] for one in stacks[0].template["Resources"].values()}


def fields(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of the schema's fields, without those of lists' entries and of the container's variables."""
    for one in [schema, *schema.get("anyOf", ())]:
        resolved = SCHEMA["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for name, inner in resolved.get("properties", {}).items():
            yield f"{path}{name}"
            yield from fields(inner, f"{path}{name}.")


def used(value: Any, path: str = "") -> Iterator[str]:
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield f"{path}{name}"
        yield from used(inner, f"{path}{name}.")


def test_the_full_file_and_its_alternatives_have_every_field() -> None:
    [_, *table] = FILES.split("## Alternatives")
    instead = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", table[0]))))
    full = set(used(YAML(typ="safe").load(SHOWN["full"])))
    missing = [path for path in fields(SCHEMA) if path not in full and not path.startswith("tgi.")]
    assert [path for path in missing if path.rpartition(".")[2] not in instead] == []
