"""The approval of security changes is answered for its own execution alone, once it is asked for."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from mistral7b.errors import UserError
from mistral7b.promotion.approval import PATIENCE_S, approve

EXECUTION = "12345678-1234-1234-1234-123456789012"
OTHER = "87654321-1234-1234-1234-123456789012"
TOKEN = "aabbccdd-1234-1234-1234-123456789012"


class Time:
    """A clock that goes on as it is waited for."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    """In place of the machine's."""
    made = Time()
    monkeypatch.setattr("mistral7b.promotion.approval.time", made)
    return made


@pytest.fixture
def codepipeline() -> Iterator[Any]:
    """A client that answers what its stubber is told, and has to be asked for all of it."""
    client = boto3.Session("key", "secret", region_name="us-east-1").client("codepipeline")
    with Stubber(client) as stubber:
        client.stubber = stubber
        yield client
        stubber.assert_no_pending_responses()


def state(*actions: dict[str, Any], execution: str = EXECUTION) -> dict[str, Any]:
    """The pipeline's state, with these actions in the stage of staging."""
    running = {"pipelineExecutionId": execution, "status": "InProgress"}
    return {
        "pipelineName": "mistral-7b-pipeline",
        "stageStates": [
            {"stageName": "Source", "actionStates": []},
            {"stageName": "dev", "actionStates": [asked("InProgress", "of another stage")], "latestExecution": running},
            {"stageName": "staging", "actionStates": list(actions), "latestExecution": running},
        ],
    }


def asked(status: str, token: str | None = TOKEN, name: str = "SecurityChanges") -> dict[str, Any]:
    """The state of an approval."""
    return {"actionName": name, "latestExecution": {"status": status, **({"token": token} if token else {})}}


def tell(codepipeline: Any, *states: dict[str, Any]) -> None:
    """Has the client answer with one state after another."""
    for one in states:
        codepipeline.stubber.add_response("get_pipeline_state", one, {"name": "mistral-7b-pipeline"})


def expect_approval(codepipeline: Any) -> None:
    """Has the client take the approval."""
    codepipeline.stubber.add_response(
        "put_approval_result",
        {},
        {
            "pipelineName": "mistral-7b-pipeline",
            "stageName": "staging",
            "actionName": "SecurityChanges",
            "result": {"summary": "nothing broadens", "status": "Approved"},
            "token": TOKEN,
        },
    )


def answer(codepipeline: Any) -> str:
    """Approves staging."""
    return approve(codepipeline, "staging", EXECUTION, "nothing broadens")


def test_an_approval_that_is_asked_for_is_given(codepipeline: Any) -> None:
    tell(codepipeline, state(asked("InProgress", "other", "Promote"), asked("InProgress")))
    expect_approval(codepipeline)
    assert answer(codepipeline) == "approved"


@pytest.mark.parametrize(
    "before",
    [
        state(),
        state({"actionName": "SecurityChanges"}),
        state(asked("InProgress", None)),
        state(asked("InProgress"), execution=OTHER),
        {"stageStates": []},
    ],
    ids=["no action", "never run", "no token yet", "another execution", "no stage"],
)
def test_it_waits_until_its_own_execution_asks(before: dict[str, Any], codepipeline: Any) -> None:
    tell(codepipeline, before, before, state(asked("InProgress")))
    expect_approval(codepipeline)
    assert answer(codepipeline) == "approved"


def test_an_approval_that_is_never_asked_for_is_an_error_after_a_minute(codepipeline: Any, clock: Time) -> None:
    tell(codepipeline, *[state(execution=OTHER)] * 31)
    with pytest.raises(UserError, match=f"of execution {EXECUTION} within 60 s"):
        answer(codepipeline)
    assert clock.now == PATIENCE_S


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
def test_an_approval_that_someone_has_answered_is_left_alone(status: str, codepipeline: Any) -> None:
    tell(codepipeline, state(asked(status, None)))
    assert answer(codepipeline) == status


def test_a_long_summary_is_cut_to_what_codepipeline_takes(codepipeline: Any) -> None:
    tell(codepipeline, state(asked("InProgress")))
    codepipeline.stubber.add_response("put_approval_result", {})
    taken = list[str]()

    def take(params: Any, **_: Any) -> None:
        taken.append(params["result"]["summary"])

    codepipeline.meta.events.register("provide-client-params.codepipeline.PutApprovalResult", take)
    approve(codepipeline, "staging", EXECUTION, "x" * 600)
    assert taken == ["x" * 512]
