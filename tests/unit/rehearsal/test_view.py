"""What a user sees while an execution goes on."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from mistral7b_cli.rehearsal.execution import Action, Execution, Stage
from mistral7b_cli.rehearsal.view import View
from tests.unit.rehearsal.runs import ran

TITLES = ("Source/Source", "Build/Synth", "dev/SecurityChanges", "dev/Smoke")


def execution(*actions: Action) -> Execution:
    """An execution with these actions, and others that have not begun."""
    known = {f"{action.stage}/{action.name}": action for action in actions}
    stages: dict[str, list[Action]] = {}
    for title in TITLES:
        stage, name = title.split("/")
        stages.setdefault(stage, []).append(known.get(title) or Action(stage, name))
    return Execution("pipeline", "one", tuple(Stage(name, tuple(found)) for name, found in stages.items()))


class Screen:
    """A view, what is on it, and the time."""

    def __init__(self, *, terminal: bool = False) -> None:
        self._text = io.StringIO()
        self.now = 0.0
        self.view = View(Console(file=self._text, width=120, force_terminal=terminal), clock=lambda: self.now)

    def lines(self) -> list[str]:
        """What was printed since the last look, without the spaces around."""
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return [line.strip() for line in text.splitlines()]


def test_an_action_that_ends_is_a_line_with_its_status_and_duration() -> None:
    screen = Screen()
    screen.view.update(execution(ran("Build", "Synth", seconds=12.5)))
    assert screen.lines() == ["✓ Build / Synth                      Succeeded     12.5 s"]


def test_status_is_printed_once() -> None:
    screen = Screen()
    for _ in range(2):
        screen.view.update(execution(ran("Build", "Synth")))
    assert len(screen.lines()) == 1


def test_a_failed_action_gives_its_reason() -> None:
    screen = Screen()
    screen.view.update(execution(ran("dev", "Smoke", "Failed", reason="1 of 10 checks failed")))
    [line] = screen.lines()
    assert line.startswith("✗ dev / Smoke")
    assert line.endswith("1 of 10 checks failed")


def test_an_approval_says_who_gave_it() -> None:
    screen = Screen()
    screen.view.update(execution(ran("dev", "SecurityChanges", category="Approval", reason="approved by ada")))
    assert screen.lines()[0].endswith("approved by ada")


def test_without_a_terminal_a_running_action_prints_a_line_every_five_seconds(tmp_path: Path) -> None:
    screen = Screen()
    synth = ran("Build", "Synth", "InProgress")
    synth.log = tmp_path / "log"
    synth.log.write_text("3402 passed\n")
    running = execution(synth)
    seen = []
    for screen.now in range(12):
        screen.view.update(running)
        seen += [(screen.now, line) for line in screen.lines()]
    assert [when for when, _ in seen] == [0, 5, 10]
    assert seen[0][1] == "… Build / Synth started"
    assert seen[1][1].endswith("s: 3402 passed")


def test_a_terminal_shows_the_stages_in_a_row_and_what_runs_with_its_last_line(tmp_path: Path) -> None:
    screen = Screen(terminal=True)
    with screen.view.live:
        synth = ran("Build", "Synth", "InProgress")
        synth.log = tmp_path / "log"
        synth.log.write_text("ruff\n")
        screen.view.update(execution(ran("Source", "Source"), synth))
    shown = "\n".join(screen.lines())
    assert "Source" in shown
    assert "›" in shown
    assert "ruff" in shown


@pytest.mark.parametrize("terminal", [True, False])
def test_live_view_pauses_while_the_user_is_asked(terminal: bool) -> None:
    screen = Screen(terminal=terminal)
    with screen.view.live, screen.view.paused():
        screen.lines()
        screen.view.console.print("Approve?")
        assert screen.lines() == ["Approve?"]
