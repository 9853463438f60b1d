"""What a user sees of a command's steps: each as it goes, and in the end what took how long."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table as Grid
from rich.text import Text

from mistral7b_cli.layout import Table
from mistral7b_cli.output import say

_SHOWN = 100  # letters of a line
_SPINNER = Spinner("dots")
QUIET_S = 5.0
"""How long something may run without a line, where nothing moves on its own, in seconds."""


class StepFailedError(Exception):
    """A step succeeded, but its result is wrong."""


@dataclass
class Step:
    """One step: what it does, the command a user types for it, its result, and how long it took in seconds."""

    title: str
    command: str
    result: str = ""
    seconds: float = 0.0


@dataclass
class Report:
    """The steps so far, shown live on a terminal and line by line elsewhere."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    steps: list[Step] = field(default_factory=list)
    _doing: str = ""
    _started: float = 0.0
    _told: float = 0.0
    """When a line was printed last."""
    _headings: int = 0

    @contextmanager
    def step(self, title: str, command: str = "") -> Iterator[Step]:
        """Shows a step while it runs and its time when it ends; a failed or interrupted one is left as it stands."""
        step = Step(title, command)
        self.heading(title, command)
        self._doing, self._started = "", self.clock()
        with live(self.console, lambda: running([("", self.clock() - self._started, self._doing)])):
            yield step
        step.seconds = self.clock() - self._started
        self.steps.append(step)
        self.tell(f"done in {step.seconds:.1f} s{f': {step.result}' if step.result else ''}")

    def heading(self, title: str, command: str = "") -> None:
        """Prints what begins now."""
        self._headings, self._told = self._headings + 1, self.clock()
        say(f"\n[{self._headings}] {title}", "bold", on=self.console)
        if command:
            say(f"    $ {command}", "dim", on=self.console)

    def now(self, doing: str) -> None:
        """Shows what the step is doing: at once on a terminal, elsewhere if nothing was printed for five seconds."""
        self._doing, now = doing.strip(), self.clock()
        if not self.console.is_terminal and now - self._told >= QUIET_S:
            self.tell(f"… {now - self._started:.0f} s: {self._doing[:_SHOWN]}{'…' * (len(self._doing) > _SHOWN)}")

    def tell(self, text: str) -> None:
        """Prints a line of the step's own."""
        self._told = self.clock()
        say(f"    {text}".rstrip(), on=self.console)

    def summary(self) -> Table:
        """What took how long."""
        rows = [(step.title, f"{step.seconds:7.1f}", step.result) for step in self.steps]
        whole = f"{sum(step.seconds for step in self.steps):7.1f}"
        return Table("", ("step", "seconds", "result"), [*rows, ("in all", whole, "")])


def live(console: Console, shown: Callable[[], RenderableType]) -> Live:
    """Shows something that changes while the block lasts, if the console is a terminal."""
    return Live(get_renderable=shown, console=console, transient=True, refresh_per_second=8)


def running(rows: list[tuple[str, float, str]]) -> Grid:
    """What runs now: of each its title, its seconds, and the last line that it printed."""
    grid = Grid.grid(padding=(0, 1))
    for title, seconds, doing in rows:
        last = Text(doing, style="dim", no_wrap=True, overflow="ellipsis")
        grid.add_row("   ", _SPINNER, title, f"{seconds:>6.1f} s", last)
    return grid
