"""Executions in a pipeline, whatever happens in whatever order: what must always hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from localaws.codepipeline.definition import Definition
from localaws.codepipeline.execution import ActionRun, Artifact, Execution, Outcome, StageRun
from localaws.codepipeline.flow import Disabled, Flow
from tests.unit.localaws.codepipeline.structures import approval, build, definition, stage

_KINDS = {"build": build, "approval": approval}


class Executions(RuleBasedStateMachine):
    """One pipeline of a source and two or three further stages, with actions in parallel and in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[ActionRun] = []
        self.entered: dict[str, list[Execution]] = {}
        self.version = 1
        self.failures = 0

    @initialize(
        mode=st.sampled_from(["SUPERSEDED", "QUEUED"]),
        stages=st.lists(
            st.lists(st.tuples(st.sampled_from(sorted(_KINDS)), st.integers(1, 2)), min_size=1, max_size=3),
            min_size=2,
            max_size=3,
        ),
    )
    def create(self, mode: str, stages: list[list[tuple[str, int]]]) -> None:
        self.stages = [
            stage(
                f"Stage{place}",
                *(_KINDS[kind](f"Action{index}", runOrder=order) for index, (kind, order) in enumerate(actions)),
            )
            for place, actions in enumerate(stages)
        ]
        self.mode = mode
        self.flow = Flow(self.defined(), self.open.append, self.changed)

    def defined(self) -> Definition:
        return definition(*self.stages, version=self.version, executionMode=self.mode)

    def changed(self, execution: Execution, stage_run: StageRun | None, run: ActionRun | None, state: str) -> None:
        if stage_run and not run and state == "STARTED":
            self.entered.setdefault(stage_run.stage.name, []).append(execution)
        if run and state == "STARTED":
            assert execution.status == "InProgress"
            stage_now = execution.stages[run.action.stage]
            earlier = [one for one in stage_now.stage.actions if one.run_order < run.action.run_order]
            ended = [latest.status for one in earlier if (latest := stage_now.latest(one.name))]
            assert ended == ["Succeeded"] * len(earlier)

    @property
    def running(self) -> list[ActionRun]:
        return [run for run in self.open if run.running]

    @property
    def under_way(self) -> list[Execution]:
        return [execution for execution in self.flow.executions if not execution.ended]

    @rule()
    def start(self) -> None:
        self.flow.start(Execution(self.flow.definition, ("StartPipelineExecution", "")))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), succeeds=st.sampled_from([True, True, False]))
    def end(self, data: st.DataObject, succeeds: bool) -> None:
        self.finish(data.draw(st.sampled_from(self.running)), succeeds=succeeds)

    @precondition(lambda self: len(self.running) < len(self.open))
    @rule(data=st.data(), succeeds=st.booleans())
    def end_what_is_over(self, data: st.DataObject, succeeds: bool) -> None:
        run = data.draw(st.sampled_from([one for one in self.open if not one.running]))
        status = run.status
        self.finish(run, succeeds=succeeds)
        assert run.status == status

    def finish(self, run: ActionRun, *, succeeds: bool) -> None:
        made = tuple(Artifact(name, "bucket", name, "us-east-1") for name in run.action.outputs)
        self.flow.ended(run, Outcome(artifacts=made) if succeeds else Outcome(error=("JobFailed", "it failed")))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), abandon=st.booleans())
    def stop(self, data: st.DataObject, abandon: bool) -> None:
        execution = data.draw(st.sampled_from(self.under_way))
        self.flow.stop(execution, "enough", abandon=abandon)
        assert not abandon or execution.status == "Stopped"

    @precondition(lambda self: self.retryable())
    @rule(data=st.data(), all_actions=st.booleans())
    def retry(self, data: st.DataObject, all_actions: bool) -> None:
        execution, stage_run = data.draw(st.sampled_from(self.retryable()))
        if not (all_actions and stage_run.running):
            self.flow.retry(execution, stage_run, all_actions=all_actions)
            assert execution.status == "InProgress"

    def retryable(self) -> list[tuple[Execution, StageRun]]:
        return [
            (place.latest, place.latest.stages[name])
            for name, place in self.flow.places.items()
            if place.latest
            and place.latest.definition is self.flow.definition
            and place.latest.status in ("Failed", "Stopped")
            and place.latest.stages[name].status in ("Failed", "Stopped")
        ]

    @rule()
    def update(self) -> None:
        self.version += 1
        begun = len(self.open)
        self.flow.redefine(self.defined())
        assert not self.under_way
        assert len(self.open) == begun

    @rule(data=st.data())
    def switch_transition(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.flow.places)))
        if self.flow.places[name].disabled:
            self.flow.enable(name)
        else:
            self.flow.places[name].disabled = Disabled("not now", "arn")

    @invariant()
    def a_stage_holds_one_execution(self) -> None:
        for name, place in self.flow.places.items():
            inside = {run.execution.id for run in self.running if run.action.stage == name}
            assert inside <= ({place.occupant.id} if place.occupant else set())

    @invariant()
    def an_execution_is_in_one_place(self) -> None:
        for execution in self.under_way:
            inside = [name for name, place in self.flow.places.items() if place.occupant is execution]
            before = [name for name, place in self.flow.places.items() if execution in place.waiting]
            assert len(inside) + len(before) == 1

    @invariant()
    def a_later_execution_is_never_overtaken(self) -> None:
        order = {execution.id: number for number, execution in enumerate(self.flow.executions)}
        for entered in self.entered.values():
            numbers = [order[execution.id] for execution in entered]
            assert numbers == sorted(set(numbers))

    @invariant()
    def a_superseded_execution_has_a_successor(self) -> None:
        waiting = [len(place.waiting) for place in self.flow.places.values()]
        assert self.mode == "QUEUED" or all(count <= 1 for count in waiting)
        for number, execution in enumerate(self.flow.executions):
            if execution.status == "Superseded":
                assert self.mode == "SUPERSEDED"
                assert number + 1 < len(self.flow.executions)

    @invariant()
    def nothing_waits_for_a_free_stage(self) -> None:
        for place in self.flow.places.values():
            assert place.occupant or place.disabled or not place.waiting

    @invariant()
    def what_has_ended_asks_nobody(self) -> None:
        for run in self.running:
            assert not run.execution.ended or run.action.category != "Approval"

    def teardown(self) -> None:
        """Everything comes to an end once actions do."""
        for name in self.flow.places:
            self.flow.enable(name)
        while self.running:
            self.finish(self.running[0], succeeds=True)
        assert not self.under_way
        assert not any(place.occupant for place in self.flow.places.values())


Executions.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestExecutions = Executions.TestCase
