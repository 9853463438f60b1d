"""What the API shows of pipelines and their executions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localaws.codepipeline.definition import Action
from localaws.codepipeline.execution import ActionRun, Artifact, Execution, Outcome, Revision, StageRun
from localaws.codepipeline.flow import Place
from localaws.codepipeline.pipeline import Pipeline

Shown = dict[str, Any]


def without_empty(shown: Shown) -> Shown:
    """What is known of it."""
    return {key: value for key, value in shown.items() if value not in (None, "", [], {})}


def state(pipeline: Pipeline) -> Shown:
    """GetPipelineState."""
    return {
        "pipelineName": pipeline.definition.name,
        "pipelineVersion": pipeline.definition.version,
        "stageStates": [
            _stage_state(stage.name, stage.actions, pipeline.flow.places[stage.name])
            for stage in pipeline.definition.stages
        ],
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _stage_state(name: str, actions: Iterable[Action], place: Place) -> Shown:
    inbound = [{"pipelineExecutionId": one.id, "status": "InProgress"} for one in place.waiting]
    latest = place.latest.stages[name] if place.latest else None
    retried = {"manualStageRetryAttempt": latest.retries, "latestRetryTrigger": "ManualStageRetry"} if latest else {}
    disabled = place.disabled
    return without_empty(
        {
            "stageName": name,
            "inboundExecution": inbound[0] if inbound else None,
            "inboundExecutions": inbound,
            "inboundTransitionState": without_empty(
                {
                    "enabled": disabled is None,
                    "disabledReason": disabled and disabled.reason,
                    "lastChangedBy": disabled and disabled.by,
                }
            ),
            "actionStates": [_action_state(action, place.runs.get(action.name)) for action in actions],
            "latestExecution": place.latest
            and latest
            and {"pipelineExecutionId": place.latest.id, "status": latest.status},
            "retryStageMetadata": retried if latest and latest.retries else None,
        }
    )


def _action_state(action: Action, run: ActionRun | None) -> Shown:
    if run is None:
        return {"actionName": action.name}
    revision = run.outcome.revision
    return without_empty(
        {
            "actionName": action.name,
            "currentRevision": revision
            and {"revisionId": revision.id, "revisionChangeId": revision.id, "created": revision.created},
            "revisionUrl": revision and revision.url,
            "latestExecution": without_empty(
                {
                    "actionExecutionId": run.id,
                    "status": run.status,
                    "summary": run.summary,
                    "lastStatusChange": run.updated,
                    "token": run.token if run.running else None,
                    "lastUpdatedBy": run.outcome.updated_by,
                    "externalExecutionId": run.external_id,
                    "externalExecutionUrl": run.external_url,
                    "errorDetails": _error(run.outcome),
                }
            ),
        }
    )


def _error(outcome: Outcome) -> Shown | None:
    return {"code": outcome.error[0], "message": outcome.error[1]} if outcome.error else None


def _trigger(execution: Execution) -> Shown:
    return {"triggerType": execution.trigger[0], "triggerDetail": execution.trigger[1]}


def execution(one: Execution) -> Shown:
    """GetPipelineExecution."""
    return without_empty(
        {
            "pipelineName": one.definition.name,
            "pipelineVersion": one.definition.version,
            "pipelineExecutionId": one.id,
            "status": one.status,
            "artifactRevisions": [_artifact_revision(revision) for revision in one.revisions],
            "trigger": _trigger(one),
            "executionMode": one.definition.mode,
            "executionType": "STANDARD",
        }
    )


def _artifact_revision(revision: Revision) -> Shown:
    return {
        "name": revision.artifact,
        "revisionId": revision.id,
        "revisionSummary": revision.summary,
        "created": revision.created,
        "revisionUrl": revision.url,
    }


def summary(one: Execution) -> Shown:
    """An item of ListPipelineExecutions."""
    revisions = [
        {
            "actionName": revision.action,
            "revisionId": revision.id,
            "revisionSummary": revision.summary,
            "revisionUrl": revision.url,
        }
        for revision in one.revisions
    ]
    return without_empty(
        {
            "pipelineExecutionId": one.id,
            "status": one.status,
            "startTime": one.started,
            "lastUpdateTime": one.updated,
            "sourceRevisions": revisions,
            "trigger": _trigger(one),
            "stopTrigger": {"reason": one.stop_reason or ""} if one.stop_requested else None,
            "executionMode": one.definition.mode,
            "executionType": "STANDARD",
        }
    )


def action_runs(executions: Iterable[Execution]) -> list[Shown]:
    """The items of ListActionExecutions, newest first."""
    runs = [(stage, run) for one in executions for stage in one.stages.values() for run in stage.runs]
    runs.sort(key=lambda pair: pair[1].started, reverse=True)
    return [_action_run(stage, run) for stage, run in runs]


def _action_run(stage: StageRun, run: ActionRun) -> Shown:
    action, definition = run.action, run.execution.definition
    result = without_empty(
        {
            "externalExecutionId": run.external_id,
            "externalExecutionSummary": run.summary,
            "externalExecutionUrl": run.external_url,
            "errorDetails": _error(run.outcome),
        }
    )
    return without_empty(
        {
            "pipelineExecutionId": run.execution.id,
            "actionExecutionId": run.id,
            "pipelineVersion": definition.version,
            "stageName": stage.stage.name,
            "actionName": action.name,
            "startTime": run.started,
            "lastUpdateTime": run.updated,
            "updatedBy": run.outcome.updated_by,
            "status": run.status,
            "input": without_empty(
                {
                    "actionTypeId": action.type_id,
                    "configuration": dict(action.configuration),
                    "resolvedConfiguration": run.configuration,
                    "roleArn": action.role_arn,
                    "region": action.region or definition.region,
                    "inputArtifacts": [_artifact(one) for one in run.inputs],
                    "namespace": action.namespace,
                }
            ),
            "output": without_empty(
                {
                    "outputArtifacts": [_artifact(one) for one in run.outcome.artifacts],
                    "executionResult": result,
                    "outputVariables": dict(run.outcome.variables),
                }
            ),
        }
    )


def _artifact(artifact: Artifact) -> Shown:
    return {"name": artifact.name, "s3location": {"bucket": artifact.bucket, "key": artifact.key}}
