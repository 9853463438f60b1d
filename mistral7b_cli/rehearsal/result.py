"""What came of a rehearsal: for scripts, and as tables."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from mistral7b.tgi import parse_environment
from mistral7b_cli.rehearsal.cloud import Place
from mistral7b_cli.rehearsal.deployed import Deployed
from mistral7b_cli.rehearsal.execution import SUCCEEDED, Action, Execution
from mistral7b_cli.rehearsal.repository import Clone
from mistral7b_cli.rehearsal.view import sign

# What of a container's settings is worth a column, the launcher's defaults included: the rest is in the JSON document.
_SHOWN = ("MAX_CONCURRENT_REQUESTS", "MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS")
_COMMIT_LETTERS = 10


@dataclass
class Result:
    """What came of one commit."""

    place: Place
    """The pipeline's."""
    commit: Clone
    execution: Execution
    environments: tuple[Deployed, ...]
    stop: dict[str, Any] | None = field(init=False)
    """Where the promotion stopped, why, and the end of what was printed there; None if it did not."""

    def __post_init__(self) -> None:
        """Reads the log now: it goes with the rehearsal."""
        failed = self.execution.failed
        if failed is not None:
            self.stop = {"stage": failed.stage, "action": failed.name, "reason": failed.reason, "log": failed.tail()}
        elif self.promoted:
            self.stop = None
        else:  # cancelled by an update that starts nothing
            self.stop = {"stage": "", "action": "", "reason": f"the execution is {self.execution.status}", "log": []}

    @property
    def promoted(self) -> bool:
        """Whether every stage succeeded."""
        return self.execution.status == SUCCEEDED

    @property
    def title(self) -> str:
        """The commit, as one reads it."""
        return f"{self.commit.commit[:_COMMIT_LETTERS]} {self.commit.subject}"

    @property
    def stopped(self) -> str:
        """Where it stopped and why; empty if it did not."""
        if (stop := self.stop) is None:
            return ""
        where = " / ".join(filter(None, (stop["stage"], stop["action"])))
        return f"stopped at {where}: {stop['reason'] or 'it gave no reason'}"

    def document(self) -> dict[str, Any]:
        """All of it, for scripts."""
        return {
            "commit": self.commit.commit,
            "promoted": self.promoted,
            "pipeline": self.execution.pipeline,
            "execution": self.execution.id,
            "status": self.execution.status,
            "stopped_by": self.stop,
            "stages": [
                {
                    "name": stage.name,
                    "status": stage.status,
                    "seconds": _rounded(stage.seconds(_now())),
                    "actions": [_action(action) for action in stage.actions],
                }
                for stage in self.execution.stages
            ],
            "environments": [asdict(environment) for environment in self.environments],
        }

    def tables(self) -> Iterator[Table]:
        """The stages with their actions, and what the environments run."""
        yield self._actions()
        yield self._environments()

    def _actions(self) -> Table:
        table = _table("stage", "action", "", "status", "seconds", "")
        table.columns[4].justify = "right"
        for stage in self.execution.stages:
            for number, action in enumerate(stage.actions):
                mark, style = sign(action.status)
                seconds = action.seconds(_now())
                table.add_row(
                    Text("" if number else stage.name, style="bold"),
                    Text(action.label),
                    Text(mark, style=style),
                    Text(action.status),
                    "" if seconds is None else f"{seconds:.1f}",
                    Text(action.reason if action.status != SUCCEEDED or action.category == "Approval" else ""),
                )
        return table

    def _environments(self) -> Table:
        table = _table("environment", "account", "region", "endpoint", "status", "instances", "commit", *_SHOWN)
        for e in self.environments:
            this = "this one" if e.commit == self.commit.commit else e.commit[:_COMMIT_LETTERS]
            instances = f"{e.instances} × {e.instance_type}" if e.instances else ""
            launcher = parse_environment(e.settings) if e.settings else None
            settings = [str(getattr(launcher, name.lower(), "")) for name in _SHOWN]
            table.add_row(e.environment, e.account, e.region, e.endpoint, e.status, instances, this, *settings)
        return table


def _action(action: Action) -> dict[str, Any]:
    return {
        "name": action.name,
        "category": action.category or None,
        "status": action.status,
        "seconds": _rounded(action.seconds(_now())),
        "reason": action.reason or None,
    }


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _now() -> datetime:
    return datetime.now(UTC)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
