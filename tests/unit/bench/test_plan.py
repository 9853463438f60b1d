"""Loads of a benchmark: prompts of an exact length, and how long a load is measured."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.bench.plan import WARM_UP, Cell, duration, prompt
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.closed_loop import Load, simulate
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.errors import UserError
from mistral7b.tgi.tokenizer import count_tokens

CELL = Cell(prompt=512, unit="words", answer_tokens=128, users=8, counted=4)


@settings(max_examples=30)
@given(st.integers(2, 8191))
def test_a_prompt_has_exactly_the_tokens_that_are_asked_for(length: int) -> None:
    assert count_tokens(prompt(length, "tokens")) == length


@given(st.integers(1, 8191))
def test_a_prompt_has_exactly_the_words_that_are_asked_for(length: int) -> None:
    assert len(prompt(length, "words").split()) == length


def test_no_prompt_has_a_single_token_as_the_container_adds_one() -> None:
    with pytest.raises(UserError, match="--tokens 1: there is no such prompt"):
        prompt(1, "tokens")


def test_a_request_holds_the_length_of_its_answer_and_asks_how_long_it_is() -> None:
    parameters = CELL.request().parameters
    assert (parameters.max_new_tokens, parameters.details, parameters.do_sample) == (128, True, False)


def test_loads_that_differ_have_different_names() -> None:
    values: dict[str, Any] = {"prompt": 512, "answer_tokens": 128, "counted": 4}
    cells = [
        Cell(**values, unit=unit, stream=stream, **load)
        for unit in ("words", "tokens")
        for stream in (False, True)
        for load in ({"users": 2}, {"rate": 2.0})
    ]
    assert len({cell.name for cell in cells}) == len(cells)


def test_one_user_is_not_users() -> None:
    assert replace(CELL, users=1).name == "512 words, 128 tokens out, 1 user"


def test_a_load_takes_its_rounds_times_the_predicted_latency() -> None:
    calibration, limits = published_calibration(), benchmark_limits()
    latency = simulate(Load(8, count_tokens(prompt(512, "words")), 128), calibration.parameters, limits).latency
    assert duration(CELL, calibration, limits, 1) == pytest.approx((WARM_UP + 4 + 1) * latency)


def test_two_instances_share_the_users_of_a_load() -> None:
    calibration, limits = published_calibration(), benchmark_limits()
    assert duration(CELL, calibration, limits, 2) < duration(CELL, calibration, limits, 1)


def test_a_rate_takes_its_seconds_and_half_as_many_before() -> None:
    cell = Cell(prompt=512, unit="words", answer_tokens=128, rate=2.0, counted=60)
    assert duration(cell, published_calibration(), benchmark_limits(), 1) == 90
