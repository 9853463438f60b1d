"""Reading answers, whole and streamed."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.tgi import StreamEvent, StreamParser, TgiError, parse_generation

TOKEN = {"id": 22557, "text": " Hello", "logprob": -0.34, "special": False}
EVENT: dict[str, Any] = {"token": TOKEN, "generated_text": None, "details": None}
LAST = EVENT | {
    "generated_text": " Hello 你好",
    "details": {"finish_reason": "length", "generated_tokens": 2, "seed": None},
}


def sse(*values: object) -> bytes:
    return b"".join(f"data:{json.dumps(value, ensure_ascii=False)}\n\n".encode() for value in values)


def test_an_answer_is_read() -> None:
    generation = parse_generation(b'[{"generated_text":" Hello"}]')
    assert (generation.generated_text, generation.details) == (" Hello", None)


def test_details_are_read() -> None:
    details = {
        "finish_reason": "eos_token",
        "generated_tokens": 1,
        "seed": 5,
        "prefill": [{"id": 1, "text": "<s>", "logprob": None}],
        "tokens": [TOKEN],
        "best_of_sequences": [
            {
                "generated_text": "b",
                "finish_reason": "length",
                "generated_tokens": 1,
                "seed": 6,
                "prefill": [],
                "tokens": [TOKEN],
            }
        ],
        "top_tokens": [[TOKEN]],
    }
    read = parse_generation(json.dumps([{"generated_text": "a", "details": details}]).encode()).details
    assert read is not None
    assert read.model_dump(exclude_unset=True, mode="json") == details


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'[{"generated_text":1}]', b'{"error":"x"}', b'[{"generated_text":"a"}]' * 2]
)
def test_a_body_that_is_not_an_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="not an answer of TGI"):
        parse_generation(body)


@given(st.lists(st.integers(min_value=0, max_value=len(sse(EVENT, EVENT, LAST)))))
def test_events_are_read_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    stream = sse(EVENT, EVENT, LAST)
    bounds = [0, *sorted(cuts), len(stream)]
    parser = StreamParser()
    events = [event for start, end in itertools.pairwise(bounds) for event in parser.feed(stream[start:end])]
    assert events == [StreamEvent.model_validate(value) for value in (EVENT, EVENT, LAST)]


def test_keep_alive_comments_are_not_events() -> None:
    assert list(StreamParser().feed(b":\n\n")) == []


def test_an_error_in_a_stream_is_raised_with_the_status_it_has_elsewhere() -> None:
    parser = StreamParser()
    assert len(list(parser.feed(sse(EVENT)))) == 1
    with pytest.raises(TgiError, match="Model is overloaded") as error:
        list(parser.feed(sse({"error": "Model is overloaded", "error_type": "overloaded"})))
    assert (error.value.status, error.value.error_type) == (429, "overloaded")


def test_an_event_of_another_shape_is_an_error() -> None:
    with pytest.raises(TgiError, match=r'\{"what": 1\}'):
        list(StreamParser().feed(sse({"what": 1})))
