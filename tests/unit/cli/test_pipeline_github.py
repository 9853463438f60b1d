"""`mistral7b pipeline github-jobs`: what the workflow reads."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.promotion.github.pipelines import ACCOUNTS, write


@pytest.fixture
def written(machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Environment files with a pipeline file, which the command takes."""
    monkeypatch.setenv("MISTRAL7B_ENVIRONMENTS", str(tmp_path / "environments"))
    return write(tmp_path / "environments")


def test_environments_are_in_the_order_of_promotion(written: Path, run: Run) -> None:
    environments = json.loads(run("pipeline", "github-jobs").out)["environments"]
    order = [(one["name"], one["after"], one["approval"]) for one in environments]
    assert order == [("dev", None, False), ("staging", "dev", False), ("prod", "staging", True)]


def test_roles_are_of_the_environments_account_or_else_of_the_pipelines(written: Path, run: Run) -> None:
    dev, staging, _ = json.loads(run("pipeline", "github-jobs").out)["environments"]
    arn = f"arn:aws:iam::{ACCOUNTS['staging']}:role/mistral-7b-staging"
    assert [staging[f"{kind}_role"] for kind in ("review", "deploy", "gate")] == [
        f"{arn}-github-review",
        f"{arn}-github",
        f"{arn}-gate",
    ]
    assert dev["deploy_role"].split(":")[4] == dev["account"] == ACCOUNTS["tools"]


def test_a_deployment_has_time_to_fail_and_to_be_rolled_back(written: Path, run: Run) -> None:
    slow = "timeouts: {model_download_seconds: 3600, container_startup_seconds: 1800}\n"
    write(written, dev=slow)
    dev = json.loads(run("pipeline", "github-jobs").out)["environments"][0]
    assert 2 * 90 < dev["deploy_minutes"] <= 360
    assert dev["session_seconds"] == 60 * dev["deploy_minutes"]
    write(written, dev=f'{slow}office_hours: {{time_zone: UTC, weekdays: "08:00-19:00"}}\n')
    started_first = json.loads(run("pipeline", "github-jobs").out)["environments"][0]
    assert started_first["deploy_minutes"] == min(360, dev["deploy_minutes"] + 90)


def test_without_a_pipeline_file_the_command_says_so(written: Path, run: Run) -> None:
    (written / "pipeline.yaml").unlink()
    done = run("pipeline", "github-jobs")
    assert done.status == 2
    assert "pipeline.yaml: there is no such file" in done.err


def test_a_pipeline_that_does_not_use_github_actions_is_told_how_to(written: Path, run: Run) -> None:
    write(written, {"github_actions": None})
    done = run("pipeline", "github-jobs")
    assert done.status == 2
    assert "fix: add the line  github_actions: {}" in done.err


def test_a_wrong_pipeline_file_is_refused_by_its_field(written: Path, run: Run) -> None:
    write(written, {"region": "us-esat-1"})
    done = run("pipeline", "github-jobs")
    assert (done.status, done.out) == (2, "")
    assert "did you mean us-east-1?" in done.err
