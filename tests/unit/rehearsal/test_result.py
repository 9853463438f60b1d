"""What came of a rehearsal: for scripts, as tables, and as a picture."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mistral7b.environment import Environment
from mistral7b.operate.place import Place
from mistral7b_cli.output import say
from mistral7b_cli.rehearsal.execution import Action, Execution, Stage
from mistral7b_cli.rehearsal.picture import draw
from mistral7b_cli.rehearsal.repository import Clone
from mistral7b_cli.rehearsal.result import NOTHING, Result
from tests.unit.rehearsal.runs import ran


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """Of a commit whose smoke test in dev failed; prod runs the one before."""
    smoke = ran("dev", "Smoke", "Failed", after=7, reason="a 400")
    smoke.log = tmp_path / "log"
    smoke.log.write_text("got 400\n")
    stages = (
        Stage("Source", (ran("Source", "Source", category="Source"),)),
        Stage("dev", (ran("dev", "Deploy", after=1, seconds=6, category="Deploy"), smoke)),
        Stage("prod", (Action("prod", "Promote", "Approval"), Action("prod", "Deploy", "Deploy"))),
    )
    execution = Execution("mistral-7b-pipeline", "one", stages, "Failed")
    settings = Environment(name="dev", region="us-east-1").container_environment()
    return Result(
        Place("111111111111", "us-east-1"),
        Clone(Path("/clone"), "c0ffee" * 6, "A change [of] brackets"),
        execution,
        [
            runs("dev", "InService", "ml.g5.2xlarge", 1, "c0ffee" * 6, settings),
            runs("staging", NOTHING, "", 0, "", {}),
            runs("prod", "InService", "ml.g5.2xlarge", 2, "decade" * 6, settings),
        ],
    )


def runs(name: str, *found: Any) -> dict[str, Any]:
    """What an environment's account runs."""
    place = {"environment": name, "account": "222222222222", "region": "us-east-1", "endpoint": name}
    return place | dict(zip(("status", "instance_type", "instances", "commit", "settings"), found, strict=True))


def test_the_document_has_every_action_with_status_seconds_and_reason(result: Result) -> None:
    document = json.loads(json.dumps(result.document()))
    assert (document["promoted"], document["status"]) == (False, "Failed")
    assert document["stopped_by"] == {"stage": "dev", "action": "Smoke", "reason": "a 400", "log": ["got 400"]}
    dev = document["stages"][1]
    assert (dev["name"], dev["status"], dev["seconds"]) == ("dev", "Failed", 7)
    assert dev["actions"][1] == {
        "name": "Smoke",
        "category": "Build",
        "status": "Failed",
        "seconds": 1,
        "reason": "a 400",
    }
    assert document["stages"][2]["actions"][0]["seconds"] is None


def test_the_document_has_what_each_environment_runs(result: Result) -> None:
    environments = {found["environment"]: found for found in result.document()["environments"]}
    assert environments["prod"]["commit"] == "decade" * 6
    assert environments["prod"]["settings"]["MAX_TOTAL_TOKENS"] == "8192"
    assert environments["staging"]["status"] == "none"


@pytest.mark.parametrize("width", [80, 200])
def test_tables_distinguish_this_commit_from_earlier_ones(result: Result, width: int) -> None:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, no_color=True, color_system=None)
    for table in result.tables():
        say(table, on=console)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    rows = {line.split()[0]: line for line in lines if line.strip()}
    assert "✗  Failed" in rows["Smoke"]
    assert "Deploy" not in rows  # which did not start
    running = [line for line in lines if "InService" in line]
    assert ["this one" in line for line in running] == [True, False]
    assert "decadedeca" in running[1]
    assert ["128", "8191", "8192"] in [line.split()[1:] for line in lines]


def test_the_log_of_what_stopped_it_outlives_its_file(result: Result, tmp_path: Path) -> None:
    (tmp_path / "log").unlink()
    assert result.stop is not None
    assert result.stop["log"] == ["got 400"]


def test_stop_is_described_in_one_sentence(result: Result) -> None:
    assert result.stopped == "stopped at dev / Smoke: a 400"


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_drawn_in_the_format_of_its_suffix(result: Result, tmp_path: Path, suffix: str) -> None:
    draw(result.execution, tmp_path / f"p{suffix}", result.title, result.stopped)
    begins = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert (tmp_path / f"p{suffix}").read_bytes().startswith(begins)


def test_the_picture_has_every_stage_and_action_with_sign_word_and_duration(result: Result, tmp_path: Path) -> None:
    draw(result.execution, tmp_path / "p.svg", result.title, result.stopped)
    svg = (tmp_path / "p.svg").read_text()  # matplotlib notes each text in a comment
    for text in ("dev", "Smoke", "✗", "failed, 1.0 s", "succeeded, 6.0 s", "not started", "A change [of] brackets"):
        assert f"{text} -->" in svg


def test_the_same_execution_is_the_same_picture(result: Result, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(result.execution, tmp_path / name, result.title)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_picture_that_cannot_be_written_is_an_error(result: Result, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        draw(result.execution, tmp_path / "nowhere" / "p.svg", result.title)
