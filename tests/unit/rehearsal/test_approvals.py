"""Who answers an approval, and on what basis."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from mistral7b_cli.rehearsal.approvals import approve_all, ask_user, basis_of
from mistral7b_cli.rehearsal.execution import Action, Execution, Stage
from tests.unit.rehearsal.runs import ran

REVIEW = ran("prod", "Review")
SECURITY = Action("prod", "SecurityChanges", "Approval", "Look at the log.", "InProgress")
PROMOTE = Action("prod", "Promote", "Approval", status="InProgress")
SMOKE, GATE = ran("staging", "Smoke"), ran("staging", "Gate1")
STAGING = Stage("staging", (ran("staging", "Review"), SMOKE, GATE))
PROD = Stage("prod", (REVIEW, SECURITY, PROMOTE))
EXECUTION = Execution("pipeline", "one", (STAGING, PROD))


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path) -> None:
    """Every build has printed its name and the words: new IAM statement."""
    for one in EXECUTION.actions:
        one.log = tmp_path / one.name
        one.log.write_text(f"{one.name}: new IAM statement\n[Container] BUILD: review\n")


def ask(
    monkeypatch: pytest.MonkeyPatch, typed: str, stage: Stage = PROD, action: Action = SECURITY
) -> tuple[tuple[bool, str], str]:
    """The answer of a user who types this, and what the user saw."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    text = io.StringIO()
    answer = ask_user(Console(file=text, width=120))(EXECUTION, stage, action)
    return answer, text.getvalue()


def test_yes_approves_and_no_rejects_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    assert ask(monkeypatch, "y\n")[0] == (True, "approved by ada in a rehearsal")
    assert ask(monkeypatch, "n\n")[0] == (False, "rejected by ada in a rehearsal")


def test_anything_else_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, seen = ask(monkeypatch, "perhaps\ny\n")
    assert answer[0]
    assert seen.count("Approve prod / SecurityChanges?") == 2


def test_the_end_of_standard_input_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(monkeypatch, "")


def test_a_security_approval_shows_what_the_review_found_and_what_the_pipeline_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, seen = ask(monkeypatch, "y\n")
    assert "Review: new IAM statement" in seen
    assert "Look at the log." in seen
    assert "[Container]" not in seen


def test_a_promotion_rests_on_the_smoke_test_and_gates_of_the_stage_before() -> None:
    assert basis_of(EXECUTION, PROD, PROMOTE) == [SMOKE, GATE]


def test_a_promotion_shows_what_they_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = ask(monkeypatch, "y\n", action=PROMOTE)
    assert "Smoke: new IAM statement" in seen
    assert "Gate1: new IAM statement" in seen


def test_approve_all_asks_nobody() -> None:
    text = io.StringIO()
    answer = approve_all(Console(file=text, width=120), "--approve says so")(EXECUTION, PROD, PROMOTE)
    assert answer[0]
    assert text.getvalue().strip() == "prod / Promote: approved, as --approve says so"
