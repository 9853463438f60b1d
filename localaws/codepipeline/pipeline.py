"""A pipeline: its definition, its executions, and the threads in which their actions run."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from localaws.codepipeline.definition import Action, Definition
from localaws.codepipeline.execution import ActionRun, Execution, Outcome, StageRun, now
from localaws.codepipeline.flow import Flow

LOG = logging.getLogger(__name__)

APPROVAL_S = 7 * 24 * 3600
"""How long an approval waits unless it says: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html."""


def patience(action: Action) -> int:
    """How many seconds an approval waits for its answer."""
    return APPROVAL_S if action.timeout_minutes is None else action.timeout_minutes * 60


class ActionFailed(Exception):
    """An action failed: code and message of its ErrorDetails."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Surroundings(Protocol):
    """What a pipeline needs of the world around it."""

    def perform(self, run: ActionRun) -> Outcome:
        """Run an action to its end, in a thread of its own. Raises ActionFailed."""

    def ask(self, run: ActionRun) -> None:
        """Tell whom it concerns that an approval waits for them, in a thread of its own. Raises ActionFailed."""

    def changed(self, execution: Execution, stage: StageRun | None, run: ActionRun | None, state: str) -> None:
        """Hear of a change of state. The pipeline is locked meanwhile, so this must not wait."""

    def expire(self, run: ActionRun, seconds: float, expired: Callable[[], None]) -> None:
        """Call `expired` in another thread if the action has not ended after so many seconds."""


@dataclass
class Pipeline:
    """One pipeline. Whoever reads or changes what it holds has `lock`, and does nothing slow meanwhile."""

    definition: Definition
    tags: dict[str, str]
    surroundings: Surroundings
    lock: threading.RLock = field(default_factory=threading.RLock)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)

    def __post_init__(self) -> None:
        self.versions = {self.definition.version: self.definition}
        self.flow = Flow(self.definition, self._begin, self.surroundings.changed)
        self._started: dict[str, Execution] = {}

    def start(self, trigger: tuple[str, str], *, token: str | None = None) -> Execution:
        """Begin an execution; a token that has begun one already gives that one."""
        with self.lock:
            if token in self._started:
                return self._started[str(token)]
            execution = Execution(self.definition, trigger)
            if token:
                self._started[token] = execution
            self.flow.start(execution)
            return execution

    def redefine(self, definition: Definition) -> None:
        """Give it a new version of its definition."""
        with self.lock:
            self.definition = self.versions[definition.version] = definition
            self.updated = now()
            self.flow.redefine(definition)

    def execution(self, execution_id: str) -> Execution | None:
        """The execution of this id."""
        return next((one for one in self.flow.executions if one.id == execution_id), None)

    def answer(self, run: ActionRun, outcome: Outcome) -> None:
        """End an action from outside: an approval."""
        with self.lock:
            self.flow.ended(run, outcome)

    def _begin(self, run: ActionRun) -> None:
        if run.action.category == "Approval":
            run.token = str(uuid.uuid4())
            self.surroundings.expire(run, patience(run.action), lambda: self.answer(run, _EXPIRED))
            work = self._ask
        else:
            work = self._perform
        threading.Thread(target=work, args=(run,), name=f"action {run.action.name}", daemon=True).start()

    def _perform(self, run: ActionRun) -> None:
        outcome = _outcome(lambda: self.surroundings.perform(run))
        with self.lock:
            self.flow.ended(run, outcome)

    def _ask(self, run: ActionRun) -> None:
        def ask() -> Outcome:
            self.surroundings.ask(run)
            return Outcome()

        asked = _outcome(ask)
        if asked.error:
            with self.lock:
                self.flow.ended(run, asked)


_EXPIRED = Outcome(error=("JobTimedOut", "The approval request has expired without an answer"))


def _outcome(work: Callable[[], Outcome]) -> Outcome:
    """What work gives, or why it failed: whatever the reason, an action must not stay in progress for ever."""
    try:
        return work()
    except ActionFailed as failure:
        return Outcome(error=(failure.code, failure.message))
    except Exception as error:
        LOG.exception("action failed by a defect")
        return Outcome(error=("InternalError", f"Internal error of the embedded AWS: {type(error).__name__}: {error}"))
