"""Executions of a pipeline, of its stages and of its actions."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from localaws.codepipeline.definition import Action, Definition, Stage
from localaws.codepipeline.variables import OWN_NAMESPACE


def now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Artifact:
    """An artifact in the artifact store of a region."""

    name: str
    bucket: str
    key: str
    region: str


@dataclass(frozen=True)
class Revision:
    """What a source action found."""

    action: str
    artifact: str
    id: str
    summary: str
    url: str
    created: datetime
    """When it was committed."""


@dataclass(frozen=True)
class Outcome:
    """What came of an action: `error` is None if it succeeded."""

    error: tuple[str, str] | None = None
    """Code and message of its ErrorDetails."""
    summary: str = ""
    artifacts: tuple[Artifact, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    revision: Revision | None = None
    updated_by: str | None = None
    """ARN of who decided it, where somebody did."""


@dataclass
class ActionRun:
    """An execution of an action."""

    execution: Execution
    action: Action
    inputs: tuple[Artifact, ...]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    configuration: Mapping[str, str] | None = None
    """Its configuration, variables resolved; None before that."""
    outcome: Outcome = field(default_factory=Outcome)
    external_id: str | None = None
    external_url: str | None = None
    summary: str = ""
    token: str | None = None
    """Of an approval: what its answer has to name."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the action is abandoned."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when it has ended, however."""

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status == "InProgress"

    def end(self, status: str, outcome: Outcome | None = None) -> None:
        """Record its end."""
        self.status, self.updated = status, now()
        if outcome is not None:
            self.outcome = outcome
            self.summary = outcome.summary
        self.over.set()


@dataclass
class StageRun:
    """An execution in a stage, with its retries."""

    stage: Stage
    status: str = "InProgress"
    runs: list[ActionRun] = field(default_factory=list)
    retries: int = 0
    again: set[str] = field(default_factory=set)
    """Actions that a retry has still to run again."""

    def latest(self, action: str) -> ActionRun | None:
        """The latest run of an action, unless it is to run again."""
        if action in self.again:
            return None
        return next((run for run in reversed(self.runs) if run.action.name == action), None)

    @property
    def running(self) -> list[ActionRun]:
        """The actions that have not ended."""
        return [run for run in self.runs if run.running]


@dataclass
class Execution:
    """A pipeline execution, of the definition as it was when it started."""

    definition: Definition
    trigger: tuple[str, str]
    """Type and detail."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    status_summary: str = ""
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    stop_reason: str | None = None
    stop_requested: bool = False
    stages: dict[str, StageRun] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)
    namespaces: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.namespaces[OWN_NAMESPACE] = {"PipelineExecutionId": self.id}

    def move(self, status: str) -> None:
        """Give it a status."""
        self.status, self.updated = status, now()

    @property
    def ended(self) -> bool:
        """Whether it goes no further by itself."""
        return self.status not in ("InProgress", "Stopping")
