"""Clients whose answers are the test's own, held to botocore's model of the service: names, types, required members."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
PIPELINE = "mistral-7b-pipeline"

Answers = Mapping[str, Callable[..., dict[str, Any]]]


class FakeClient:
    """A client of one service, which answers the operations that it is given."""

    def __init__(self, service: str, answers: Answers) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        self._operations = {xform_name(name): name for name in self._model.operation_names}
        self._answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = self._model.operation_model(self._operations[method])

        def call(**parameters: Any) -> dict[str, Any]:
            validate_parameters(parameters, operation.input_shape)
            self.asked.append((method, parameters))
            answer = self._answers[method](**parameters)
            if operation.output_shape is not None:
                validate_parameters(answer, operation.output_shape)
            return answer

        return call

    def get_paginator(self, method: str) -> "FakeClient._Pages":
        """All on one page."""
        return self._Pages(getattr(self, method))

    @dataclass
    class _Pages:
        call: Callable[..., dict[str, Any]]

        def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
            yield self.call(**parameters)


def refusal(code: str, operation: str = "Operation") -> ClientError:
    """An error as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": f"{code}!"}}, operation)


@dataclass
class Run:
    """One run of one action, from `after` seconds on for `seconds`."""

    title: str
    status: str = "Succeeded"
    category: str = "Build"
    after: float = 0.0
    seconds: float = 1.0
    execution: str = "one"
    token: str = ""
    reason: str = ""
    external_id: str = ""
    configuration: dict[str, str] = field(default_factory=dict)
    role: str = ""

    @property
    def id(self) -> str:
        """The id of this run."""
        return f"{self.execution}-{self.title}-{self.after}"

    def detail(self) -> dict[str, Any]:
        """As ListActionExecutions tells of it."""
        stage, action = self.title.split("/")
        result: dict[str, Any] = {"externalExecutionId": self.external_id} if self.external_id else {}
        if self.reason and self.status == "Failed":
            result["errorDetails"] = {"code": "JobFailed", "message": self.reason}
        elif self.reason:
            result["externalExecutionSummary"] = self.reason
        started = START + timedelta(seconds=self.after)
        return {
            "pipelineExecutionId": self.execution,
            "actionExecutionId": self.id,
            "stageName": stage,
            "actionName": action,
            "startTime": started,
            "lastUpdateTime": started + timedelta(seconds=self.seconds),
            "status": self.status,
            "input": {
                "actionTypeId": {"category": self.category, "owner": "AWS", "provider": "P", "version": "1"},
                "configuration": self.configuration,
                "roleArn": self.role or "arn:aws:iam::111111111111:role/action",
                "region": "us-east-1",
            },
            "output": {"executionResult": result},
        }

    def state(self) -> dict[str, Any]:
        """As GetPipelineState tells of it."""
        state = {"actionExecutionId": self.id, "status": self.status}
        return state | ({"token": self.token} if self.token else {})


@dataclass
class Moment:
    """How an execution is at one time."""

    runs: list[Run]
    status: str = "InProgress"
    execution: str = "one"
    commit: str = "c0ffee"


class FakePipeline:
    """A pipeline that goes from moment to moment, one with each look at its execution."""

    def __init__(self, actions: list[str], moments: list[Moment], newest: str = "one") -> None:
        self.actions, self.moments, self.newest = actions, moments, newest
        self.answered: list[dict[str, Any]] = []
        self.refusing: ClientError | None = None
        self.client = FakeClient(
            "codepipeline",
            {
                "get_pipeline_execution": self._execution,
                "get_pipeline_state": self._state,
                "list_action_executions": self._runs,
                "list_pipeline_executions": self._newest,
                "put_approval_result": self._answer,
            },
        )
        self._at = -1

    def _execution(self, pipelineName: str, pipelineExecutionId: str) -> dict[str, Any]:
        self._at = min(self._at + 1, len(self.moments) - 1)
        now = self.moments[self._at]
        revisions = [{"name": "Source", "revisionId": now.commit}] if now.commit else []
        told = {"pipelineExecutionId": now.execution, "status": now.status, "artifactRevisions": revisions}
        assert pipelineExecutionId == now.execution
        return {"pipelineExecution": {"pipelineName": pipelineName, **told}}

    def _state(self, name: str) -> dict[str, Any]:
        states: dict[str, list[dict[str, Any]]] = {}
        for title in self.actions:
            stage, action = title.split("/")
            runs = [run for run in self._now.runs if run.title == title]
            latest = {"latestExecution": max(runs, key=lambda run: run.after).state()} if runs else {}
            states.setdefault(stage, []).append({"actionName": action, **latest})
        stages = [{"stageName": stage, "actionStates": actions} for stage, actions in states.items()]
        return {"pipelineName": name, "stageStates": stages}

    def _runs(self, pipelineName: str, filter: dict[str, str] | None = None) -> dict[str, Any]:
        wanted = (filter or {}).get("pipelineExecutionId")
        return {"actionExecutionDetails": [r.detail() for r in self._now.runs if wanted in (None, r.execution)]}

    def _newest(self, pipelineName: str, maxResults: int) -> dict[str, Any]:
        return {"pipelineExecutionSummaries": [{"pipelineExecutionId": self.newest, "status": "InProgress"}]}

    def _answer(self, **answer: Any) -> dict[str, Any]:
        self.answered.append(answer)
        if self.refusing is not None:
            raise self.refusing
        return {"approvedAt": START}

    @property
    def _now(self) -> Moment:
        return self.moments[max(self._at, 0)]
