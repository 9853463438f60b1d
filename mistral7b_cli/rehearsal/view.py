"""What a user sees of an execution: a line as each action ends, and what runs now."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mistral7b_cli.rehearsal.execution import FAILED, IN_PROGRESS, NOT_STARTED, SUCCEEDED, Action, Execution

SIGNS = {SUCCEEDED: ("✓", "green"), FAILED: ("✗", "bold red"), IN_PROGRESS: ("●", "yellow"), NOT_STARTED: ("○", "dim")}
"""A sign and a style for each status, so that neither alone has to tell them apart."""
_OTHER = ("–", "dim")

QUIET_S = 5.0
"""How long an action may run without a line, where nothing moves on its own, in seconds."""


def sign(status: str) -> tuple[str, str]:
    """The sign and the style of a status."""
    return SIGNS.get(status, _OTHER)


@dataclass
class View:
    """Shows an execution as it goes on: live on a terminal, line by line elsewhere."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    _told: dict[tuple[str, str, datetime | None], str] = field(default_factory=dict)
    _said_at: dict[str, float] = field(default_factory=dict)
    _live: Live | None = None

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Shows until the end of the block."""
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, transient=True, refresh_per_second=8) as self._live:
            yield
        self._live = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keeps still for the length of the block, in which the user is asked."""
        if self._live is None:
            yield
            return
        self._live.update(Text(""), refresh=True)
        self._live.stop()
        yield
        self._live.start()

    def update(self, execution: Execution) -> None:
        """Shows how things are now."""
        for action in execution.actions:
            self._tell(action)
        if self._live is not None:
            self._live.update(_now(execution))
        else:
            self._remind(execution)

    def say(self, text: str | Text) -> None:
        """Prints a line between the actions'."""
        self.console.print(text, markup=False, soft_wrap=True)

    def _tell(self, action: Action) -> None:
        key = (action.stage, action.name, action.started)
        if action.status == NOT_STARTED or self._told.get(key) == action.status:
            return
        self._told[key] = action.status
        self._said_at[action.title] = self.clock()
        if action.status != IN_PROGRESS:
            self.say(_line(action))
        elif self._live is None and action.category != "Approval":
            self.say(f"    … {action.title} started")

    def _remind(self, execution: Execution) -> None:
        for action in execution.actions:
            quiet = self.clock() - self._said_at.get(action.title, 0.0) >= QUIET_S
            if action.status == IN_PROGRESS and quiet:
                self._said_at[action.title] = self.clock()
                last = f": {action.doing}" if action.doing else ""
                self.say(f"    … {action.title} {_seconds(action)}{last}")


def _line(action: Action) -> Text:
    mark, style = sign(action.status)
    text = Text.assemble("    ", (mark, style), f" {action.title:<34} {action.status:<10} {_seconds(action):>9}")
    if action.status != SUCCEEDED and action.reason:
        text.append(f"   {action.reason}")
    elif action.category == "Approval" and action.reason:
        text.append(f"   {action.reason}", style="dim")
    return text


def _seconds(action: Action) -> str:
    taken = action.seconds(datetime.now(UTC))
    return "" if taken is None else f"{taken:.1f} s"


def _now(execution: Execution) -> Group:
    """The stages in a row, and below them what runs."""
    stages = Text("    ")
    for number, stage in enumerate(execution.stages):
        mark, style = sign(stage.status)
        stages.append(" › " if number else "", style="dim").append(f"{stage.name} ").append(mark, style=style)
    running = Table.grid(padding=(0, 1))
    for action in execution.actions:
        if action.status == IN_PROGRESS:
            last = Text(action.doing, style="dim", no_wrap=True, overflow="ellipsis")
            running.add_row("   ", Spinner("dots"), action.title, f"{_seconds(action):>8}", last)
    return Group(Text(), stages, running)
