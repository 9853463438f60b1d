"""An execution of a pipeline: its stages and actions as CodePipeline tells them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

NOT_STARTED = "NotStarted"
"""Status of what has not begun: ours, as CodePipeline has no word for it."""
IN_PROGRESS, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"

# PipelineExecution.status in the API reference: these two change again.
_GOING_ON = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Action:
    """One action in one execution."""

    stage: str
    name: str
    status: str = NOT_STARTED
    """NotStarted, InProgress, Succeeded, Failed or Abandoned."""
    category: str = ""
    """Source, Build, Deploy or Approval; empty before it starts."""
    started: datetime | None = None
    updated: datetime | None = None
    reason: str = ""
    """What CodePipeline says of its end."""
    external_id: str = ""
    """Its id in the service that runs it: of CodeBuild, the build's."""
    token: str = ""
    """With which to answer an approval."""
    region: str = ""
    role_arn: str = ""
    configuration: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Stage and action, as one reads them."""
        return f"{self.stage} / {self.label}"

    @property
    def label(self) -> str:
        """Its name, of a stack's without what every stack of the stage begins with."""
        return self.name.removeprefix(f"mistral-7b-{self.stage}-")

    def seconds(self, now: datetime) -> float | None:
        """How long it took, or has been taking until `now`; None before it starts."""
        if self.started is None:
            return None
        end = now if self.status == IN_PROGRESS else self.updated or now
        return max(0.0, (end - self.started).total_seconds())


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

    def seconds(self, now: datetime) -> float | None:
        """From its first action's start to its last one's end; None before it starts."""
        begun = [action for action in self.actions if action.started is not None]
        if not begun:
            return None
        first = min(action.started for action in begun if action.started is not None)
        return max((a.started - first).total_seconds() + (a.seconds(now) or 0.0) for a in begun if a.started)


@dataclass(frozen=True)
class Execution:
    """One execution of a pipeline."""

    pipeline: str
    id: str
    status: str
    stages: tuple[Stage, ...]
    commit: str = ""
    """The source's revision; empty before the source action has it."""
    summary: str = ""

    @property
    def finished(self) -> bool:
        """Whether it goes no further."""
        return self.status not in _GOING_ON

    @property
    def actions(self) -> Iterator[Action]:
        """All its actions, in the pipeline's order."""
        return (action for stage in self.stages for action in stage.actions)

    @property
    def failed(self) -> Action | None:
        """The action that failed first."""
        failed = [action for action in self.actions if action.status == FAILED]
        return min(failed, key=lambda a: a.updated.timestamp() if a.updated else 0.0, default=None)

    def approvals(self) -> Iterator[tuple[Stage, Action]]:
        """Approvals that wait for an answer, when nothing else of their stage runs: a review may still give it."""
        for stage in self.stages:
            waiting = [a for a in stage.actions if a.status == IN_PROGRESS and a.category == "Approval" and a.token]
            if waiting and len(waiting) == sum(action.status == IN_PROGRESS for action in stage.actions):
                yield from ((stage, action) for action in waiting)


def read_execution(codepipeline: Any, pipeline: str, execution_id: str) -> Execution:
    """The execution as it is now.

    Args:
        codepipeline: boto3 client of CodePipeline in the pipeline's account and region.
        pipeline: the pipeline's name.
        execution_id: as StartPipelineExecution and ListPipelineExecutions give it.

    Raises:
        botocore.exceptions.ClientError: there is no such pipeline or execution, or it may not be seen.
    """
    # in this order: whatever happens in between, an execution that has finished shows all that it did
    execution = codepipeline.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution_id)
    state = codepipeline.get_pipeline_state(name=pipeline)
    pages = codepipeline.get_paginator("list_action_executions").paginate(
        pipelineName=pipeline, filter={"pipelineExecutionId": execution_id}
    )
    runs = _latest(run for page in pages for run in page["actionExecutionDetails"])
    stages = tuple(_stage(stage, runs) for stage in state["stageStates"])
    told = execution["pipelineExecution"]
    revisions = told.get("artifactRevisions", [])
    return Execution(
        pipeline=pipeline,
        id=execution_id,
        status=told["status"],
        stages=stages,
        commit=revisions[0].get("revisionId", "") if revisions else "",
        summary=told.get("statusSummary", ""),
    )


def _latest(runs: Iterator[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The newest run of each action: a stage that is retried runs them again."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for run in runs:
        key = (run["stageName"], run["actionName"])
        if key not in found or run["startTime"] > found[key]["startTime"]:
            found[key] = run
    return found


def _stage(state: dict[str, Any], runs: dict[tuple[str, str], dict[str, Any]]) -> Stage:
    name = state["stageName"]
    actions = []
    for action in state["actionStates"]:
        run = runs.get((name, action["actionName"]))
        actions.append(_action(run, action) if run else Action(name, action["actionName"]))
    return Stage(name, tuple(actions))


def _action(run: dict[str, Any], state: dict[str, Any]) -> Action:
    given, result = run.get("input", {}), run.get("output", {}).get("executionResult", {})
    # the state is of the newest run, whosever: what it knows counts if that is this one
    latest = state.get("latestExecution", {})
    if latest.get("actionExecutionId") != run["actionExecutionId"]:
        latest = {}
    error = result.get("errorDetails") or latest.get("errorDetails") or {}
    return Action(
        stage=run["stageName"],
        name=run["actionName"],
        status=run["status"],
        category=given.get("actionTypeId", {}).get("category", ""),
        started=run["startTime"],
        updated=run.get("lastUpdateTime"),
        reason=error.get("message") or result.get("externalExecutionSummary") or latest.get("summary") or "",
        external_id=result.get("externalExecutionId") or latest.get("externalExecutionId") or "",
        token=latest.get("token", ""),
        region=given.get("region", ""),
        role_arn=given.get("roleArn", ""),
        configuration=given.get("resolvedConfiguration") or given.get("configuration") or {},
    )
