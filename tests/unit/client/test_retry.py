"""A request is sent again only if it cannot have reached the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.endpoint.client import EndpointClient, RetryPolicy
from mistral7b.endpoint.errors import EndpointError, ThrottledError, TimedOutError, UnreachableError

if TYPE_CHECKING:
    from tests.unit.client.conftest import Service

AT_ONCE = RetryPolicy(attempts=3, first_pause_s=0)


def test_a_throttled_request_is_sent_again_until_it_is_answered(service: Service, session: boto3.Session) -> None:
    service.fail(400, "ThrottlingException", "Rate exceeded")
    service.fail(400, "ThrottlingException", "Rate exceeded")
    service.reply(b"answer")
    with EndpointClient("mistral", "us-east-1", session=session, retry=AT_ONCE) as client:
        assert client.invoke(b"{}") == b"answer"
    assert len(service.paths) == 3


def test_a_request_that_stays_throttled_fails_after_the_last_attempt(service: Service, session: boto3.Session) -> None:
    service.fail(400, "ThrottlingException", "Rate exceeded")
    with (
        EndpointClient("mistral", "us-east-1", session=session, retry=AT_ONCE) as client,
        pytest.raises(ThrottledError),
    ):
        client.invoke(b"{}")
    assert len(service.paths) == 3


def test_a_request_that_timed_out_is_never_sent_again(service: Service, session: boto3.Session) -> None:
    service.stall()
    with (
        EndpointClient("mistral", "us-east-1", session=session, answer_timeout_s=0.3, retry=AT_ONCE) as client,
        pytest.raises(TimedOutError),
    ):
        client.invoke(b"{}")
    assert len(service.paths) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "InternalFailure"), (503, "ServiceUnavailable"), (424, "ModelError"), (502, "BadGateway")],
)
def test_a_request_that_may_have_run_is_never_sent_again(
    service: Service, session: boto3.Session, status: int, code: str
) -> None:
    """A request that may run is never sent again; throttling and refused connections are tried again, with jitter.
    Source: botocore, retries.
    """
    service.fail(status, code, "failed")
    with EndpointClient("mistral", "us-east-1", session=session, retry=AT_ONCE) as client, pytest.raises(EndpointError):
        client.invoke(b"{}")
    assert len(service.paths) == 1


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_botocores_configured_retries_are_not_used(
    service: Service, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", mode)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    service.fail(500, "InternalFailure", "failed")
    with EndpointClient("mistral", "us-east-1", retry=AT_ONCE) as client, pytest.raises(EndpointError):
        client.invoke(b"{}")
    assert len(service.paths) == 1


def test_a_connection_that_closed_is_never_tried_again(service: Service, session: boto3.Session) -> None:
    service.hang_up()
    with EndpointClient("mistral", "us-east-1", session=session, retry=AT_ONCE) as client, pytest.raises(EndpointError):
        client.invoke(b"{}")
    assert len(service.paths) == 1


def test_streams_are_retried_as_answers_are(service: Service, session: boto3.Session) -> None:
    service.fail(400, "ThrottlingException", "Rate exceeded")
    service.stream([])
    with EndpointClient("mistral", "us-east-1", session=session, retry=AT_ONCE) as client:
        assert list(client.invoke_stream(b"{}")) == []
    assert len(service.paths) == 2


def test_a_connection_that_was_refused_is_tried_again() -> None:
    attempts = 0

    def send() -> str:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise UnreachableError("connection refused")
        return "answer"

    pauses: list[float] = []
    policy = RetryPolicy(attempts=4, first_pause_s=1, longest_pause_s=10)
    assert policy.call(send, sleep=pauses.append) == "answer"
    assert len(pauses) == 2
    assert all(0 <= pause <= longest for pause, longest in zip(pauses, [1, 2], strict=True))


def pauses(policy: RetryPolicy) -> list[float]:
    """The pauses between the attempts to reach a service that throttles."""
    made: list[float] = []

    def send() -> None:
        raise ThrottledError("Rate exceeded")

    with pytest.raises(ThrottledError):
        policy.call(send, sleep=made.append)
    return made


@given(st.integers(1, 100))
def test_no_pause_is_longer_than_the_longest(attempts: int) -> None:
    made = pauses(RetryPolicy(attempts=attempts, first_pause_s=0.25, longest_pause_s=8))
    assert all(pause <= 8 for pause in made)


def test_pauses_differ_so_that_clients_do_not_come_back_together() -> None:
    assert pauses(RetryPolicy(attempts=6)) != pauses(RetryPolicy(attempts=6))
