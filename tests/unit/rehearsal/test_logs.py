"""What an action printed, and why it failed."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.rehearsal.execution import Action
from mistral7b.rehearsal.logs import account_of, doing, evidence, log_tail
from tests.unit.rehearsal.fakes import START, FakeClient, refusal

ACCOUNT, OTHER, REGION, BUILD = "111111111111", "222222222222", "us-east-1", "gates:5bd1"


class Services:
    """CodeBuild and CloudWatch Logs with one build; CloudFormation with one stack's events."""

    def __init__(self, messages: list[str] | None = None, events: list[dict[str, Any]] | None = None) -> None:
        self.messages, self.events = messages, events or []
        self.refusing: str | None = None
        self.asked: list[tuple[str, str, str]] = []
        self._clients = {
            "codebuild": FakeClient("codebuild", {"batch_get_builds": self._builds}),
            "logs": FakeClient("logs", {"get_log_events": self._log}),
            "cloudformation": FakeClient("cloudformation", {"describe_stack_events": self._stack}),
        }

    def __call__(self, service: str, account: str, region: str) -> Any:
        """A client."""
        self.asked.append((service, account, region))
        return self._clients[service]

    def _builds(self, ids: list[str]) -> dict[str, Any]:
        logs = {} if self.messages is None else {"logs": {"groupName": "/group", "streamName": "stream"}}
        return {"builds": [{"id": ids[0], **logs}]}

    def _log(self, logGroupName: str, logStreamName: str, limit: int, startFromHead: bool) -> dict[str, Any]:
        self._refuse()
        assert (logGroupName, logStreamName, startFromHead) == ("/group", "stream", False)
        return {"events": [{"message": message} for message in (self.messages or [])[-limit:]]}

    def _stack(self, StackName: str) -> dict[str, Any]:
        self._refuse()
        return {"StackEvents": self.events}

    def _refuse(self) -> None:
        if self.refusing:
            raise refusal(self.refusing)


def event(after: float, status: str, reason: str | None, resource: str = "Endpoint") -> dict[str, Any]:
    """An event of the stack."""
    told = {"StackId": "s", "EventId": "e", "StackName": "dev", "Timestamp": START + timedelta(seconds=after)}
    told |= {"LogicalResourceId": resource, "ResourceStatus": status}
    return told | ({"ResourceStatusReason": reason} if reason else {})


DEPLOY = Action(
    "dev",
    "Deploy",
    "Failed",
    "Deploy",
    started=START,
    configuration={"StackName": "mistral-7b-dev-endpoint"},
    role_arn=f"arn:aws:iam::{OTHER}:role/deploy",
    region="eu-west-1",
)


def test_the_tail_is_the_last_lines_of_the_builds_log_stream() -> None:
    services = Services([f"line {n}\n" for n in range(50)])
    assert log_tail(services, ACCOUNT, REGION, BUILD, lines=3) == ["line 47", "line 48", "line 49"]


def test_a_build_without_a_log_has_no_tail() -> None:
    assert log_tail(Services(None), ACCOUNT, REGION, BUILD) == []


def test_a_stream_that_is_not_there_yet_has_no_tail() -> None:
    services = Services([])
    services.refusing = "ResourceNotFoundException"
    assert log_tail(services, ACCOUNT, REGION, BUILD) == []


def test_a_log_that_may_not_be_read_is_a_failure() -> None:
    services = Services([])
    services.refusing = "AccessDeniedException"
    with pytest.raises(ClientError, match="AccessDenied"):
        log_tail(services, ACCOUNT, REGION, BUILD)


def test_what_a_build_is_doing_is_its_last_line_but_for_codebuilds_own() -> None:
    tail = ["3402 passed", "  ", "[Container] 2026/01/01 12:00:00 Phase complete: BUILD State: SUCCEEDED"]
    assert doing(tail) == "3402 passed"
    assert doing([]) == ""


def test_the_evidence_of_a_failed_build_is_its_log() -> None:
    failed = Action("dev", "Smoke", "Failed", "Build", external_id=BUILD)
    assert evidence(Services(["no such endpoint"]), ACCOUNT, REGION, failed) == ["no such endpoint"]


def test_the_evidence_of_a_failed_deployment_is_its_stacks_failures_cause_first() -> None:
    services = Services(
        events=[  # newest first, as CloudFormation tells them
            event(9, "ROLLBACK_COMPLETE", None),
            event(5, "CREATE_FAILED", "Resource creation cancelled", "Alarm"),
            event(4, "CREATE_FAILED", "no capacity"),
            event(3, "CREATE_IN_PROGRESS", "Resource creation Initiated"),
            event(-60, "CREATE_FAILED", "of an earlier deployment"),
        ]
    )
    assert evidence(services, ACCOUNT, REGION, DEPLOY) == [
        "Endpoint CREATE_FAILED: no capacity",
        "Alarm CREATE_FAILED: Resource creation cancelled",
    ]
    assert services.asked == [("cloudformation", OTHER, "eu-west-1")]


def test_a_stack_that_never_came_to_be_has_no_events() -> None:
    services = Services()
    services.refusing = "ValidationError"
    assert evidence(services, ACCOUNT, REGION, DEPLOY) == []


def test_an_approval_has_no_evidence() -> None:
    assert evidence(Services(["x"]), ACCOUNT, REGION, Action("dev", "Promote", "Failed", "Approval")) == []


@pytest.mark.parametrize(("arn", "account"), [(DEPLOY.role_arn, OTHER), ("", ""), ("role/x", "")])
def test_an_arn_names_its_account(arn: str, account: str) -> None:
    assert account_of(arn) == account
