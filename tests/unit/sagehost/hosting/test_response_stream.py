"""InvokeEndpointWithResponseStream: events of a deployed endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.tgi import StreamEvent, StreamParser, TgiError

if TYPE_CHECKING:
    from tests.unit.sagehost.hosting.conftest import HeldPace


def _stream(runtime: Any, name: str, inputs: str = "Hello", **parameters: Any) -> Any:
    body = json.dumps({"inputs": inputs, "parameters": parameters, "stream": True})
    return runtime.invoke_endpoint_with_response_stream(EndpointName=name, ContentType="application/json", Body=body)


def _parts(answer: Any) -> list[bytes]:
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


def _events(answer: Any) -> list[StreamEvent]:
    parser = StreamParser()
    return [event for part in _parts(answer) for event in parser.feed(part)]


def _whole_events(answer: Any) -> list[bytes]:
    return [event + b"\n\n" for event in b"".join(_parts(answer)).split(b"\n\n")[:-1]]


def test_every_token_is_an_event_of_its_own(endpoint: str, runtime: Any) -> None:
    assert [event.token.text for event in _events(_stream(runtime, endpoint, max_new_tokens=4))] == [
        " This",
        " is",
        " the",
        " embedded",
    ]


def test_events_are_written_as_the_container_writes_them(endpoint: str, runtime: Any) -> None:
    first, last = _whole_events(_stream(runtime, endpoint, max_new_tokens=2, details=True))
    assert first == (
        b'data:{"token":{"id":851,"text":" This","logprob":0.0,"special":false},'
        b'"generated_text":null,"details":null}\n\n'
    )
    assert last == (
        b'data:{"token":{"id":349,"text":" is","logprob":0.0,"special":false},"generated_text":" This is",'
        b'"details":{"finish_reason":"length","generated_tokens":2,"seed":null}}\n\n'
    )


def test_top_tokens_follow_the_token(endpoint: str, runtime: Any) -> None:
    (whole,) = _whole_events(_stream(runtime, endpoint, max_new_tokens=1, top_n_tokens=2))
    event = json.loads(whole.removeprefix(b"data:"))
    assert list(event) == ["token", "top_tokens", "generated_text", "details"]
    assert event["top_tokens"][0] == event["token"]
    assert [token["logprob"] for token in event["top_tokens"]] == [0.0, -20.0]


def test_a_stream_has_the_text_of_the_answer_that_is_not_streamed(
    endpoint: str, runtime: Any, ask: Callable[..., Any]
) -> None:
    last = _events(_stream(runtime, endpoint, max_new_tokens=300, return_full_text=True))[-1]
    assert last.generated_text == ask(endpoint, "Hello", max_new_tokens=300, return_full_text=True)[0]["generated_text"]


def test_a_stream_names_its_variant_and_type(endpoint: str, runtime: Any) -> None:
    answer = _stream(runtime, endpoint, max_new_tokens=1)
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"] == "text/event-stream"
    assert len(_whole_events(answer)) == 1


def test_parts_of_a_stream_split_and_join_events_alike_each_time(endpoint: str, runtime: Any) -> None:
    first, second = (_parts(_stream(runtime, endpoint, max_new_tokens=60)) for _ in range(2))
    assert first == second
    assert any(part.startswith(b"data:") and part.endswith(b"\n\n") for part in first)
    assert any(not part.endswith(b"\n\n") for part in first)
    assert any(part.find(b"data:") > 0 for part in first)


def test_a_refusal_by_the_router_is_an_event_of_the_stream(endpoint: str, runtime: Any) -> None:
    with pytest.raises(TgiError, match="`inputs` cannot be empty") as error:
        _events(_stream(runtime, endpoint, inputs=""))
    assert error.value.status == 422


def test_what_the_container_cannot_read_is_a_model_error_before_the_stream(endpoint: str, runtime: Any) -> None:
    with pytest.raises(ClientError) as error:
        runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, ContentType="application/json", Body="{")
    assert error.value.response["Error"]["Code"] == "ModelError"
    assert error.value.response["OriginalStatusCode"] == 400


def test_an_endpoint_that_is_not_there_is_a_validation_error_before_the_stream(runtime: Any) -> None:
    with pytest.raises(ClientError, match="Endpoint nowhere of account 111122223333 not found"):
        _stream(runtime, "nowhere")


def test_an_answer_that_is_not_streamed_comes_whole(endpoint: str, runtime: Any) -> None:
    answer = runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint, ContentType="application/json", Body='{"inputs":"Hello"}'
    )
    whole = b"".join(_parts(answer))
    assert answer["ContentType"] == "application/json"
    assert json.loads(whole)[0]["generated_text"].startswith(" This is")


def test_a_pace_that_fails_ends_the_stream_with_an_internal_failure(
    endpoint: str, runtime: Any, pace: HeldPace
) -> None:
    pace.break_next()
    with pytest.raises(ClientError) as error:
        _parts(_stream(runtime, endpoint))
    assert error.value.response["Error"]["Code"] == "InternalStreamFailure"
