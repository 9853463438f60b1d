"""Follows an execution to its end by CodePipeline's API alone, and has its approvals answered."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

from mistral7b.rehearsal.execution import FAILED, IN_PROGRESS, Action, Execution, Stage, read_execution
from mistral7b.rehearsal.logs import Client, doing, log_tail
from mistral7b.rehearsal.view import View

POLL_S = 1.0
"""How often the execution is looked at, in seconds. CodePipeline on AWS allows far fewer requests than this machine."""

LOG_S = 2.0
"""How often the logs of what runs are looked at, in seconds."""

# Someone else, such as the review, has answered meanwhile.
_ANSWERED = ("ApprovalAlreadyCompletedException", "InvalidApprovalTokenException")


@dataclass(frozen=True)
class Answer:
    """What to answer an approval."""

    approved: bool
    summary: str


class Approver(Protocol):
    """Decides on approvals."""

    def __call__(self, execution: Execution, stage: Stage, action: Action) -> Answer:
        """Whether to go on."""


@dataclass
class Follower:
    """Follows executions of one pipeline."""

    client: Client
    account: str
    """The pipeline's."""
    region: str
    pipeline: str
    view: View
    decide: Approver
    pause: Callable[[float], None] = time.sleep
    _doing: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)

    @property
    def codepipeline(self) -> Any:
        """A client of the pipeline."""
        return self.client("codepipeline", self.account, self.region)

    def follow(self, execution_id: str) -> Execution:
        """The execution once it goes no further; if the pipeline has changed itself meanwhile, the one that took over.

        Raises:
            botocore.exceptions.ClientError: the pipeline cannot be asked.
        """
        with self.view.showing():
            while True:
                execution = self._to_the_end(execution_id)
                successor = self._successor(execution_id)
                if successor is None:
                    return execution
                self.view.say(
                    f"    The pipeline has updated itself: execution {execution_id} ended as {execution.status}, "
                    f"and {successor} takes the commit through the new one."
                )
                execution_id = successor

    def _to_the_end(self, execution_id: str) -> Execution:
        codepipeline = self.codepipeline
        while True:
            execution = read_execution(codepipeline, self.pipeline, execution_id)
            running = [action for action in execution.actions if action.status == IN_PROGRESS]
            self.view.update(execution, {action.title: self._last_line(action) for action in running})
            if execution.finished:
                return execution
            for stage, action in execution.approvals():
                with self.view.paused():
                    answer = self._answer(execution, stage, action)
                self._put(codepipeline, action, answer)
            self.pause(POLL_S)

    def _answer(self, execution: Execution, stage: Stage, action: Action) -> Answer:
        """What the user says; a stage that cannot go on any more is not asked about."""
        failed = [other.name for other in stage.actions if other.status == FAILED]
        if failed:
            return Answer(False, f"{' and '.join(failed)} failed")
        return self.decide(execution, stage, action)

    def _put(self, codepipeline: Any, action: Action, answer: Answer) -> None:
        try:
            codepipeline.put_approval_result(
                pipelineName=self.pipeline,
                stageName=action.stage,
                actionName=action.name,
                result={"status": "Approved" if answer.approved else "Rejected", "summary": answer.summary},
                token=action.token,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ANSWERED:
                raise
            self.view.say(f"    {action.title} was answered meanwhile.")

    def _last_line(self, action: Action) -> str:
        """What a build printed last, at most LOG_S old."""
        if action.category not in ("Build", "Test") or not action.external_id:
            return ""
        key, now = (action.title, action.external_id), self.view.clock()
        read_at, line = self._doing.get(key, (float("-inf"), ""))
        if now - read_at >= LOG_S:
            tail = log_tail(self.client, self.account, action.region or self.region, action.external_id)
            line = doing(tail) or line
            self._doing[key] = (now, line)
        return line

    def _successor(self, execution_id: str) -> str | None:
        """The newest execution that started after this one."""
        newest = self.codepipeline.list_pipeline_executions(pipelineName=self.pipeline, maxResults=1)
        found: str = newest["pipelineExecutionSummaries"][0]["pipelineExecutionId"]
        return None if found == execution_id else found
