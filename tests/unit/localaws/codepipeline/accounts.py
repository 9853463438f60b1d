"""Accounts with pipelines, and surroundings in which a test decides how actions end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from localaws import moto_app
from localaws.codepipeline.execution import ActionRun, Artifact, Execution, Outcome, StageRun
from localaws.codepipeline.pipeline import ActionFailed
from tests.unit.fresh_accounts import fresh_account
from tests.unit.localaws.codepipeline.structures import BUCKET, REGION, pipeline, trust

PATIENCE_S = 20


_OVER = ActionFailed("JobFailed", "the test is over")


class Actions:
    """Surroundings in which a test says how each action ends."""

    def __init__(self) -> None:
        self.begun: queue.Queue[ActionRun] = queue.Queue()
        self.states: queue.Queue[tuple[str, str, str, str]] = queue.Queue()
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.gates: dict[str, queue.Queue[Outcome | ActionFailed]] = {}
        self._lock = threading.Lock()
        self._over = False

    def perform(self, run: ActionRun) -> Outcome:
        self.begun.put(run)
        outcome = self.gate(run.id).get(timeout=PATIENCE_S)
        if isinstance(outcome, ActionFailed):
            raise outcome
        return outcome

    def ask(self, run: ActionRun) -> None:
        self.begun.put(run)

    def changed(self, execution: Execution, stage: StageRun | None, run: ActionRun | None, state: str) -> None:
        self.states.put((execution.id, stage.stage.name if stage else "", run.action.name if run else "", state))

    def expire(self, run: ActionRun, seconds: float, expired: Callable[[], None]) -> None:
        self.timers.append((seconds, expired))

    def gate(self, run_id: str) -> queue.Queue[Outcome | ActionFailed]:
        with self._lock:
            gate = self.gates.setdefault(run_id, queue.Queue())
            if self._over:
                gate.put(_OVER)
            return gate

    def close(self) -> None:
        """Let what still runs end: its threads would outlive the test."""
        with self._lock:
            self._over = True
            for gate in self.gates.values():
                gate.put(_OVER)

    def next(self) -> ActionRun:
        """The next action that begins."""
        return self.begun.get(timeout=PATIENCE_S)

    def succeed(self, run: ActionRun | None = None, **variables: str) -> ActionRun:
        """Let an action succeed, the next one that begins unless it is given."""
        run = run or self.next()
        made = tuple(Artifact(name, BUCKET, f"key-of-{name}", REGION) for name in run.action.outputs)
        self.gate(run.id).put(Outcome(artifacts=made, variables=variables))
        return run

    def fail(self, run: ActionRun | None = None) -> ActionRun:
        run = run or self.next()
        self.gate(run.id).put(ActionFailed("JobFailed", "it went wrong"))
        return run

    def until(self, *wanted: str, of: str | None = None) -> None:
        """Wait for a change of state, by its stage, action and state, of any execution or of one."""
        while True:
            execution, *state = self.states.get(timeout=PATIENCE_S)
            if tuple(state) == wanted and of in (None, execution):
                return


class Account:
    """An account that nothing else uses, with a role for pipelines."""

    def __init__(self) -> None:
        self.id = fresh_account()
        self.pipeline_role = self.role("pipeline", Service="codepipeline.amazonaws.com")

    def client(self, service: str, region: str = REGION) -> Any:
        return moto_app.client(service, self.id, region)

    def role(self, name: str, policy: str | None = None, **trusted: Any) -> str:
        iam = self.client("iam")
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(**trusted))["Role"]["Arn"])
        if policy:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
        return arn

    @property
    def codepipeline(self) -> Any:
        return self.client("codepipeline")

    def create(self, *stages: dict[str, Any], **members: Any) -> str:
        """Create a pipeline and give the id of its first execution."""
        declared = pipeline(*stages, **{"roleArn": self.pipeline_role, **members})
        self.codepipeline.create_pipeline(pipeline=declared)
        return str(self.executions()[0]["pipelineExecutionId"])

    def update(self, *stages: dict[str, Any], **members: Any) -> None:
        declared = pipeline(*stages, **{"roleArn": self.pipeline_role, **members})
        self.codepipeline.update_pipeline(pipeline=declared)

    def start(self) -> str:
        return str(self.codepipeline.start_pipeline_execution(name="pipeline")["pipelineExecutionId"])

    def executions(self) -> Any:
        """Newest first."""
        return self.codepipeline.list_pipeline_executions(pipelineName="pipeline")["pipelineExecutionSummaries"]

    def status(self, execution: str) -> str:
        return next(str(one["status"]) for one in self.executions() if one["pipelineExecutionId"] == execution)

    def stage(self, name: str) -> Any:
        states = self.codepipeline.get_pipeline_state(name="pipeline")["stageStates"]
        return next(state for state in states if state["stageName"] == name)

    def action(self, stage_name: str, name: str) -> Any:
        return next(one for one in self.stage(stage_name)["actionStates"] if one["actionName"] == name)
