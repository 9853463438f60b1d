"""Asking an endpoint: what is sent, and what is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mistral7b.endpoint.client import EndpointClient, to_json
from mistral7b.endpoint.errors import BrokenAnswerError, OverloadedError, PromptTooLongError, TimedOutError
from mistral7b.tgi import GenerateParameters, GenerateRequest, parse_request

if TYPE_CHECKING:
    from tests.unit.client.conftest import Service

REQUEST = GenerateRequest(inputs="[INST] Hello [/INST]", parameters=GenerateParameters(max_new_tokens=3))
GENERATION = b'[{"generated_text":"Hi","details":{"finish_reason":"length","generated_tokens":3,"seed":null}}]'

PayloadParts = Callable[[Sequence[bytes]], list[bytes]]


def test_an_answer_comes_back_with_its_details(service: Service, client: EndpointClient) -> None:
    service.reply(GENERATION)
    generation = client.generate(REQUEST)
    assert generation.generated_text == "Hi"
    assert generation.details is not None
    assert (generation.details.finish_reason, generation.details.generated_tokens) == ("length", 3)


def test_the_request_goes_to_the_endpoint_as_the_container_reads_it(service: Service, client: EndpointClient) -> None:
    service.reply(GENERATION)
    client.generate(REQUEST)
    assert service.paths == ["/endpoints/mistral/invocations"]
    assert parse_request("application/json", service.bodies[0]) == REQUEST


@given(
    parameters=st.builds(
        GenerateParameters,
        max_new_tokens=st.integers(0, 2**32 - 1),
        temperature=st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False),
        stop=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
        seed=st.none() | st.integers(0, 2**64 - 1),
        do_sample=st.booleans(),
        details=st.booleans(),
    ),
    inputs=st.text(st.characters(exclude_categories=["Cs"])),
    stream=st.booleans(),
)
def test_any_request_is_written_so_that_the_container_reads_the_same(
    parameters: GenerateParameters, inputs: str, stream: bool
) -> None:
    request = GenerateRequest(inputs=inputs, parameters=parameters, stream=stream)
    assert parse_request("application/json", to_json(request)) == request


def test_a_stream_is_asked_for_in_the_body_and_at_the_streaming_operation(
    service: Service, client: EndpointClient, payload_parts: PayloadParts, answer_body: bytes
) -> None:
    service.stream(payload_parts([answer_body]))
    list(client.stream(REQUEST))
    assert service.paths == ["/endpoints/mistral/invocations-response-stream"]
    assert json.loads(service.bodies[0])["stream"] is True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(data=st.data())
def test_a_stream_may_be_cut_anywhere(
    service: Service, client: EndpointClient, payload_parts: PayloadParts, answer_body: bytes, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(answer_body)), max_size=12).map(sorted))
    parts = [answer_body[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer_body)], strict=True)]
    service.answers.clear()
    service.stream(payload_parts(parts))
    events = list(client.stream(REQUEST))
    assert [event.token.text for event in events] == ["é", "你", "😀"]
    assert events[-1].generated_text == "é你😀"


def test_a_stream_that_ends_early_is_an_error_after_its_tokens(
    service: Service, client: EndpointClient, payload_parts: PayloadParts, answer_body: bytes
) -> None:
    first = answer_body.partition(b"\n\n")[0] + b"\n\n"
    service.stream(payload_parts([first]))
    stream = client.stream(REQUEST)
    assert next(stream).token.text == "é"
    with pytest.raises(BrokenAnswerError, match="ended before its last token"):
        next(stream)


def test_a_connection_that_breaks_in_a_stream_is_an_error(
    service: Service, client: EndpointClient, payload_parts: PayloadParts, answer_body: bytes
) -> None:
    service.stream(payload_parts([answer_body[:20]]), whole=False)
    with pytest.raises(BrokenAnswerError, match="broke off"):
        list(client.stream(REQUEST))


def test_a_damaged_stream_is_an_error(
    service: Service, client: EndpointClient, payload_parts: PayloadParts, answer_body: bytes
) -> None:
    message = bytearray(payload_parts([answer_body])[0])
    message[-20] ^= 1
    service.stream([bytes(message)])
    with pytest.raises(BrokenAnswerError, match="Checksum mismatch"):
        list(client.stream(REQUEST))


def test_a_stream_that_stands_still_times_out(
    service: Service, impatient_client: EndpointClient, payload_parts: PayloadParts, answer_body: bytes
) -> None:
    service.stall(payload_parts([answer_body[:20]]))
    with pytest.raises(TimedOutError, match="stood still"):
        list(impatient_client.stream(REQUEST))


def test_an_answer_that_does_not_come_times_out(service: Service, impatient_client: EndpointClient) -> None:
    service.stall()
    with pytest.raises(TimedOutError):
        impatient_client.generate(REQUEST)


def test_an_error_event_of_the_container_ends_a_stream(
    service: Service, client: EndpointClient, payload_parts: PayloadParts
) -> None:
    service.stream(payload_parts([b'data:{"error":"Model is overloaded","error_type":"overloaded"}\n\n']))
    with pytest.raises(OverloadedError) as caught:
        list(client.stream(REQUEST))
    assert (caught.value.status, caught.value.error_type) == (429, "overloaded")


def test_a_prompt_that_is_too_long_is_reported_in_a_stream_too(
    service: Service, client: EndpointClient, payload_parts: PayloadParts
) -> None:
    text = "Input validation error: `inputs` must have less than 8191 tokens. Given: 9000"
    body = json.dumps({"error": text, "error_type": "validation"}).encode()
    service.stream(payload_parts([b"data:" + body + b"\n\n"]))
    with pytest.raises(PromptTooLongError, match="Given: 9000") as caught:
        list(client.stream(REQUEST))
    assert caught.value.status == 422


def test_closing_a_stream_closes_the_connection_so_that_the_container_stops(
    service: Service, client: EndpointClient, payload_parts: PayloadParts, answer_body: bytes
) -> None:
    first = answer_body.partition(b"\n\n")[0] + b"\n\n"
    service.stream_without_end(payload_parts([first])[0])
    with closing(client.stream(REQUEST)) as stream:
        assert next(stream).token.text == "é"
    assert service.hung_up.wait(timeout=10)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b'[{"text":"no"}]'])
def test_a_body_that_is_no_answer_of_tgi_is_an_error(service: Service, client: EndpointClient, body: bytes) -> None:
    service.reply(body)
    with pytest.raises(BrokenAnswerError, match="not an answer of TGI"):
        client.generate(REQUEST)


def test_raw_bodies_go_and_come_as_they_are(service: Service, client: EndpointClient) -> None:
    service.reply(b"\x00 anything \xff")
    assert client.invoke(b"{ not JSON") == b"\x00 anything \xff"
    assert service.bodies == [b"{ not JSON"]


@pytest.mark.parametrize(("connections", "thrown_away"), [(12, False), (4, True)])
def test_the_pool_keeps_as_many_connections_as_configured(
    *, service: Service, session: boto3.Session, caplog: pytest.LogCaptureFixture, connections: int, thrown_away: bool
) -> None:
    """The pool holds as many connections as there are users. Source: botocore, max_pool_connections."""
    service.reply_together(12)
    with (
        EndpointClient("mistral", "us-east-1", session=session, max_pool_connections=connections) as client,
        ThreadPoolExecutor(max_workers=12) as users,
    ):
        assert list(users.map(client.invoke, [b"{}"] * 12)) == [b"answer"] * 12
    assert ("Connection pool is full, discarding connection" in caplog.text) is thrown_away
