"""Who answers an approval, and on what basis."""

import io
from typing import Any

import pytest
from rich.console import Console

from mistral7b.rehearsal.approvals import ApproveAll, AskUser, basis_of
from mistral7b.rehearsal.execution import Action, Execution, Stage
from mistral7b.rehearsal.follow import Answer
from tests.unit.rehearsal.fakes import FakeClient

REVIEW = Action("prod", "Review", "Succeeded", "Build", external_id="review:1")
SECURITY = Action("prod", "SecurityChanges", "InProgress", "Approval", configuration={"CustomData": "Look at the log."})
PROMOTE = Action("prod", "Promote", "InProgress", "Approval")
SMOKE = Action("staging", "Smoke", "Succeeded", "Build", external_id="smoke:1")
GATE = Action("staging", "Gate1", "Succeeded", "Build", external_id="gate:1")
STAGING = Stage("staging", (Action("staging", "Review", "Succeeded", "Build"), SMOKE, GATE))
PROD = Stage("prod", (REVIEW, SECURITY, PROMOTE))
EXECUTION = Execution("pipeline", "one", "InProgress", (STAGING, PROD))


def client(service: str, account: str, region: str) -> Any:
    """Every build has printed its id and the words: new IAM statement."""

    def builds(ids: list[str]) -> dict[str, Any]:
        return {"builds": [{"id": ids[0], "logs": {"groupName": "g", "streamName": ids[0]}}]}

    def log(logGroupName: str, logStreamName: str, limit: int, startFromHead: bool) -> dict[str, Any]:
        own = "[Container] 2026/01/01 12:00:00 Phase complete: BUILD State: SUCCEEDED\n"
        return {"events": [{"message": f"{logStreamName}: new IAM statement\n"}, {"message": own}]}

    return FakeClient(service, {"batch_get_builds": builds, "get_log_events": log})


def ask(
    monkeypatch: pytest.MonkeyPatch, typed: str, stage: Stage = PROD, action: Action = SECURITY
) -> tuple[Answer, str]:
    """The answer of a user who types this, and what the user saw."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    text = io.StringIO()
    answer = AskUser(Console(file=text, width=120), client, "111111111111", "us-east-1")(EXECUTION, stage, action)
    return answer, text.getvalue()


def test_yes_approves_and_no_rejects_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    assert ask(monkeypatch, "y\n")[0] == Answer(True, "approved by ada in a rehearsal")
    assert ask(monkeypatch, "n\n")[0] == Answer(False, "rejected by ada in a rehearsal")


def test_anything_else_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, seen = ask(monkeypatch, "perhaps\ny\n")
    assert answer.approved
    assert seen.count("Approve prod / SecurityChanges?") == 2


def test_the_end_of_standard_input_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(monkeypatch, "")


def test_a_security_approval_shows_what_the_review_found_and_what_the_pipeline_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, seen = ask(monkeypatch, "y\n")
    assert "review:1: new IAM statement" in seen
    assert "Look at the log." in seen
    assert "[Container]" not in seen


def test_a_promotion_rests_on_the_smoke_test_and_gates_of_the_stage_before() -> None:
    assert basis_of(EXECUTION, PROD, PROMOTE) == [SMOKE, GATE]


def test_a_promotion_shows_what_they_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = ask(monkeypatch, "y\n", action=PROMOTE)
    assert "smoke:1: new IAM statement" in seen
    assert "gate:1: new IAM statement" in seen


def test_with_everything_approved_nobody_is_asked() -> None:
    text = io.StringIO()
    answer = ApproveAll(Console(file=text, width=120), "--approve says so")(EXECUTION, PROD, PROMOTE)
    assert answer.approved
    assert text.getvalue().strip() == "prod / Promote: approved, as --approve says so"
