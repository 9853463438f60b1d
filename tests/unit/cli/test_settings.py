"""`mistral7b settings`, `models` and `schema`."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mistral7b import catalog
from mistral7b_cli import main

Run = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command in this process over two environment files and returns what it printed."""
    (tmp_path / "dev.yaml").write_text("region: us-east-1\ntgi: {MAX_CONCURRENT_REQUESTS: 4}\n", encoding="utf-8")
    (tmp_path / "prod.yaml").write_text("region: us-east-1\ninstance: {count: 2}\n", encoding="utf-8")

    def _say(*arguments: str, folder: bool = True) -> str:
        monkeypatch.setattr(
            "sys.argv", ["mistral7b", *arguments, *(["--environments", str(tmp_path)] if folder else [])]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    return _say


def test_settings_mark_what_is_overridden_and_what_it_was(say: Run) -> None:
    rows = {row["variable"]: row for row in json.loads(say("settings", "dev", "--json"))["variables"]}
    assert rows["MAX_CONCURRENT_REQUESTS"] == {
        "variable": "MAX_CONCURRENT_REQUESTS",
        "value": "4",
        "default": "128",
        "default_of": "TGI",
        "overridden": True,
        "planned": False,
    }
    assert rows["MAX_INPUT_LENGTH"]["overridden"] is False


def test_settings_show_the_whole_environment_of_the_container(say: Run) -> None:
    variables = [row["variable"] for row in json.loads(say("settings", "prod", "--json"))["variables"]]
    assert {"SAGEMAKER_PROGRAM", "HF_MODEL_ID", "SM_NUM_GPUS", "MAX_TOTAL_TOKENS"} <= set(variables)
    assert "MAX_BEST_OF" not in variables


def test_all_settings_include_the_launchers_own_defaults(say: Run) -> None:
    rows = {row["variable"]: row for row in json.loads(say("settings", "prod", "--all", "--json"))["variables"]}
    assert (rows["MAX_BEST_OF"]["value"], rows["MAX_BEST_OF"]["default_of"]) == ("2", "TGI")


def test_the_table_of_settings_names_the_source(say: Run) -> None:
    line = next(line for line in say("settings", "dev").splitlines() if "MAX_CONCURRENT_REQUESTS" in line)
    assert line.strip().split(maxsplit=2)[1:] == ["4", "environment file, over TGI's 128"]


def test_a_comparison_shows_what_differs_and_nothing_else(say: Run) -> None:
    rows = json.loads(say("settings", "dev", "--compare", "prod", "--json"))
    assert {row["field"]: (row["dev"], row["prod"]) for row in rows} == {
        "endpoint_name": ("mistral-7b-instruct-dev", "mistral-7b-instruct-prod"),
        "instance.count": (1, 2),
        "tgi.MAX_CONCURRENT_REQUESTS": ("4", None),
    }


def test_a_comparison_shows_values_as_the_file_has_them(say: Run, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(
        "region: us-east-1\ndata_capture: {}\ntermination_protection: true\nauto_scaling: {max_instances: 3}\n"
    )
    lines = dict(line.split(maxsplit=1) for line in say("settings", "prod", "--compare", "other").splitlines()[2:])
    assert lines["termination_protection"] == "false → true"
    assert lines["data_capture.modes"] == "(unset) → [Input, Output]"
    assert lines["auto_scaling.target_concurrent_requests"] == "(unset) → 32"


def test_settings_begin_with_what_is_deployed_and_where(say: Run, tmp_path: Path) -> None:
    (tmp_path / "eu.yaml").write_text(
        'account: "111111111111"\nregion: eu-west-1\nauto_scaling: {min_instances: 1, max_instances: 3}\n'
    )
    name, summary, *_ = say("settings", "eu").split("\n\n")
    assert name == "eu"
    assert dict(line.split(maxsplit=1) for line in summary.splitlines()) == {
        "account": "111111111111",
        "region": "eu-west-1",
        "endpoint_name": "mistral-7b-instruct-eu",
        "model": "instruct",
        "model_version": "2.0.0",
        "instance.type": "ml.g5.2xlarge",
        "instance.count": "1",
        "auto_scaling.min_instances": "1",
        "auto_scaling.max_instances": "3",
        "auto_scaling.target_concurrent_requests": "32",
        "auto_scaling.scale_out_cooldown_seconds": "60",
        "auto_scaling.scale_in_cooldown_seconds": "300",
        "image": catalog.model("instruct").default_version.image_uri("eu-west-1"),
        "weights": catalog.model("instruct").default_version.artifact_uri("eu-west-1"),
        "auto_scaling.time_zone": "UTC",
        "auto_scaling.schedule": "[]",
        "cost": "1.539 to 4.569 USD an hour, 1,123.15 to 3,335.05 a month "
        "(prices of us-east-1, November 2024, on demand, without free tier)",
    }


def test_settings_show_weights_and_image_of_ones_own(say: Run, tmp_path: Path) -> None:
    image, weights = "444455556666.dkr.ecr.us-east-1.amazonaws.com/tgi:1", "s3://models/mine/"
    own = f"region: us-east-1\nartifact: {{uri: {weights}}}\nimage: {{uri: '{image}'}}\n"
    (tmp_path / "own.yaml").write_text(own, encoding="utf-8")
    shown = json.loads(say("settings", "own", "--json"))
    assert (shown["image"], shown["weights"]) == (image, weights)


def test_a_schedule_is_shown_as_one_writes_it(say: Run, tmp_path: Path) -> None:
    entry = "{days: weekdays, at: 07:45, min_instances: 2}"
    (tmp_path / "hours.yaml").write_text(f"region: us-east-1\nauto_scaling: {{schedule: [{entry}]}}\n")
    assert re.search(rf"auto_scaling\.schedule +{re.escape(f'[{entry}]')}\n", say("settings", "hours"))


def test_settings_have_the_cost_by_item_as_json(say: Run) -> None:
    cost = json.loads(say("settings", "prod", "--json"))["cost"]
    assert [one["item"] for one in cost["items"]] == [
        "ml.g5.2xlarge",
        "zone of the interface endpoint",
        "customer managed key",
    ]
    assert cost["total"]["usd_per_month"] == [pytest.approx(2 * 1105.95 + 14.6 + 2)] * 2


def test_models_lists_every_version_with_its_regions(say: Run) -> None:
    rows = json.loads(say("models", "--json", folder=False))
    [default] = [row for row in rows if row["id"] == "huggingface-llm-mistral-7b-instruct" and row["default"]]
    assert (default["version"], default["tgi_version"]) == ("2.0.0", "1.1.0")
    assert default["default_instance_type"] == "ml.g5.2xlarge"
    assert "us-east-1" in default["regions"]


def test_the_table_of_models_stars_the_default(say: Run) -> None:
    assert "2.0.0 *" in say("models", folder=False)
