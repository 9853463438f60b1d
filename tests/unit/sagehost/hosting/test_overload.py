"""MAX_CONCURRENT_REQUESTS of a deployed endpoint: who holds a permit, and for how long."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.tgi import StreamParser, TgiError

if TYPE_CHECKING:
    from tests.unit.sagehost.hosting.conftest import HeldPace

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def narrow(deploy: Callable[..., str]) -> str:
    """An endpoint that takes two requests at a time."""
    return deploy({"MAX_CONCURRENT_REQUESTS": "2"})


@pytest.fixture
def threads(pace: HeldPace) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool
        pace.release()


@pytest.fixture
def busy(narrow: str, ask: Ask, pace: HeldPace, threads: ThreadPoolExecutor) -> list[Future[Any]]:
    """Two requests in flight at the narrow endpoint."""
    pace.hold()
    requests = [threads.submit(ask, narrow, "Hello") for _ in range(2)]
    pace.wait_until_running(2)
    return requests


def test_one_request_more_is_refused_at_once(narrow: str, ask: Ask, busy: list[Future[Any]]) -> None:
    with pytest.raises(ClientError) as error:
        ask(narrow, "Hello")
    assert error.value.response["OriginalStatusCode"] == 429
    assert error.value.response["OriginalMessage"] == '{"error":"Model is overloaded","error_type":"overloaded"}'


def test_requests_in_flight_are_answered_after_that(
    ask: Ask, busy: list[Future[Any]], pace: HeldPace, narrow: str
) -> None:
    pace.release()
    assert [request.result(timeout=10)[0]["generated_text"][:5] for request in busy] == [" This", " This"]
    assert ask(narrow, "Hello")


def test_an_invalid_request_is_refused_as_overload_while_there_is_no_permit(
    narrow: str, ask: Ask, busy: list[Future[Any]]
) -> None:
    with pytest.raises(ClientError) as error:
        ask(narrow, "")
    assert error.value.response["OriginalStatusCode"] == 429


def test_an_unreadable_request_needs_no_permit(narrow: str, runtime: Any, busy: list[Future[Any]]) -> None:
    with pytest.raises(ClientError) as error:
        runtime.invoke_endpoint(EndpointName=narrow, ContentType="application/json", Body="{}")
    assert error.value.response["OriginalStatusCode"] == 422


def test_a_stream_is_told_of_overload_in_an_event(narrow: str, runtime: Any, busy: list[Future[Any]]) -> None:
    answer = runtime.invoke_endpoint_with_response_stream(
        EndpointName=narrow, ContentType="application/json", Body='{"inputs":"Hello","stream":true}'
    )
    whole = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    with pytest.raises(TgiError, match="Model is overloaded"):
        list(StreamParser().feed(whole))


def test_best_of_needs_a_permit_for_each_sequence(
    narrow: str, ask: Ask, pace: HeldPace, threads: ThreadPoolExecutor
) -> None:
    pace.hold()
    request = threads.submit(ask, narrow, "Hello")
    pace.wait_until_running(1)
    with pytest.raises(ClientError) as error:
        ask(narrow, "Hello", best_of=2, do_sample=True)
    assert error.value.response["OriginalStatusCode"] == 429
    pace.release()
    assert request.result(timeout=10)
    assert ask(narrow, "Hello", best_of=2, do_sample=True)


def test_a_stream_holds_its_permit_until_the_client_goes(
    narrow: str, ask: Ask, runtime: Any, pace: HeldPace, threads: ThreadPoolExecutor
) -> None:
    pace.hold()
    body = json.dumps({"inputs": "Hello", "stream": True})
    streams = [
        runtime.invoke_endpoint_with_response_stream(EndpointName=narrow, ContentType="application/json", Body=body)
        for _ in range(2)
    ]
    pace.wait_until_running(2)
    with pytest.raises(ClientError, match="overloaded"):
        ask(narrow, "Hello")
    streams[0]["Body"].close()
    pace.wait_until_running(1)
    request = threads.submit(ask, narrow, "Hello")
    pace.wait_until_running(2)
    streams[1]["Body"].close()
    pace.wait_until_running(1)
    pace.release()
    assert request.result(timeout=10)


def test_two_instances_take_twice_as_many_requests(
    deploy: Callable[..., str], ask: Ask, pace: HeldPace, threads: ThreadPoolExecutor
) -> None:
    name = deploy(
        {"MAX_CONCURRENT_REQUESTS": "1"},
        InitialInstanceCount=2,
        RoutingConfig={"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    )
    pace.hold()
    requests = [threads.submit(ask, name, "Hello") for _ in range(2)]
    pace.wait_until_running(2)
    with pytest.raises(ClientError, match="overloaded"):
        ask(name, "Hello")
    pace.release()
    assert all(request.result(timeout=10) for request in requests)
