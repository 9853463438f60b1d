"""Operations on executions: start, show, stop, retry, approve."""

from __future__ import annotations

from moto.core.responses import ActionResult

from localaws.codepipeline import answers
from localaws.codepipeline.api_requests import Operations
from localaws.codepipeline.errors import (
    ActionNotFound,
    ApprovalAlreadyCompleted,
    DuplicatedStopRequest,
    InvalidApprovalToken,
    NotLatestPipelineExecution,
    PipelineExecutionNotStoppable,
    StageNotRetryable,
)
from localaws.codepipeline.execution import Execution, Outcome, StageRun
from localaws.codepipeline.pipeline import Pipeline


class Executions(Operations):
    """Executions of pipelines."""

    def start_pipeline_execution(self) -> ActionResult:
        """StartPipelineExecution."""
        request = self.request
        pipeline = self.pipeline(request["name"])
        for member in ("variables", "sourceRevisions"):
            if request.get(member):
                raise NotImplementedError(f"{member} of an execution")
        trigger = ("StartPipelineExecution", self.caller.arn)
        execution = pipeline.start(trigger, token=request.get("clientRequestToken"))
        return ActionResult({"pipelineExecutionId": execution.id})

    def get_pipeline_state(self) -> ActionResult:
        """GetPipelineState."""
        pipeline = self.pipeline(self.request["name"])
        with pipeline.lock:
            return ActionResult(answers.state(pipeline))

    def get_pipeline_execution(self) -> ActionResult:
        """GetPipelineExecution."""
        request = self.request
        pipeline = self.pipeline(request["pipelineName"])
        with pipeline.lock:
            execution = self.execution(pipeline, request["pipelineExecutionId"])
            return ActionResult({"pipelineExecution": answers.execution(execution)})

    def list_pipeline_executions(self) -> ActionResult:
        """ListPipelineExecutions, newest first."""
        request = self.request
        pipeline = self.pipeline(request["pipelineName"])
        wanted = request.get("filter", {}).get("succeededInStage", {}).get("stageName")
        with pipeline.lock:
            shown = [
                answers.summary(one)
                for one in reversed(pipeline.flow.executions)
                if wanted is None or _succeeded_in(one, wanted)
            ]
        return self.page("pipelineExecutionSummaries", shown)

    def list_action_executions(self) -> ActionResult:
        """ListActionExecutions, newest first."""
        request = self.request
        pipeline = self.pipeline(request["pipelineName"])
        wanted = request.get("filter", {})
        latest = wanted.get("latestInPipelineExecution", {})
        if latest.get("startTimeRange") == "Latest":
            raise NotImplementedError("startTimeRange Latest of latestInPipelineExecution")
        execution_id = wanted.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        with pipeline.lock:
            executions = [self.execution(pipeline, execution_id)] if execution_id else pipeline.flow.executions
            shown = answers.action_runs(executions)
        return self.page("actionExecutionDetails", shown)

    def stop_pipeline_execution(self) -> ActionResult:
        """StopPipelineExecution."""
        request = self.request
        pipeline, abandon = self.pipeline(request["pipelineName"]), bool(request.get("abandon"))
        with pipeline.lock:
            execution = pipeline.execution(request["pipelineExecutionId"])
            if execution is None or execution.ended:
                raise PipelineExecutionNotStoppable(
                    "Unable to stop the pipeline execution. The execution might already be in a Stopped state, or it "
                    "might no longer be in progress."
                )
            if execution.status == "Stopping" and not abandon:
                raise DuplicatedStopRequest(
                    "The pipeline execution is already in a Stopping state. If you already chose to stop and wait, "
                    "you cannot make that request again."
                )
            pipeline.flow.stop(execution, request.get("reason"), abandon=abandon)
        return ActionResult({"pipelineExecutionId": execution.id})

    def retry_stage_execution(self) -> ActionResult:
        """RetryStageExecution."""
        request = self.request
        pipeline = self.pipeline(request["pipelineName"], f"/{request['stageName']}")
        self.check_stage(pipeline, request["stageName"])
        all_actions = request["retryMode"] == "ALL_ACTIONS"
        with pipeline.lock:
            execution = pipeline.execution(request["pipelineExecutionId"])
            if execution is None or pipeline.flow.places[request["stageName"]].latest is not execution:
                raise NotLatestPipelineExecution(
                    "The stage has failed in a later run of the pipeline and the pipelineExecutionId associated with "
                    "the request is out of date."
                )
            stage_run = execution.stages[request["stageName"]]
            if not _retryable(pipeline, execution, stage_run, all_actions=all_actions):
                raise StageNotRetryable(
                    "Unable to retry. The pipeline structure or stage state might have changed while actions awaited "
                    "retry, or the stage contains no failed actions."
                )
            pipeline.flow.retry(execution, stage_run, all_actions=all_actions)
        return ActionResult({"pipelineExecutionId": execution.id})

    def put_approval_result(self) -> ActionResult:
        """PutApprovalResult."""
        request = self.request
        pipeline = self.pipeline(request["pipelineName"], f"/{request['stageName']}/{request['actionName']}")
        result = request["result"]
        self.check_stage(pipeline, request["stageName"])
        stage = pipeline.definition.stage(request["stageName"])
        with pipeline.lock:
            if request["actionName"] not in {action.name for action in stage.actions} if stage else ():
                raise ActionNotFound(
                    f"Stage '{request['stageName']}' does not have an action with name '{request['actionName']}'"
                )
            run = pipeline.flow.places[request["stageName"]].runs.get(request["actionName"])
            if run is None or run.token is None or run.token != request["token"]:
                raise InvalidApprovalToken("The approval request token is not that of a pending approval.")
            if not run.running:
                raise ApprovalAlreadyCompleted("The approval action has already been approved or rejected.")
            rejected = ("Rejected", result["summary"]) if result["status"] == "Rejected" else None
            pipeline.flow.ended(run, Outcome(rejected, summary=result["summary"], updated_by=self.caller.arn))
        return ActionResult({"approvedAt": run.updated})


def _succeeded_in(execution: Execution, stage: str) -> bool:
    stage_run = execution.stages.get(stage)
    return stage_run is not None and stage_run.status == "Succeeded"


def _retryable(pipeline: Pipeline, execution: Execution, stage_run: StageRun, *, all_actions: bool) -> bool:
    return (
        execution.definition is pipeline.definition
        and stage_run.status in ("Failed", "Stopped")
        and execution.status in ("Failed", "Stopped")
        and not (all_actions and stage_run.running)
    )
