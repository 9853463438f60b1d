"""Answers the approval of security changes in the pipeline, for the execution that asks for it."""

import time
from collections.abc import Mapping
from typing import Any

from mistral7b.errors import FAILED, UserError
from mistral7b.promotion.names import PIPELINE_NAME, SECURITY_APPROVAL

EXECUTION_VARIABLE = "PIPELINE_EXECUTION_ID"
"""Environment variable that holds the execution's id."""
PATIENCE_S = 60.0
"""How long the approval may take to be asked for: it starts with the review, in the same stage."""
_POLL_S = 2.0
_LONGEST_SUMMARY = 512  # CodePipeline API, ApprovalSummary

APPROVED = "approved"


def approve(codepipeline: Any, environment: str, execution: str, summary: str) -> str:
    """Approves the security changes of `environment` in one execution of the pipeline, once it is asked for.

    Needs codepipeline:GetPipelineState on the pipeline and codepipeline:PutApprovalResult on this one action. The
    approval of another execution is left alone; the summary is for the pipeline's history.

    Returns:
        `APPROVED`, or how it was answered before: `Succeeded` or `Failed`, as CodePipeline says it.

    Raises:
        UserError: CodePipeline has not asked within `PATIENCE_S`.
    """
    end = time.monotonic() + PATIENCE_S
    while (asked := _asked(codepipeline, environment, execution)) is None:
        if time.monotonic() >= end:
            reason = f"pipeline {PIPELINE_NAME} has not asked for {SECURITY_APPROVAL} in stage {environment}"
            fix = f"see whether the execution still runs; {EXECUTION_VARIABLE} has to hold its id"
            raise UserError(f"{reason} of execution {execution} within {PATIENCE_S:.0f} s\nfix: {fix}", FAILED)
        time.sleep(_POLL_S)
    if asked["status"] != "InProgress":
        return str(asked["status"])
    codepipeline.put_approval_result(
        pipelineName=PIPELINE_NAME,
        stageName=environment,
        actionName=SECURITY_APPROVAL,
        result={"summary": summary[:_LONGEST_SUMMARY], "status": "Approved"},
        token=asked["token"],
    )
    return APPROVED


def _asked(codepipeline: Any, environment: str, execution: str) -> Mapping[str, Any] | None:
    """The approval's own execution, once it has a token or an answer; None before."""
    stages = codepipeline.get_pipeline_state(name=PIPELINE_NAME).get("stageStates", ())
    stage: Mapping[str, Any] = next((one for one in stages if one.get("stageName") == environment), {})
    if stage.get("latestExecution", {}).get("pipelineExecutionId") != execution:
        return None
    actions = (one for one in stage.get("actionStates", ()) if one.get("actionName") == SECURITY_APPROVAL)
    found = (one.get("latestExecution", {}) for one in actions)
    return next((one for one in found if one.get("token") or one.get("status") in ("Succeeded", "Failed")), None)
