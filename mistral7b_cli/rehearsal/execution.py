"""An execution of the pipeline: its stages and actions, and how far they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

NOT_STARTED = "NotStarted"
"""Status of what has not begun: ours, as CodePipeline has no word for it."""
IN_PROGRESS, SUCCEEDED, FAILED, ABANDONED = "InProgress", "Succeeded", "Failed", "Abandoned"
CANCELLED = "Cancelled"
"""Status of an execution whose pipeline was updated meanwhile."""

SIGNS = {SUCCEEDED: ("✓", "green"), FAILED: ("✗", "bold red"), IN_PROGRESS: ("●", "yellow"), NOT_STARTED: ("○", "dim")}
"""A sign and a style for each status, so that neither alone has to tell them apart."""
OTHER_SIGN = ("–", "dim")

OWN_LINE = "[Container] "
"""Prefix of the lines in a build's log that no command has printed."""

_LINE_BYTES = 250
"""Read from the end of a log for each line that is shown."""


@dataclass
class Action:
    """One action in one execution."""

    stage: str
    name: str
    category: str = ""
    """Source, Build, Test, Deploy or Approval."""
    note: str = ""
    """What an approval says to whoever answers it."""
    status: str = NOT_STARTED
    started: datetime | None = None
    ended: datetime | None = None
    reason: str = ""
    """Why it failed, or who answered an approval."""
    log: Path | None = None
    """What it printed, or the failed events of its stack."""

    @property
    def title(self) -> str:
        """Stage and action, as one reads them."""
        return f"{self.stage} / {self.label}"

    @property
    def label(self) -> str:
        """Its name, of a stack's without what every stack of the stage begins with."""
        return self.name.removeprefix(f"mistral-7b-{self.stage}-")

    @property
    def remark(self) -> str:
        """The reason, of what did not succeed and of approvals."""
        return self.reason if self.status != SUCCEEDED or self.category == "Approval" else ""

    @property
    def seconds(self) -> float | None:
        """How long it took, or has been taking; None before it starts."""
        return Stage(self.stage, (self,)).seconds

    def start(self, log: Path | None = None) -> None:
        """Record that it begins."""
        self.status, self.started, self.log = IN_PROGRESS, datetime.now(UTC), log

    def end(self, status: str, reason: str = "") -> None:
        """Record how it ends."""
        self.reason, self.ended, self.status = reason, datetime.now(UTC), status

    def tail(self, lines: int = 30) -> list[str]:
        """The last lines of its log."""
        if self.log is None or not self.log.is_file():
            return []
        with self.log.open("rb") as opened:
            opened.seek(max(0, self.log.stat().st_size - _LINE_BYTES * lines))
            return opened.read().decode("utf-8", errors="replace").splitlines()[-lines:]

    def output(self, lines: int = 30) -> list[str]:
        """Those of the last lines that its commands printed."""
        return [line for line in self.tail(lines) if not line.startswith(OWN_LINE)]

    @property
    def doing(self) -> str:
        """The last line that a command printed, of those that are not empty."""
        return next((line.strip() for line in reversed(self.output()) if line.strip()), "")


@dataclass(frozen=True)
class Stage:
    """One stage in one execution."""

    name: str
    actions: tuple[Action, ...]

    @property
    def status(self) -> str:
        """Failed if one of its actions failed; otherwise what they have in common, or InProgress."""
        found = {action.status for action in self.actions}
        if FAILED in found:
            return FAILED
        return found.pop() if len(found) == 1 else IN_PROGRESS

    @property
    def seconds(self) -> float | None:
        """From its first action's start to its last one's end, or to now; None before it starts."""
        started = [action.started for action in self.actions if action.started is not None]
        ended = [action.ended or datetime.now(UTC) for action in self.actions if action.started is not None]
        return (max(ended) - min(started)).total_seconds() if started else None


@dataclass
class Execution:
    """One execution of the pipeline."""

    pipeline: str
    id: str
    stages: tuple[Stage, ...]
    status: str = IN_PROGRESS
    commit: str = ""
    """The source's revision; empty before the source action has it."""
    deployed: dict[str, str] = field(default_factory=dict)
    """By stage, the commit of which a stack was deployed."""

    @property
    def actions(self) -> Iterator[Action]:
        """All its actions, in the pipeline's order."""
        return (action for stage in self.stages for action in stage.actions)

    @property
    def failed(self) -> Action | None:
        """The action that failed first."""
        failed = [action for action in self.actions if action.status == FAILED]
        return min(failed, key=lambda a: a.ended.timestamp() if a.ended else 0.0, default=None)
