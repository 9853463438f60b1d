"""Each check within its time, none twice, and none where nobody is there to answer."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import TYPE_CHECKING, cast

import boto3
import pytest

from mistral7b.endpoint.errors import (
    AccessDeniedError,
    BrokenAnswerError,
    EndpointError,
    EndpointNotFoundError,
    EndpointNotReadyError,
    ExpiredCredentialsError,
    InvalidCredentialsError,
    MissingCredentialsError,
    ThrottledError,
    UnreachableError,
)
from mistral7b.operate.smoke.answers import CheckResult
from mistral7b.operate.smoke.checks import smoke_plan
from mistral7b.operate.smoke.runner import run_checks
from tests.unit.operate.conftest import NAMES, environment

if TYPE_CHECKING:
    from mistral7b.capacity.request import Request
    from mistral7b.endpoint.client import EndpointClient
    from tests.unit.operate.conftest import Smoke


async def never(request: Request, stream: bool) -> AsyncGenerator[int, None]:
    await asyncio.sleep(60)
    yield 0


async def slowly(request: Request, stream: bool) -> AsyncGenerator[int, None]:
    for there in range(1, request.output_tokens + 1):
        await asyncio.sleep(0.2)
        yield there


def test_an_overloaded_endpoint_fails_every_check_that_it_refuses_and_is_told_as_such(smoke: Smoke) -> None:
    done = smoke(overloaded=True)
    # The router looks at best_of before it looks for a permit; a prompt that might run is not sent.
    assert {r.name for r in done.results if not r.overloaded} == {"MAX_BEST_OF", "prompt too long"}
    assert {r.got for r in done.results if r.overloaded} == {"overloaded (429): Model is overloaded"}
    assert not any(r.passed for r in done.results if r.overloaded)
    assert done.container.requests == len(NAMES) - 1  # none twice


def test_an_endpoint_that_does_not_answer_fails_in_time_and_the_checks_go_on(smoke: Smoke) -> None:
    started = time.monotonic()
    done = smoke(pace=never, request_timeout_s=0.3)
    assert time.monotonic() - started < 5
    assert list(done.failed) == ["answer", "stream"]
    assert all(got == "no whole answer in time: it took over 0.3 s" for got in done.failed.values())
    assert done.container.requests == len(NAMES)  # none twice


def test_a_stream_that_comes_too_slowly_fails_although_it_never_stands_still(smoke: Smoke) -> None:
    results = smoke(pace=slowly, request_timeout_s=0.6).results
    assert results[1].got == "no whole answer in time: it took over 0.6 s"
    assert 0.6 <= results[1].seconds < 3.2  # whole, it takes 16 × 0.2 s


def test_a_stream_that_nobody_waits_for_any_more_is_closed(smoke: Smoke) -> None:
    container = smoke(pace=slowly, request_timeout_s=0.2, total_s=0.5).container
    deadline = time.monotonic() + 5
    while container.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    assert container.in_flight == 0


def test_a_check_without_time_left_is_not_sent(smoke: Smoke) -> None:
    done = smoke(pace=never, request_timeout_s=0.6, total_s=1.0)
    assert done.container.requests == 2
    late = set(list(done.failed.values())[2:-1])
    assert late == {"not sent: the 1 s of all checks together are over"}
    assert re.match(r"no whole answer in time: it took over 0\.[0-4]", done.failed["stream"])


def test_an_endpoint_that_is_not_there_ends_the_checks(smoke: Smoke) -> None:
    with pytest.raises(EndpointNotFoundError):
        smoke.checks(environment({}, name="nowhere"))


def test_a_service_that_cannot_be_reached_ends_the_checks(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    with pytest.raises(UnreachableError):
        smoke.checks(environment({}))


class Refused:
    """A client whose every request ends with the same error."""

    def __init__(self, error: EndpointError) -> None:
        self.error = error
        self.asked = 0

    def invoke(self, body: bytes) -> bytes:
        self.asked += 1
        raise self.error

    def invoke_stream(self, body: bytes) -> Generator[bytes, None, None]:
        yield self.invoke(body)


def refused(error: EndpointError) -> tuple[Refused, Iterator[CheckResult]]:
    """A client that is refused so, and the results of the checks with it."""
    client = Refused(error)
    return client, run_checks(cast("EndpointClient", client), smoke_plan(environment({})).checks)


@pytest.mark.parametrize("kind", [AccessDeniedError, ExpiredCredentialsError, InvalidCredentialsError])
def test_a_caller_without_permission_ends_the_checks(kind: type[EndpointError]) -> None:
    client, results = refused(kind("no"))
    with pytest.raises(kind):
        list(results)
    assert client.asked == 1


@pytest.mark.parametrize(
    ("error", "got"),
    [
        (
            ThrottledError("Rate exceeded", status=400, error_type="ThrottlingException"),
            "ThrottlingException: Rate",
        ),
        (EndpointNotReadyError("wait", status=503, error_type="ServiceUnavailable"), "ServiceUnavailable: wait"),
        (BrokenAnswerError("connection reset"), "an incomplete answer: connection reset"),
    ],
    ids=["throttled", "not ready", "broken"],
)
def test_an_endpoint_that_is_there_and_does_not_answer_fails_each_check_once(error: EndpointError, got: str) -> None:
    client, results = refused(error)
    *sent, too_long = results
    assert all(result.got.startswith(got) and not result.passed for result in sent)
    assert too_long.got.startswith("not sent")
    assert client.asked == len(sent) == len(NAMES) - 1


def test_an_endpoint_that_goes_away_after_its_first_answer_fails_the_other_checks(smoke: Smoke) -> None:
    def go_away(body: bytes) -> bytes:
        smoke.site.fleet.clear()
        return body

    done = smoke(answer=go_away)
    assert list(done.failed) == NAMES[1:]
    assert "not found" in done.failed["stream"]


def test_missing_credentials_end_the_checks(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    nobody = type(smoke)(smoke.site, boto3.Session())
    with pytest.raises(MissingCredentialsError):
        nobody.checks(environment({}))
