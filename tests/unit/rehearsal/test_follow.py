"""Following an execution to its end, with its approvals answered."""

import io

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from mistral7b.rehearsal.execution import Action, Execution, Stage
from mistral7b.rehearsal.follow import Answer, Follower
from mistral7b.rehearsal.view import View
from tests.unit.rehearsal.fakes import PIPELINE, FakePipeline, Moment, Run, refusal

ACTIONS = ["Source/Source", "dev/Review", "dev/SecurityChanges", "dev/Smoke"]
WAITING = Run("dev/SecurityChanges", "InProgress", "Approval", token="token")


class Decider:
    """Answers the same to everything, and remembers what it was asked."""

    def __init__(self, approved: bool) -> None:
        self.approved = approved
        self.asked: list[str] = []

    def __call__(self, execution: Execution, stage: Stage, action: Action) -> Answer:
        self.asked.append(f"{stage.name}/{action.name}")
        return Answer(self.approved, "as the test says")


class Following:
    """A follower of a fake pipeline, and what it printed."""

    def __init__(self, pipeline: FakePipeline, approved: bool = True) -> None:
        self.pauses: list[float] = []
        self.decide = Decider(approved)
        self._text = io.StringIO()
        self._follower = Follower(
            lambda *_: pipeline.client,
            "111111111111",
            "us-east-1",
            PIPELINE,
            View(Console(file=self._text, width=200)),
            self.decide,
            self.pauses.append,
        )

    def __call__(self, execution_id: str = "one") -> Execution:
        return self._follower.follow(execution_id)

    @property
    def said(self) -> str:
        """What is on the console."""
        return self._text.getvalue()


def test_an_execution_is_followed_until_it_has_ended() -> None:
    moments = [Moment([]), Moment([Run("Source/Source")]), Moment([Run("Source/Source")], "Succeeded")]
    follow = Following(FakePipeline(ACTIONS, moments))
    assert follow().status == "Succeeded"
    assert len(follow.pauses) == 2


@pytest.mark.parametrize(("approved", "word"), [(True, "Approved"), (False, "Rejected")])
def test_an_approval_is_answered_with_its_token(approved: bool, word: str) -> None:
    pipeline = FakePipeline(ACTIONS, [Moment([WAITING]), Moment([], "Succeeded")])
    follow = Following(pipeline, approved)
    follow()
    assert follow.decide.asked == ["dev/SecurityChanges"]
    assert pipeline.answered == [
        {
            "pipelineName": PIPELINE,
            "stageName": "dev",
            "actionName": "SecurityChanges",
            "result": {"status": word, "summary": "as the test says"},
            "token": "token",
        }
    ]


def test_a_stage_whose_review_failed_is_rejected_without_a_question() -> None:
    pipeline = FakePipeline(ACTIONS, [Moment([WAITING, Run("dev/Review", "Failed")]), Moment([], "Failed")])
    follow = Following(pipeline)
    follow()
    assert follow.decide.asked == []
    assert pipeline.answered[0]["result"] == {"status": "Rejected", "summary": "Review failed"}


def test_an_approval_that_someone_else_has_answered_is_no_failure() -> None:
    pipeline = FakePipeline(ACTIONS, [Moment([WAITING]), Moment([], "Succeeded")])
    pipeline.refusing = refusal("ApprovalAlreadyCompletedException")
    follow = Following(pipeline)
    assert follow().status == "Succeeded"
    assert "dev / SecurityChanges was answered meanwhile" in follow.said


def test_an_answer_that_is_not_allowed_is_a_failure() -> None:
    pipeline = FakePipeline(ACTIONS, [Moment([WAITING])])
    pipeline.refusing = refusal("AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        Following(pipeline)()


def test_a_pipeline_that_updates_itself_is_followed_to_the_execution_that_takes_over() -> None:
    moments = [Moment([], "Cancelled"), Moment([], "Succeeded", execution="two")]
    follow = Following(FakePipeline(ACTIONS, moments, newest="two"))
    assert follow().id == "two"
    assert "execution one ended as Cancelled, and two takes" in follow.said
