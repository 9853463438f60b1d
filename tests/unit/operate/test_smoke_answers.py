"""The judges of answers and streams: right ones of any length pass, and no other does."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.container import rendering
from mistral7b.container.generation import answer
from mistral7b.operate.smoke.answers import Asked, judge_answer, judge_stream
from mistral7b.tgi import GenerateParameters, GenerateRequest, LauncherSettings
from mistral7b.tgi.tokenizer import encode
from mistral7b.tgi.validation import ValidRequest, validate

PROMPT = "[INST] Hello! [/INST]"
ASKED = Asked(tuple(encode(PROMPT)), 16)
SETTINGS = LauncherSettings.model_validate({})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def request(max_new_tokens: int, inputs: str = PROMPT) -> ValidRequest:
    """A request as the container has it after validation."""
    parameters = GenerateParameters(max_new_tokens=max_new_tokens, details=True, decoder_input_details=True)
    return validate(GenerateRequest(inputs=inputs, parameters=parameters), SETTINGS)


def whole(max_new_tokens: int, inputs: str = PROMPT) -> bytes:
    """The body of an answer."""
    asked = request(max_new_tokens, inputs)
    return rendering.generation(asked, [answer(len(asked.prompt), max_new_tokens, [])], [1], None)


def streamed(max_new_tokens: int) -> bytes:
    """The body of a streamed answer."""
    asked = request(max_new_tokens)
    made = answer(len(asked.prompt), max_new_tokens, [])
    events = [rendering.token_event(token, False) for token in made.tokens[:-1]]
    return b"".join([*events, rendering.last_event(asked, made, None)])


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where every key of objects within a JSON value is."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(value, dict):
            yield (key,)
        yield from ((key, *path) for path in paths(inner))


@settings(max_examples=30)
@given(max_new_tokens=st.integers(1, 200), inputs=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_right_answer_of_any_length_to_any_prompt_passes(max_new_tokens: int, inputs: str) -> None:
    verdict = judge_answer(whole(max_new_tokens, inputs), Asked(tuple(encode(inputs)), max_new_tokens))
    assert verdict.passed, verdict.got


@settings(max_examples=30)
@given(max_new_tokens=st.integers(1, 200))
def test_a_right_stream_of_any_length_passes(max_new_tokens: int) -> None:
    verdict = judge_stream(streamed(max_new_tokens), Asked(ASKED.prompt, max_new_tokens))
    assert verdict.passed, verdict.got


def test_an_answer_that_reached_its_end_says_so() -> None:
    assert "ended by eos_token" in judge_answer(whole(200), Asked(ASKED.prompt, 200)).got


def test_a_stream_of_a_real_model_that_tells_no_token_ids_passes() -> None:
    body = re.sub(rb'"id":\d+', b'"id":null', streamed(200))
    assert "ended by eos_token" in judge_stream(body, Asked(ASKED.prompt, 200)).got


@given(body=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_other_body_is_refused_as_an_answer(body: bytes) -> None:
    assert not judge_answer(body, ASKED).passed


@given(body=st.binary() | json_values.map(lambda value: b"data:" + json.dumps(value).encode() + b"\n\n"))
def test_any_other_body_is_refused_as_a_stream(body: bytes) -> None:
    assert not judge_stream(body, ASKED).passed


@settings(max_examples=60)
@given(data=st.data())
def test_an_answer_without_any_one_of_its_fields_fails(data: st.DataObject) -> None:
    value = json.loads(whole(16))
    *way, key = data.draw(st.sampled_from(list(paths(value))))
    lacking = copy.deepcopy(value)
    inner = lacking
    for step in way:
        inner = inner[step]
    del inner[key]
    assert not judge_answer(json.dumps(lacking).encode(), ASKED).passed


@settings(max_examples=60)
@given(data=st.data())
def test_a_stream_that_is_cut_anywhere_fails(data: st.DataObject) -> None:
    body = streamed(16)
    assert not judge_stream(body[: data.draw(st.integers(0, len(body) - 1))], ASKED).passed


@settings(max_examples=16)
@given(lost=st.integers(0, 15))
def test_a_stream_that_has_lost_an_event_fails(lost: int) -> None:
    events = streamed(16).split(b"\n\n")[:-1]
    del events[lost]
    assert not judge_stream(b"".join(event + b"\n\n" for event in events), ASKED).passed


@pytest.mark.parametrize("tokens", [15, 17])
def test_an_answer_of_another_length_than_was_asked_for_fails(tokens: int) -> None:
    assert not judge_answer(whole(tokens), ASKED).passed
    assert not judge_stream(streamed(tokens), ASKED).passed


def test_fields_of_later_versions_are_a_fault_only_where_the_file_names_tgi_1_1() -> None:
    body = streamed(16).replace(b'{"token"', b'{"index":1,"token"')
    assert "StreamEvent has index, which TGI 1.1.0 does not send" in judge_stream(body, ASKED).got
    assert judge_stream(body, Asked(ASKED.prompt, 16, exact_fields=False)).passed


def test_terminal_control_characters_are_escaped() -> None:
    assert "\x1b" not in judge_answer(b"\x1b[2J", ASKED).got
