"""The checks on endpoints that serve as their file says, and on those that do not, each in its own way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from mistral7b.operate.smoke.checks import smoke_plan
from tests.unit.operate.conftest import NAMES, environment

if TYPE_CHECKING:
    from mistral7b.catalog.models import ModelName
    from tests.unit.operate.conftest import Smoke

SMALL = {"MAX_INPUT_LENGTH": 100, "MAX_TOTAL_TOKENS": 300}


@pytest.mark.parametrize("model", ["instruct", "base"])
@pytest.mark.parametrize(
    "file",
    [
        {},
        SMALL,
        {"MAX_INPUT_LENGTH": 2, "MAX_TOTAL_TOKENS": 3},
        {"MAX_STOP_SEQUENCES": 7, "MAX_BEST_OF": 1, "MAX_TOP_N_TOKENS": 0},
        {"MAX_STOP_SEQUENCES": 0, "MAX_BEST_OF": 0, "MAX_TOP_N_TOKENS": 9},
        {"HF_MODEL_ID": "mistralai/Mistral-7B-v0.1"},
    ],
    ids=str,
)
def test_an_endpoint_that_serves_as_its_file_says_passes_every_check(
    smoke: Smoke, model: ModelName, file: dict[str, Any]
) -> None:
    done = smoke(file, model=model)
    assert done.failed == {}
    assert [result.name for result in done.results] == NAMES
    assert done.container.requests == len(NAMES)


def test_the_answers_counts_are_told(smoke: Smoke) -> None:
    answer = smoke().results[0]
    assert answer.got.startswith("19 prompt tokens, 16 generated, ended by length: 'This is the embedded AWS")


def unnamed(reason: str) -> str:
    """What is told of a refusal for another reason than the limit that was asked for."""
    body = f'{{"error":"Input validation error: {reason}","error_type":"validation"}}'
    return f"no refusal that names it: ModelError 422 {body}"


@pytest.mark.parametrize(
    ("deployed", "failed"),
    [
        (SMALL | {"MAX_INPUT_LENGTH": 99}, {"MAX_INPUT_LENGTH": "99"}),
        (SMALL | {"MAX_INPUT_LENGTH": 101}, {"MAX_INPUT_LENGTH": "101"}),
        (SMALL | {"MAX_TOTAL_TOKENS": 299}, {"MAX_TOTAL_TOKENS": "299"}),
        (SMALL | {"MAX_TOTAL_TOKENS": 301}, {"MAX_TOTAL_TOKENS": "301"}),
        (SMALL | {"MAX_STOP_SEQUENCES": 3}, {"MAX_STOP_SEQUENCES": "3"}),
        (SMALL | {"MAX_STOP_SEQUENCES": 500}, {"MAX_STOP_SEQUENCES": "500"}),
        (SMALL | {"MAX_TOP_N_TOKENS": 6}, {"MAX_TOP_N_TOKENS": "6"}),
        (
            SMALL | {"MAX_BEST_OF": 1},
            {"MAX_BEST_OF": unnamed("`best_of` != 1 is not allowed for this endpoint")},
        ),
        (
            SMALL | {"MAX_BEST_OF": 3},
            {"MAX_BEST_OF": unnamed("you must use sampling when `best_of` is > 1")},
        ),
    ],
    ids=str,
)
def test_an_endpoint_with_another_limit_fails_the_check_of_that_limit_alone(
    smoke: Smoke, deployed: dict[str, Any], failed: dict[str, str]
) -> None:
    found = smoke(SMALL, deployed).failed
    too_long = found.pop("prompt too long", None)
    assert found == failed
    limits_known = failed.keys().isdisjoint({"MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS"})
    assert too_long == (None if limits_known else f"not sent: without {next(iter(failed))} as in the file it might run")


def test_jumpstarts_settings_are_not_those_of_an_endpoint_that_was_never_updated(smoke: Smoke) -> None:
    failed = smoke(SMALL, {}).failed
    assert (failed["MAX_INPUT_LENGTH"], failed["MAX_TOTAL_TOKENS"]) == ("8191", "8192")


def dropping(key: str) -> Callable[[bytes], bytes]:
    """Leaves a key of an answer's details out."""

    def distort(body: bytes) -> bytes:
        value = json.loads(body)
        if isinstance(value, list):
            del value[0]["details"][key]
        return json.dumps(value, separators=(",", ":")).encode()

    return distort


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda body: b"<html>It works!</html>", "no answer of TGI: Invalid JSON"),
        (lambda body: b"", "no answer of TGI: Invalid JSON"),
        (lambda body: b"[" * 100_000, "no answer of TGI: Invalid JSON"),
        (lambda body: body.replace(b"[{", b"[{},{", 1), "Tuple should have at most 1 item"),
        (lambda body: body.replace(b'"seed"', b'"Seed"'), "Details lacks seed; Details has Seed"),
        (dropping("prefill"), "Details lacks prefill"),
        (
            lambda body: body.replace(b'{"id":1,"text":"<s>","logprob":null},', b""),
            "prompt of 18 tokens, mistral-common",
        ),
        (lambda body: body.replace(b'"id":12018', b'"id":12019'), "prompt of 19 tokens, mistral-common has 19, others"),
        (lambda body: body.replace(b'_tokens":16', b'_tokens":15'), "generated_tokens is 15, and there are 16"),
        (
            lambda body: body.replace(b'n":"length"', b'n":"eos_token"'),
            "finish_reason is eos_token, and 16 tokens make",
        ),
        (
            lambda body: body.replace(b'n":"length"', b'n":"bored"'),
            "no answer of TGI: 0.details.finish_reason: Input should be",
        ),
        (lambda body: body.replace(b"embedded", b"embodied", 1), "the tokens spell"),
        (lambda body: body.replace(b'"special":false', b'"special":true', 1), "the tokens spell"),
    ],
)
def test_an_answer_that_is_not_tgis_fails_and_says_in_what(
    smoke: Smoke, answer: Callable[[bytes], bytes], told: str
) -> None:
    failed = smoke(answer=lambda body: answer(body) if b"generated_text" in body else body).failed
    assert list(failed) == ["answer"]
    assert told in failed["answer"]


def last(part: bytes) -> bool:
    """Whether a part of a stream is its last event."""
    return b'"generated_text":null' not in part


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (lambda part: None if last(part) else part, "the last of 15 events has no generated_text: the stream was cut"),
        (lambda part: part[:-1] if last(part) else part, "the stream ends in the middle of an event"),
        (lambda part: None, "the stream has no event"),
        (lambda part: b"data:hello\n\n", "no event of TGI: Invalid JSON"),
        (lambda part: part.replace(b'"logprob":0.0,', b""), "no event of TGI: token.logprob: Field required"),
        (lambda part: part.replace(b'"special":false', b'"special":"no"'), "no event of TGI: token.special: Input sho"),
        (
            lambda part: None if b"embedded" in part and not last(part) else part,
            "generated_tokens is 16, and there are 15",
        ),
        (lambda part: part.replace(b'"generated_text":null', b'"generated_text":""'), "an event before the last has"),
        (lambda part: part.replace(b'n":"length"', b'n":"stop_sequence"'), "finish_reason is stop_sequence"),
        (lambda part: part.replace(b"AWS", b"SWA") if last(part) else part, "the tokens spell"),
        (
            lambda part: b'data:{"error":"Incomplete generation","error_type":"incomplete_generation"}\n\n',
            "500 incomplete_generation: Incomplete generation",
        ),
    ],
)
def test_a_stream_that_is_not_tgis_fails_and_says_in_what(
    smoke: Smoke, part: Callable[[bytes], bytes | None], told: str
) -> None:
    failed = smoke(part=part).failed
    assert list(failed) == ["stream"]
    assert told in failed["stream"]


def test_a_refusal_in_other_words_fails_with_what_was_said(smoke: Smoke) -> None:
    failed = smoke(answer=lambda body: body.replace(b"cannot be empty", b"must not be empty")).failed
    assert list(failed) == ["empty inputs"]
    assert "`inputs` must not be empty" in failed["empty inputs"]


def test_another_count_of_the_prompts_tokens_in_a_refusal_fails(smoke: Smoke) -> None:
    failed = smoke(answer=lambda body: body.replace(b"Given: 19 ", b"Given: 20 ")).failed
    assert list(failed) == ["MAX_TOTAL_TOKENS", "prompt too long"]
    assert "Given: 20 `inputs` tokens" in failed["MAX_TOTAL_TOKENS"]


def test_every_setting_of_the_file_is_checked_or_said_not_to_be() -> None:
    env = environment({"MAX_CONCURRENT_REQUESTS": 4, "DTYPE": "bfloat16", "MAX_WAITING_TOKENS": 10})
    plan = smoke_plan(env)
    told = {check.name for check in plan.checks} | plan.not_told.keys()
    assert env.tgi.to_environment().keys() <= told
    assert "overload" in plan.not_told["MAX_CONCURRENT_REQUESTS"]
