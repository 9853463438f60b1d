"""Executions: how far stages and actions are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mistral7b_cli.rehearsal.execution import FAILED, Action, Execution, Stage
from tests.unit.rehearsal.runs import ran


def test_the_action_that_failed_first_is_the_cause() -> None:
    late, early = ran("dev", "SecurityChanges", FAILED, seconds=30), ran("dev", "Review", FAILED, seconds=4)
    assert Execution("pipeline", "one", (Stage("dev", (late, early)),), FAILED).failed is early


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["NotStarted", "NotStarted"], "NotStarted"),
        (["Succeeded", "NotStarted"], "InProgress"),
        (["Succeeded", "Failed", "InProgress"], "Failed"),
        (["Succeeded", "Succeeded"], "Succeeded"),
    ],
)
def test_a_stages_status_is_that_of_its_actions(statuses: list[str], expected: str) -> None:
    actions = tuple(Action("dev", str(n), status=status) for n, status in enumerate(statuses))
    assert Stage("dev", actions).status == expected


def test_a_stage_lasts_from_its_first_start_to_its_last_end() -> None:
    stage = Stage("dev", (ran("dev", "Review", after=1, seconds=20), ran("dev", "Smoke", after=3, seconds=4)))
    assert stage.seconds == 20
    assert Stage("dev", (Action("dev", "Smoke"),)).seconds is None


def test_what_runs_has_been_running_until_now() -> None:
    action = Action("dev", "Smoke", status="InProgress", started=datetime.now(UTC) - timedelta(seconds=7))
    assert action.seconds is not None
    assert 7 <= action.seconds < 60


def test_a_log_is_told_by_its_last_lines_without_those_that_are_no_commands(tmp_path: Path) -> None:
    action = Action("dev", "Smoke")
    action.start(tmp_path / "log")
    assert (action.tail(), action.doing) == ([], "")
    (tmp_path / "log").write_text("first\n[Container] BUILD: x\nlast\n\n")
    assert action.tail(3) == ["[Container] BUILD: x", "last", ""]
    assert (action.output(3), action.doing) == (["last", ""], "last")
