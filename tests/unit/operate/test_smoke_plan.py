"""What is asked: nothing that could run on an endpoint with other limits, and everything that tells a limit."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.endpoint.client import to_json
from mistral7b.endpoint.errors import ContainerError, container_error
from mistral7b.operate.smoke.checks import NoPromptFitsError, Reply, refusal, smoke_plan
from mistral7b.tgi import GenerateRequest, LauncherSettings, TgiError
from mistral7b.tgi.request import MAX_BODY_BYTES, parse_request
from mistral7b.tgi.tokenizer import count_tokens
from tests.unit.operate.conftest import environment

LIMITS = ("MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS", "MAX_STOP_SEQUENCES", "MAX_TOP_N_TOKENS", "MAX_BEST_OF")


@st.composite
def limits(draw: st.DrawFn) -> dict[str, int]:
    """Limits that a container starts with."""
    length = draw(st.integers(2, 300))
    return {
        "MAX_INPUT_LENGTH": length,
        "MAX_TOTAL_TOKENS": length + draw(st.integers(1, 300)),
        "MAX_STOP_SEQUENCES": draw(st.integers(0, 300)),
        "MAX_TOP_N_TOKENS": draw(st.integers(0, 300)),
        "MAX_BEST_OF": draw(st.integers(0, 300)),
    }


def wrapped(error: TgiError, code: str = "ModelError") -> ContainerError:
    """A container's error as the client has it."""
    response = {"Error": {"Code": code}, "OriginalStatusCode": error.status, "OriginalMessage": error.to_json()}
    made = container_error(error)
    made.__cause__ = ClientError(response, "InvokeEndpoint")
    return made


def replied(request: GenerateRequest, deployed: dict[str, int]) -> Reply:
    """The reply of a container with these limits to a request that it refuses."""
    due = refusal(request, LauncherSettings.model_validate(deployed))
    assert due is not None
    return wrapped(due)


@settings(max_examples=40)
@given(file=limits(), deployed=limits())
def test_only_answers_and_the_prompt_that_is_sent_last_could_run_whatever_is_deployed(
    file: dict[str, int], deployed: dict[str, int]
) -> None:
    running = LauncherSettings.model_validate(deployed)
    for check in smoke_plan(environment(file)).checks:
        safe = refusal(check.request, running) is not None
        assert safe or check.after or check.name in {"answer", "stream"}, check.name


@settings(max_examples=40)
@given(file=limits(), deployed=limits())
def test_exactly_the_limits_that_differ_fail(file: dict[str, int], deployed: dict[str, int]) -> None:
    checks = [check for check in smoke_plan(environment(file)).checks if check.name in LIMITS]
    failed = {check.name for check in checks if not check.judge(replied(check.request, deployed)).passed}
    differ = {name for name in LIMITS if file[name] != deployed[name]}
    assert failed == differ


@settings(max_examples=20)
@given(file=limits())
def test_every_request_is_one_that_the_container_can_read(file: dict[str, int]) -> None:
    for check in smoke_plan(environment(file)).checks:
        assert parse_request("application/json", to_json(check.request)) == check.request


@settings(max_examples=30)
@given(length=st.integers(2, 9000))
def test_the_prompt_that_is_too_long_is_so_by_one_token(length: int) -> None:
    plan = smoke_plan(environment({"MAX_INPUT_LENGTH": length, "MAX_TOTAL_TOKENS": 20_000} | prefill(length)))
    (check,) = [check for check in plan.checks if check.name == "prompt too long"]
    assert count_tokens(check.request.inputs) == length + 1
    assert f"`inputs` must have less than {length} tokens. Given: {length + 1}" in check.expected


def prefill(length: int) -> dict[str, int]:
    """The setting without which a container with such prompts does not start."""
    return {"MAX_BATCH_PREFILL_TOKENS": max(4096, length)}


def test_the_instruct_model_is_asked_in_its_format_and_the_base_model_is_not() -> None:
    assert smoke_plan(environment({})).checks[0].request.inputs.startswith("[INST] Write the numbers")
    assert smoke_plan(environment({}, "base")).checks[0].request.inputs == "one, two, three, four, five,"


def test_limits_that_leave_room_for_no_prompt_are_reported() -> None:
    with pytest.raises(NoPromptFitsError, match="MAX_INPUT_LENGTH 1 leaves room for no prompt: the shortest is 2"):
        smoke_plan(environment({"MAX_INPUT_LENGTH": 1, "MAX_TOTAL_TOKENS": 3}))


@pytest.mark.parametrize(
    ("tgi", "not_told"),
    [
        ({"MAX_STOP_SEQUENCES": 10**12}, "MAX_STOP_SEQUENCES"),
        ({"MAX_BEST_OF": 2**64 - 1}, "MAX_BEST_OF"),
    ],
    ids=str,
)
def test_a_limit_that_no_request_can_exceed_is_reported_as_not_checked(tgi: dict[str, Any], not_told: str) -> None:
    plan = smoke_plan(environment(tgi))
    assert not_told not in {check.name for check in plan.checks}
    assert "cannot be sent" in plan.not_told[not_told]
    assert all(len(to_json(check.request)) <= MAX_BODY_BYTES for check in plan.checks)


def test_prompts_that_are_never_scheduled_are_named_and_not_sent() -> None:
    assert "prompts of 8177 to 8191 tokens" in smoke_plan(environment({})).not_told["MAX_BATCH_PREFILL_TOKENS"]
    whole = smoke_plan(environment({"MAX_BATCH_PREFILL_TOKENS": 8192}))
    assert whole.not_told["MAX_BATCH_PREFILL_TOKENS"] == "no answer shows it"


@pytest.mark.parametrize(
    "error",
    [
        wrapped(TgiError(400, "validation", "Input validation error: `inputs` cannot be empty")),
        wrapped(TgiError(422, "generation", "Input validation error: `inputs` cannot be empty")),
        wrapped(TgiError.validation("`inputs` cannot be empty"), code="InternalFailure"),
        container_error(TgiError.validation("`inputs` cannot be empty")),
    ],
    ids=["status", "error_type", "code", "not wrapped"],
)
def test_a_refusal_of_another_form_fails(error: ContainerError) -> None:
    (check,) = [check for check in smoke_plan(environment({})).checks if check.name == "empty inputs"]
    assert check.judge(wrapped(TgiError.validation("`inputs` cannot be empty"))).passed
    assert not check.judge(error).passed


def test_an_answer_in_place_of_a_refusal_fails() -> None:
    for check in smoke_plan(environment({})).checks[2:]:
        assert check.judge(b'[{"generated_text":"Hi"}]').got == """an answer: '[{"generated_text":"Hi"}]'"""
