"""What a user sees of an execution: a line as each action ends, and what runs now; in the end, tables."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.text import Text

from mistral7b_cli.output import say
from mistral7b_cli.rehearsal.execution import IN_PROGRESS, NOT_STARTED, OTHER_SIGN, SIGNS, SUCCEEDED, Action, Execution
from mistral7b_cli.report import QUIET_S, live, running


@dataclass
class View:
    """Shows an execution as it goes on: live on a terminal, line by line elsewhere."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    _shown: Execution | None = None
    _told: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    """By execution and action: the status that was printed last, and when something was."""

    def __post_init__(self) -> None:
        self.live = live(self.console, self._now)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keeps still for the length of the block, in which the user is asked."""
        self.live.stop()
        yield
        self.live.start()

    def update(self, execution: Execution) -> None:
        """Prints what has changed."""
        self._shown = execution
        for action in execution.actions:
            key, now = (execution.id, action.title), self.clock()
            told, since = self._told.get(key, (NOT_STARTED, now))
            quiet = now - since < QUIET_S or self.console.is_terminal or action.status != IN_PROGRESS
            if action.status == told and quiet:
                continue
            self._told[key] = (action.status, now)
            if action.status != IN_PROGRESS:
                say(_line(action), on=self.console)
            elif action.status == told:
                took = f"{_seconds(action)}{action.doing and f': {action.doing}'}"
                say(f"    … {action.title} {took}", on=self.console)
            elif not self.console.is_terminal and action.category != "Approval":
                say(f"    … {action.title} started", on=self.console)

    def _now(self) -> Group:
        """The stages in a row, and below them what runs."""
        stages = Text("    ")
        for number, stage in enumerate(self._shown.stages if self._shown else ()):
            stages.append(" › " if number else "", "dim").append(f"{stage.name} ")
            stages.append(*SIGNS.get(stage.status, OTHER_SIGN))
        actions = [one for one in (self._shown.actions if self._shown else ()) if one.status == IN_PROGRESS]
        return Group(Text(), stages, running([(one.title, one.seconds or 0.0, one.doing) for one in actions]))


def _line(action: Action) -> Text:
    sign = SIGNS.get(action.status, OTHER_SIGN)
    text = Text.assemble("    ", sign, f" {action.title:<34} {action.status:<10} {_seconds(action):>9}")
    return text.append(f"   {action.remark}" if action.remark else "", "dim" if action.status == SUCCEEDED else "")


def _seconds(action: Action) -> str:
    return "" if action.seconds is None else f"{action.seconds:.1f} s"
