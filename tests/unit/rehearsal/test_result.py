"""What came of a rehearsal: for scripts, as tables, and as a picture."""

import io
import json
import re
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
    draw(result, tmp_path / f"p{suffix}")
    begins = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert (tmp_path / f"p{suffix}").read_bytes().startswith(begins)


def drawn(result: Result, folder: Path) -> list[str]:
    """The texts of the picture, which matplotlib notes in comments."""
    draw(result, folder / "p.svg")
    return re.findall(r"<!-- (.+) -->", (folder / "p.svg").read_text())


@pytest.fixture
def promoted(result: Result) -> Result:
    """Of a commit that got to prod: one approval was the review's, the other the user's."""
    review = "nothing broadens"
    security = ran("prod", "SecurityChanges", category="Approval", seconds=180, reason=review)
    promote = ran("prod", "Promote", category="Approval", seconds=41, reason="approved by ann in a rehearsal")
    stack = "mistral-7b-prod-endpoint"
    prepare = ran("prod", f"{stack}.Prepare", category="Deploy", after=41, seconds=2)
    deploy = ran("prod", f"{stack}.Deploy", category="Deploy", after=43, seconds=80)
    execution = Execution("one", "one", (Stage("prod", (security, promote, prepare, deploy)),), "Succeeded")
    return Result(result.place, result.commit, execution, result.environments)


def test_picture_has_every_stage_and_action_with_its_outcome(result: Result, tmp_path: Path) -> None:
    texts = drawn(result, tmp_path)
    assert {"Source", "dev", "prod", "Smoke", "✗", "failed, 1.0 s", "6.0 s", "○ not started"} <= set(texts)
    assert "Promote" not in texts  # the stage did not start


def test_picture_says_that_it_is_a_rehearsal_of_which_commit_and_when(result: Result, tmp_path: Path) -> None:
    first, second, *_ = drawn(result, tmp_path)
    assert first == "Rehearsal on this computer's embedded AWS, 01 Jan 2026"
    assert second == "c0ffeec0ff A change [of] brackets"


def test_picture_of_a_failure_has_the_reason_and_the_end_of_the_log(result: Result, tmp_path: Path) -> None:
    assert result.stop is not None
    result.stop["log"] = ["one", "two", "", "three", "four"]
    assert drawn(result, tmp_path)[2:6] == ["stopped at dev / Smoke: a 400", "two", "three", "four"]


def test_picture_says_who_approved_and_where_no_approval_was_needed(promoted: Result, tmp_path: Path) -> None:
    texts = drawn(promoted, tmp_path)
    assert texts[texts.index("SecurityChanges") + 1] == "not needed"
    assert texts[texts.index("Promote") + 1] == "approved by ann"


def test_picture_shows_a_change_set_as_one_action(promoted: Result, tmp_path: Path) -> None:
    texts = drawn(promoted, tmp_path)
    assert texts[texts.index("Deploy endpoint") + 1] == "1 min 22 s"


def test_picture_of_a_promotion_names_the_environments_and_the_whole_time(promoted: Result, tmp_path: Path) -> None:
    assert drawn(promoted, tmp_path)[2] == "promoted to dev, staging, prod in 3 min 00 s of this computer's time"


def test_letters_of_the_picture_are_ten_pixels_or_more_in_a_readme(promoted: Result, tmp_path: Path) -> None:
    stage = promoted.execution.stages[0]
    promoted.execution.stages = (stage,) * 6
    draw(promoted, tmp_path / "p.svg")
    svg = (tmp_path / "p.svg").read_text()
    [points] = re.findall(r'<svg [^>]*width="([\d.]+)pt"', svg)
    sizes = [100 * float(scale) for scale in re.findall(r"scale\(([\d.]+) -", svg)]
    assert min(sizes) * 838 / float(points) >= 10


def test_the_same_execution_is_the_same_picture(result: Result, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(result, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_picture_that_cannot_be_written_is_an_error(result: Result, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        draw(result, tmp_path / "nowhere" / "p.svg")
