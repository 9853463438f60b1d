"""Executions as CodePipeline tells them."""

from datetime import timedelta

import pytest

from mistral7b.rehearsal.execution import Action, Execution, Stage, read_execution
from tests.unit.rehearsal.fakes import PIPELINE, START, FakePipeline, Moment, Run

ACTIONS = ["Source/Source", "dev/Review", "dev/SecurityChanges", "dev/Smoke"]


def read(runs: list[Run], status: str = "InProgress") -> Execution:
    """The execution `one` with these runs."""
    return read_execution(FakePipeline(ACTIONS, [Moment(runs, status)]).client, PIPELINE, "one")


def action(execution: Execution, title: str) -> Action:
    """An action by its title."""
    return next(action for action in execution.actions if action.title == title)


def test_actions_come_in_the_pipelines_order_whether_they_have_begun_or_not() -> None:
    execution = read([Run("dev/Review", after=2), Run("Source/Source")])
    assert [(a.title, a.status) for a in execution.actions] == [
        ("Source / Source", "Succeeded"),
        ("dev / Review", "Succeeded"),
        ("dev / SecurityChanges", "NotStarted"),
        ("dev / Smoke", "NotStarted"),
    ]


def test_the_commit_is_the_sources_revision() -> None:
    assert read([Run("Source/Source")]).commit == "c0ffee"


def test_runs_of_other_executions_are_not_shown() -> None:
    assert action(read([Run("dev/Review", execution="two")]), "dev / Review").status == "NotStarted"


def test_of_a_retried_action_the_newest_run_counts() -> None:
    runs = [Run("dev/Smoke", "Succeeded", after=9), Run("dev/Smoke", "Failed", after=3)]
    assert action(read(runs), "dev / Smoke").status == "Succeeded"


def test_a_token_of_another_executions_approval_is_not_taken() -> None:
    approval = Run("dev/SecurityChanges", "InProgress", "Approval", token="mine")
    other = Run("dev/SecurityChanges", "InProgress", "Approval", after=5, execution="two", token="other")
    assert action(read([approval]), "dev / SecurityChanges").token == "mine"
    assert action(read([approval, other]), "dev / SecurityChanges").token == ""


def test_the_reason_of_a_failure_is_what_its_error_details_say() -> None:
    run = Run("dev/Smoke", "Failed", reason="Build terminated with state: FAILED")
    assert action(read([run]), "dev / Smoke").reason == "Build terminated with state: FAILED"


def test_an_approval_waits_for_the_review_that_may_answer_it() -> None:
    approval = Run("dev/SecurityChanges", "InProgress", "Approval", token="t")
    reviewing = read([Run("dev/Review", "InProgress"), approval])
    assert list(reviewing.approvals()) == []
    reviewed = read([Run("dev/Review"), approval])
    assert [found.name for _, found in reviewed.approvals()] == ["SecurityChanges"]


def test_an_answered_approval_is_not_asked_again() -> None:
    assert list(read([Run("dev/SecurityChanges", "Succeeded", "Approval", token="t")]).approvals()) == []


def test_the_action_that_failed_first_is_the_cause() -> None:
    runs = [Run("dev/SecurityChanges", "Failed", "Approval", seconds=30), Run("dev/Review", "Failed", seconds=4)]
    failed = read(runs, "Failed").failed
    assert failed is not None
    assert failed.name == "Review"


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
    assert Stage("dev", tuple(Action("dev", str(n), status) for n, status in enumerate(statuses))).status == expected


def test_a_stage_lasts_from_its_first_start_to_its_last_end() -> None:
    execution = read([Run("dev/Review", after=1, seconds=20), Run("dev/SecurityChanges", after=3, seconds=4)])
    assert execution.stages[1].seconds(START + timedelta(hours=1)) == 20
    assert execution.stages[0].seconds(START) is None


def test_what_runs_has_been_running_until_now() -> None:
    running = action(read([Run("dev/Smoke", "InProgress", seconds=0)]), "dev / Smoke")
    assert running.seconds(START + timedelta(seconds=7)) == 7


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"])
def test_an_execution_of_this_status_goes_no_further(status: str) -> None:
    assert read([], status).finished


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_an_execution_of_this_status_goes_on(status: str) -> None:
    assert not read([], status).finished
