"""How executions go through the stages of a pipeline. Nothing here waits, and nothing runs by itself.

A stage holds one execution at a time. Those that wait to enter it stand at its entry: in SUPERSEDED mode one, which the
next to come there supersedes, in QUEUED mode all, in their order. An action is begun by a call and ended by another.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from localaws.codepipeline.definition import Definition
from localaws.codepipeline.execution import ActionRun, Execution, Outcome, StageRun

Begin = Callable[[ActionRun], None]
"""Starts an action. Its end is told to `Flow.ended` later: never from within this call, which must not wait either."""

Changed = Callable[[Execution, StageRun | None, ActionRun | None, str], None]
"""Hears that an execution, a stage of it or an action of that came to a state, as EventBridge names it."""


@dataclass(frozen=True)
class Disabled:
    """Why a transition into a stage is disabled."""

    reason: str
    by: str


@dataclass
class Place:
    """A stage as executions find it."""

    occupant: Execution | None = None
    waiting: list[Execution] = field(default_factory=list)
    disabled: Disabled | None = None
    latest: Execution | None = None
    """The last one that entered."""
    runs: dict[str, ActionRun] = field(default_factory=dict)
    """The latest run of each action, of whichever execution."""


class Flow:
    """The executions of one pipeline. Its owner sees to it that one thread at a time calls it."""

    def __init__(self, definition: Definition, begin: Begin, changed: Changed) -> None:
        self.executions: list[Execution] = []
        self.places: dict[str, Place] = {}
        self._begin = begin
        self._changed = changed
        self.redefine(definition)

    def redefine(self, definition: Definition) -> None:
        """The pipeline has changed: what is under way is Cancelled, and goes no further than its running actions."""
        self._cancel_all()
        self.definition = definition
        self.places = {stage.name: self.places.get(stage.name, Place()) for stage in definition.stages}

    def start(self, execution: Execution) -> None:
        """Begin an execution."""
        self.executions.append(execution)
        self._changed(execution, None, None, "STARTED")
        self._arrive(execution, execution.definition.stages[0].name)

    def ended(self, run: ActionRun, outcome: Outcome) -> None:
        """An action has ended. What is abandoned already stays so."""
        if not run.running:
            return
        execution, stage_run = run.execution, run.execution.stages[run.action.stage]
        run.end("Failed" if outcome.error else "Succeeded", outcome)
        self._changed(execution, stage_run, run, run.status.upper())
        execution.artifacts.update({artifact.name: artifact for artifact in outcome.artifacts})
        if run.action.namespace:
            execution.namespaces[run.action.namespace] = outcome.variables
        if outcome.revision:
            execution.revisions = [one for one in execution.revisions if one.action != run.action.name]
            execution.revisions.append(outcome.revision)
        if outcome.error and execution.status == "InProgress":
            self._fail(execution, stage_run)
        self._settle(execution, stage_run)

    def stop(self, execution: Execution, reason: str | None, *, abandon: bool) -> None:
        """Stop an execution after its running actions, or without them."""
        execution.stop_reason, execution.stop_requested = reason, True
        if execution.status == "InProgress":
            execution.move("Stopping")
            self._changed(execution, None, None, "STOPPING")
        stage_run = self._inside(execution)
        if stage_run is None:
            self._leave_entry(execution)
            self._end(execution, "Stopped")
            return
        stage_run.status = "Stopping"
        self._changed(execution, stage_run, None, "STOPPING")
        if abandon:
            self._abandon(execution, stage_run)
        self._settle(execution, stage_run)

    def retry(self, execution: Execution, stage_run: StageRun, *, all_actions: bool) -> None:
        """Run the failed actions of a stage again, or all of them, and those that were not reached."""
        latest = [stage_run.latest(action.name) for action in stage_run.stage.actions]
        again = {run.action.name for run in latest if run and (all_actions or run.status in ("Failed", "Abandoned"))}
        stage_run.again, stage_run.status, stage_run.retries = again, "InProgress", stage_run.retries + 1
        execution.move("InProgress")
        execution.stop_requested, execution.stop_reason = False, None
        self.places[stage_run.stage.name].occupant = execution
        self._changed(execution, None, None, "RESUMED")
        self._changed(execution, stage_run, None, "RESUMED")
        self._advance(execution, stage_run)

    def enable(self, stage: str) -> None:
        """Let executions enter a stage again."""
        self.places[stage].disabled = None
        self._admit(stage)

    def close(self) -> None:
        """The pipeline is deleted: nothing of it goes on."""
        for execution in self.executions:
            if stage_run := self._inside(execution):
                self._abandon(execution, stage_run)
        self._cancel_all()

    def _cancel_all(self) -> None:
        under_way = [execution for execution in self.executions if not execution.ended]
        # Those at an entry first, or they would enter the stages that the others leave.
        for execution in sorted(under_way, key=lambda one: self._inside(one) is not None):
            self._cancel(execution)

    def _arrive(self, execution: Execution, stage: str) -> None:
        place = self.places[stage]
        if self.definition.mode == "SUPERSEDED":
            for older in place.waiting:
                self._end(older, "Superseded")
            place.waiting.clear()
        place.waiting.append(execution)
        self._admit(stage)

    def _admit(self, stage: str) -> None:
        place = self.places[stage]
        if place.occupant or place.disabled or not place.waiting:
            return
        execution = place.waiting.pop(0)
        place.occupant = place.latest = execution
        declared = next(one for one in execution.definition.stages if one.name == stage)
        stage_run = execution.stages[stage] = StageRun(declared)
        self._changed(execution, stage_run, None, "STARTED")
        self._advance(execution, stage_run)

    def _advance(self, execution: Execution, stage_run: StageRun) -> None:
        """Begin the next actions of a stage, or end it."""
        for order in sorted({action.run_order for action in stage_run.stage.actions}):
            group = [action for action in stage_run.stage.actions if action.run_order == order]
            for action in group:
                if stage_run.latest(action.name) is None:
                    inputs = tuple(execution.artifacts[name] for name in action.inputs)
                    run = ActionRun(execution, action, inputs)
                    stage_run.again.discard(action.name)
                    stage_run.runs.append(run)
                    self.places[action.stage].runs[action.name] = run
                    self._changed(execution, stage_run, run, "STARTED")
                    self._begin(run)
            if any(run.running for run in stage_run.runs if run.action.run_order == order):
                return
        stage_run.status = "Succeeded"
        execution.move("InProgress")
        self._changed(execution, stage_run, None, "SUCCEEDED")
        names = [stage.name for stage in execution.definition.stages]
        following = names[names.index(stage_run.stage.name) + 1 :]
        self._release(stage_run.stage.name)
        if following:
            self._arrive(execution, following[0])
        else:
            self._end(execution, "Succeeded")

    def _settle(self, execution: Execution, stage_run: StageRun) -> None:
        """Go on after an action has ended, or leave the stage if the execution goes no further."""
        if execution.status == "InProgress":
            self._advance(execution, stage_run)
        elif not stage_run.running:
            if execution.status == "Stopping":
                stage_run.status = "Stopped"
                self._changed(execution, stage_run, None, "STOPPED")
                self._end(execution, "Stopped")
            self._release(stage_run.stage.name, execution)

    def _fail(self, execution: Execution, stage_run: StageRun) -> None:
        """Fail a stage at once. Actions that run beside go on, but questions that no longer matter are withdrawn."""
        stage_run.status = "Failed"
        self._withdraw(execution, stage_run)
        self._changed(execution, stage_run, None, "FAILED")
        self._end(execution, "Failed")

    def _cancel(self, execution: Execution) -> None:
        stage_run = self._inside(execution)
        self._leave_entry(execution)
        self._end(execution, "Cancelled")
        if stage_run:
            stage_run.status = "Cancelled"
            self._withdraw(execution, stage_run)
            self._changed(execution, stage_run, None, "CANCELED")
            self._settle(execution, stage_run)

    def _end(self, execution: Execution, status: str) -> None:
        execution.move(status)
        self._changed(execution, None, None, "CANCELED" if status == "Cancelled" else status.upper())

    def _withdraw(self, execution: Execution, stage_run: StageRun) -> None:
        self._abandon(execution, stage_run, only="Approval")

    def _abandon(self, execution: Execution, stage_run: StageRun, only: str | None = None) -> None:
        for run in stage_run.running:
            if only in (None, run.action.category):
                run.end("Abandoned")
                run.cancelled.set()
                self._changed(execution, stage_run, run, "ABANDONED")

    def _release(self, stage: str, execution: Execution | None = None) -> None:
        """Free a stage; one that the pipeline no longer has is free of itself."""
        place = self.places.get(stage)
        if place and (execution is None or place.occupant is execution):
            place.occupant = None
            self._admit(stage)

    def _inside(self, execution: Execution) -> StageRun | None:
        """The stage that an execution is in."""
        return next((execution.stages[name] for name in self._occupied(execution)), None)

    def _occupied(self, execution: Execution) -> Iterator[str]:
        return (name for name, place in self.places.items() if place.occupant is execution)

    def _leave_entry(self, execution: Execution) -> None:
        for place in self.places.values():
            if execution in place.waiting:
                place.waiting.remove(execution)
