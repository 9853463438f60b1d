"""What a user sees of an execution: a line as each action ends, and what runs now; in the end, tables."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mistral7b_cli.output import say
from mistral7b_cli.rehearsal.execution import IN_PROGRESS, NOT_STARTED, OTHER_SIGN, SIGNS, SUCCEEDED, Action, Execution

QUIET_S = 5.0
"""How long an action may run without a line, where nothing moves on its own, in seconds."""


@dataclass
class View:
    """Shows an execution as it goes on: live on a terminal, line by line elsewhere."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    _told: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    """By execution and action: the status that was printed last, and when something was."""

    def __post_init__(self) -> None:
        """Elsewhere than on a terminal, `live` shows nothing."""
        self.live = Live(console=self.console, transient=True, refresh_per_second=8)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keeps still for the length of the block, in which the user is asked."""
        self.live.update(Text(""), refresh=True)
        self.live.stop()
        yield
        self.live.start()

    def update(self, execution: Execution) -> None:
        """Shows how things are now."""
        for action in execution.actions:
            key, now = (execution.id, action.title), self.clock()
            told, since = self._told.get(key, (NOT_STARTED, now))
            quiet = now - since < QUIET_S or self.console.is_terminal or action.status != IN_PROGRESS
            if action.status == told and quiet:
                continue
            self._told[key] = (action.status, now)
            if action.status != IN_PROGRESS:
                self.print(_line(action))
            elif action.status == told:
                self.print(f"    … {action.title} {_seconds(action)}{action.doing and f': {action.doing}'}")
            elif not self.console.is_terminal and action.category != "Approval":
                self.print(f"    … {action.title} started")
        self.live.update(_now(execution))

    def print(self, text: str | Text) -> None:
        """Prints a line between the actions'."""
        say(text, on=self.console)


def _line(action: Action) -> Text:
    sign = SIGNS.get(action.status, OTHER_SIGN)
    text = Text.assemble("    ", sign, f" {action.title:<34} {action.status:<10} {_seconds(action):>9}")
    return text.append(f"   {action.remark}" if action.remark else "", "dim" if action.status == SUCCEEDED else "")


def _seconds(action: Action) -> str:
    return "" if action.seconds is None else f"{action.seconds:.1f} s"


def _now(execution: Execution) -> Group:
    """The stages in a row, and below them what runs."""
    stages = Text("    ")
    for number, stage in enumerate(execution.stages):
        stages.append(" › " if number else "", "dim").append(f"{stage.name} ")
        stages.append(*SIGNS.get(stage.status, OTHER_SIGN))
    running = Table.grid(padding=(0, 1))
    for action in execution.actions:
        if action.status == IN_PROGRESS:
            last = Text(action.doing, style="dim", no_wrap=True, overflow="ellipsis")
            running.add_row("   ", Spinner("dots"), action.title, f"{_seconds(action):>8}", last)
    return Group(Text(), stages, running)
