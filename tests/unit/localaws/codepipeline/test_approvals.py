"""Manual approvals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from localaws import moto_app, roles
from tests.unit.localaws.codepipeline.structures import REGION, approval, stage

if TYPE_CHECKING:
    from tests.unit.localaws.codepipeline.accounts import Account, Actions

GATE = stage("Gate", approval())


@pytest.fixture
def execution(account: Account, actions: Actions) -> str:
    """An execution that waits for an approval."""
    made = account.create(GATE)
    actions.succeed()
    actions.next()
    return made


def token(account: Account) -> str:
    return str(account.action("Gate", "Approve")["latestExecution"]["token"])


def answer(client: Any, with_token: str, status: str = "Approved") -> Any:
    return client.put_approval_result(
        pipelineName="pipeline",
        stageName="Gate",
        actionName="Approve",
        token=with_token,
        result={"status": status, "summary": "as agreed"},
    )


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_an_approval_lets_the_execution_go_on(account: Account, actions: Actions, execution: str) -> None:
    assert account.status(execution) == "InProgress"
    answered = answer(account.codepipeline, token(account))
    assert account.status(execution) == "Succeeded"
    shown = account.action("Gate", "Approve")["latestExecution"]
    assert (shown["status"], shown["summary"], shown["lastStatusChange"]) == (
        "Succeeded",
        "as agreed",
        answered["approvedAt"],
    )
    assert shown["lastUpdatedBy"] == f"arn:aws:iam::{account.id}:root"
    assert "token" not in shown


def test_a_rejection_fails_the_execution(account: Account, actions: Actions, execution: str) -> None:
    answer(account.codepipeline, token(account), "Rejected")
    assert account.status(execution) == "Failed"
    assert account.action("Gate", "Approve")["latestExecution"]["errorDetails"]["message"] == "as agreed"


def test_a_wrong_token_is_refused(account: Account, actions: Actions, execution: str) -> None:
    with pytest.raises(ClientError) as refused:
        answer(account.codepipeline, "00000000-0000-0000-0000-000000000000")
    assert code(refused) == "InvalidApprovalTokenException"
    assert account.status(execution) == "InProgress"


def test_an_approval_is_answered_once(account: Account, actions: Actions, execution: str) -> None:
    known = token(account)
    answer(account.codepipeline, known)
    with pytest.raises(ClientError) as refused:
        answer(account.codepipeline, known, "Rejected")
    assert code(refused) == "ApprovalAlreadyCompletedException"
    assert account.status(execution) == "Succeeded"


def test_an_unknown_stage_or_action_is_refused(account: Account, actions: Actions, execution: str) -> None:
    request = {"pipelineName": "pipeline", "token": token(account), "result": {"status": "Approved", "summary": ""}}
    with pytest.raises(ClientError) as refused:
        account.codepipeline.put_approval_result(stageName="Door", actionName="Approve", **request)
    assert code(refused) == "StageNotFoundException"
    with pytest.raises(ClientError) as refused:
        account.codepipeline.put_approval_result(stageName="Gate", actionName="Open", **request)
    assert code(refused) == "ActionNotFoundException"


@pytest.mark.parametrize(("declared", "seconds"), [({}, 7 * 24 * 3600), ({"timeoutInMinutes": 60}, 3600)])
def test_an_approval_that_nobody_answers_fails(
    account: Account, actions: Actions, declared: dict[str, Any], seconds: int
) -> None:
    execution = account.create(stage("Gate", approval(**declared)))
    actions.succeed()
    actions.next()
    ((waited, expire),) = actions.timers
    assert waited == seconds
    expire()
    assert account.status(execution) == "Failed"


def test_the_time_limit_of_an_answered_approval_changes_nothing(
    account: Account, actions: Actions, execution: str
) -> None:
    answer(account.codepipeline, token(account))
    ((_, expire),) = actions.timers
    expire()
    assert account.status(execution) == "Succeeded"


@pytest.mark.filterwarnings("ignore:Exception.AccessDenied. with code AccessDeniedException does not match")
@pytest.mark.parametrize(("allowed", "approved"), [("Gate/Approve", True), ("Gate/Other", False)])
def test_a_role_answers_only_the_approvals_that_its_policies_name(
    account: Account, actions: Actions, execution: str, allowed: str, approved: bool
) -> None:
    resource = f"arn:aws:codepipeline:{REGION}:{account.id}:pipeline/{allowed}"
    statement = {"Effect": "Allow", "Action": "codepipeline:PutApprovalResult", "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    reviewer = account.role("reviewer", policy, Service="codebuild.amazonaws.com")
    session = roles.assume(reviewer, by="codebuild.amazonaws.com", session_name="review")
    client = moto_app.session_client("codepipeline", REGION, session)
    known = token(account)
    if not approved:
        with pytest.raises(
            ClientError, match="is not authorized to perform: codepipeline:PutApprovalResult"
        ) as refused:
            answer(client, known)
        assert code(refused) == "AccessDeniedException"
        return
    answer(client, known)
    shown = account.action("Gate", "Approve")["latestExecution"]
    assert shown["lastUpdatedBy"] == f"arn:aws:sts::{account.id}:assumed-role/reviewer/review"
