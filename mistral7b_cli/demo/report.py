"""What a user sees of a command's steps: each as it goes, and in the end what took how long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text


class StepFailedError(Exception):
    """A step did not come out as it has to."""


@dataclass
class Step:
    """One step: what it does, the command a user types for it, what came of it, and how long it took in seconds."""

    title: str
    command: str
    result: str = ""
    seconds: float = 0.0


@dataclass
class Report:
    """The steps so far, shown live on a terminal and line by line elsewhere."""

    console: Console
    steps: list[Step] = field(default_factory=list)
    remind_s: float | None = None
    """Elsewhere than on a terminal, how often a step says that it is still going on, in seconds; None: never."""
    _progress: Progress | None = None
    _doing: str = ""
    _headings: int = 0

    @contextmanager
    def step(self, title: str, command: str = "") -> Iterator[Step]:
        """Shows a step while it runs and its time when it ends; a failed or interrupted one is left as it stands."""
        step = Step(title, command)
        self.heading(title, command)
        started = time.monotonic()
        with self._live(title):
            yield step
        step.seconds = time.monotonic() - started
        self.steps.append(step)
        self.tell(f"done in {step.seconds:.1f} s{f': {step.result}' if step.result else ''}")

    def heading(self, title: str, command: str = "") -> None:
        """Prints what begins now."""
        self._headings += 1
        heading = Text(f"\n[{self._headings}] {title}", style="bold")
        self.console.print(heading.append(f"   $ {command}" if command else "", style="dim"), soft_wrap=True)

    def now(self, doing: str) -> None:
        """Shows what the step is doing: at once on a terminal, elsewhere with the next reminder."""
        self._doing = doing.strip()
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], doing=self._doing[: self.console.width - 30])

    def tell(self, text: str) -> None:
        """Prints a line of the step's own."""
        self.console.print(f"    {text}".rstrip(), markup=False, soft_wrap=True)

    def summary(self) -> Table:
        """What took how long."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
        table.add_column("step", "in all")
        table.add_column("seconds", f"{sum(step.seconds for step in self.steps):.1f}", justify="right")
        table.add_column("result", "")
        for step in self.steps:
            table.add_row(Text(step.title), f"{step.seconds:.1f}", Text(step.result))
        return table

    @contextmanager
    def _live(self, title: str) -> Iterator[None]:
        self._doing = ""
        if not self.console.is_terminal:
            with self._reminding():
                yield
            return
        columns = (
            TextColumn("   "),
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[doing]}", markup=False),
        )
        with Progress(*columns, console=self.console, transient=True) as self._progress:
            self._progress.add_task(title, doing="")
            yield
        self._progress = None

    @contextmanager
    def _reminding(self) -> Iterator[None]:
        if self.remind_s is None:
            yield
            return
        ended, started = threading.Event(), time.monotonic()

        def remind() -> None:
            while not ended.wait(self.remind_s):
                self.tell(f"… {time.monotonic() - started:.0f} s{f': {self._doing}' if self._doing else ''}")

        thread = threading.Thread(target=remind, name="reminder", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
