"""The router's rules for a request."""

from typing import Any

import pytest

from mistral7b.tgi import GenerateParameters, GenerateRequest, LauncherSettings, TgiError, tokenizer
from mistral7b.tgi.validation import ValidRequest, check_before_permit, validate

SETTINGS = LauncherSettings.model_validate({"MAX_INPUT_LENGTH": 20, "MAX_TOTAL_TOKENS": 50})


def valid(inputs: str = "Hello", **parameters: Any) -> ValidRequest:
    return validate(GenerateRequest(inputs=inputs, parameters=GenerateParameters(**parameters)), SETTINGS)


def refusal(inputs: str = "Hello", **parameters: Any) -> str:
    with pytest.raises(TgiError) as error:
        valid(inputs, **parameters)
    assert (error.value.status, error.value.error_type) == (422, "validation")
    return error.value.message.removeprefix("Input validation error: ")


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"best_of": 2}, "you must use sampling when `best_of` is > 1"),
        ({"temperature": 0.0}, "`temperature` must be strictly positive"),
        ({"temperature": -1.0}, "`temperature` must be strictly positive"),
        ({"repetition_penalty": 0.0}, "`repetition_penalty` must be strictly positive"),
        ({"top_p": 0.0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"top_p": 1.0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"typical_p": 1.0}, "`typical_p` must be > 0.0 and < 1.0"),
        ({"top_k": 0}, "`top_k` must be strictly positive"),
        ({"top_k": -1}, "`top_k` must be strictly positive"),
        ({"max_new_tokens": 0}, "`max_new_tokens` must be strictly positive"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "`stop` supports up to 4 stop sequences. Given: 5"),
        ({"best_of": 2, "do_sample": True, "seed": 1}, "`seed` must not be set when `best_of` > 1"),
        ({"top_n_tokens": 6}, "`top_n_tokens` must be >= 0 and <= 5. Given: 6"),
        ({"truncate": 0}, "`truncate` must be strictly positive and less than 20. Given: 0"),
        ({"truncate": 21}, "`truncate` must be strictly positive and less than 20. Given: 21"),
    ],
)
def test_a_parameter_out_of_range_is_refused(parameters: dict[str, Any], reason: str) -> None:
    assert refusal(**parameters) == reason


def test_an_empty_prompt_is_refused() -> None:
    assert refusal("") == "`inputs` cannot be empty"


def test_a_prompt_and_an_answer_that_are_too_long_together_are_refused() -> None:
    assert refusal("a b c", max_new_tokens=47) == (
        "`inputs` tokens + `max_new_tokens` must be <= 50. Given: 4 `inputs` tokens and 47 `max_new_tokens`"
    )
    assert len(valid("a b c", max_new_tokens=46).prompt) == 4


def test_a_prompt_that_is_too_long_is_refused() -> None:
    assert refusal("a " * 20, max_new_tokens=1) == "`inputs` must have less than 20 tokens. Given: 22"


def test_total_tokens_are_checked_before_the_prompts_length() -> None:
    assert refusal("a " * 60, max_new_tokens=1).startswith("`inputs` tokens + `max_new_tokens` must be <= 50")


def test_rules_are_applied_in_the_routers_order() -> None:
    broken: dict[str, Any] = {
        "temperature": 0.0,
        "repetition_penalty": 0.0,
        "top_p": 0.0,
        "typical_p": 0.0,
        "top_k": 0,
        "max_new_tokens": 0,
        "stop": ["a"] * 5,
        "top_n_tokens": 6,
        "truncate": 0,
    }
    named = []
    while broken:
        reason = refusal(**broken)
        (name,) = [parameter for parameter in broken if f"`{parameter}`" in reason]
        named.append(name)
        del broken[name]
    assert named == [
        "temperature",
        "repetition_penalty",
        "top_p",
        "typical_p",
        "top_k",
        "max_new_tokens",
        "stop",
        "top_n_tokens",
        "truncate",
    ]


@pytest.mark.parametrize(("truncate", "kept"), [(3, "<s> four five"), (1, "<s>")])
def test_truncation_keeps_the_beginning_of_sequence_and_the_last_tokens(truncate: int, kept: str) -> None:
    prompt = valid("one two three four five", truncate=truncate).prompt
    assert len(prompt) == truncate
    assert tokenizer.decode(prompt) == kept


def test_truncation_to_more_tokens_than_there_are_changes_nothing() -> None:
    assert valid("one two", truncate=20).prompt == tokenizer.encode("one two")


def test_a_seed_is_kept_and_drawn_if_there_is_none() -> None:
    assert valid(seed=7).seed == 7
    assert valid().seed != valid().seed


def _request(**parameters: Any) -> GenerateRequest:
    stream = parameters.pop("stream", False)
    return GenerateRequest(inputs="x", parameters=GenerateParameters(**parameters), stream=stream)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (_request(best_of=2, stream=True), "`best_of` != 1 is not supported when streaming tokens"),
        (_request(best_of=0, stream=True), "`best_of` != 1 is not supported when streaming tokens"),
        (
            _request(decoder_input_details=True, stream=True),
            "`decoder_input_details` == true is not supported when streaming tokens",
        ),
        (_request(best_of=3), "`best_of` must be > 0 and <= 2. Given: 3"),
    ],
)
def test_some_rules_come_before_the_permit(request_: GenerateRequest, reason: str) -> None:
    with pytest.raises(TgiError) as error:
        check_before_permit(request_, SETTINGS)
    assert error.value.message == f"Input validation error: {reason}"


def test_best_of_can_be_switched_off() -> None:
    settings = LauncherSettings.model_validate({"MAX_BEST_OF": 1})
    with pytest.raises(TgiError, match="`best_of` != 1 is not allowed for this endpoint"):
        check_before_permit(_request(best_of=2), settings)
