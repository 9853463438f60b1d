"""Answers the approval of security changes in the pipeline, for the execution that asks for it."""

import time
from typing import Any

import jmespath

from mistral7b.errors import FAILED, UserError
from mistral7b.promotion.names import PIPELINE_NAME, SECURITY_APPROVAL

EXECUTION_VARIABLE = "PIPELINE_EXECUTION_ID"
"""Environment variable that holds the execution's id."""
PATIENCE_S = 60.0
"""Seconds to wait for the approval, which starts with the review, in the same stage."""
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
    while not (state := approval_state(codepipeline, environment, SECURITY_APPROVAL, execution)):
        if time.monotonic() >= end:
            reason = f"pipeline {PIPELINE_NAME} has not asked for {SECURITY_APPROVAL} in stage {environment}"
            fix = f"see whether the execution still runs; {EXECUTION_VARIABLE} has to hold its id"
            raise UserError(f"{reason} of execution {execution} within {PATIENCE_S:.0f} s\nfix: {fix}", FAILED)
        time.sleep(_POLL_S)
    if state["status"] != "InProgress":
        return str(state["status"])
    answer(codepipeline, environment, SECURITY_APPROVAL, state["token"], summary)
    return APPROVED


def approval_state(codepipeline: Any, stage: str, action: str, execution: str) -> dict[str, str]:
    """State of an approval in an execution, once it has a token or an answer; empty before."""
    path = (
        f"stageStates[?stageName=='{stage}' && latestExecution.pipelineExecutionId=='{execution}'].actionStates[]"
        f" | [?actionName=='{action}'].latestExecution | [?token || status!='InProgress'] | [0]"
    )
    return jmespath.search(path, codepipeline.get_pipeline_state(name=PIPELINE_NAME)) or {}


def answer(codepipeline: Any, stage: str, action: str, token: str, summary: str, *, approved: bool = True) -> None:
    """Approves or rejects. Raises ClientError."""
    codepipeline.put_approval_result(
        pipelineName=PIPELINE_NAME,
        stageName=stage,
        actionName=action,
        result={"summary": summary[:_LONGEST_SUMMARY], "status": "Approved" if approved else "Rejected"},
        token=token,
    )
