"""What the router charges and when it interrupts, worked out by hand from TGI 1.1.0's rules."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.admission import (
    RouterLimits,
    UnservableRequestError,
    answer_charge,
    charge,
    fewest_to_interrupt,
    in_blocks,
    never_admitted,
    running_charge,
    why_never_admitted,
)
from mistral7b.capacity.request import Request
from mistral7b.tgi import LauncherSettings


@pytest.mark.parametrize(("tokens", "charged"), [(1, 16), (16, 16), (17, 32), (620, 624), (8176, 8176), (8177, 8192)])
def test_a_prompt_is_charged_in_whole_blocks_of_16(tokens: int, charged: int) -> None:
    assert in_blocks(tokens) == charged


@pytest.mark.parametrize(
    ("prompt", "longest", "charged"),
    [
        (620, 128, 128),
        (620, 100, 112),  # 7 blocks
        (4000, 128, 96),  # the window leaves 4096 - 4000 = 96
        (4090, 128, 16),  # it leaves 6: one block
        (4096, 128, 0),
        (8000, 128, 0),
    ],
)
def test_admission_reserves_the_answer_as_far_as_the_sliding_window_goes(
    prompt: int, longest: int, charged: int
) -> None:
    assert answer_charge(prompt, longest) == charged


@pytest.mark.parametrize(
    ("prompt", "longest", "charged"),
    [
        (620, 128, 752),  # 747 tokens, as the last one is never attended to: 47 blocks
        (1, 16, 16),
        (1, 17, 32),
        (4000, 200, 4096),
        (8000, 128, 4096),
    ],
)
def test_a_running_request_holds_its_blocks_and_the_window_at_most(prompt: int, longest: int, charged: int) -> None:
    assert running_charge(prompt, longest) == charged


@given(st.integers(1, 8191), st.integers(1, 8191))
def test_a_request_never_holds_more_than_was_reserved(prompt: int, longest: int) -> None:
    assert running_charge(prompt, longest) <= in_blocks(prompt) + answer_charge(prompt, longest)


@pytest.mark.parametrize(("running", "needed"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (10, 12), (33, 39)])
def test_a_prefill_interrupts_from_1_2_times_the_running_requests(running: int, needed: int) -> None:
    assert fewest_to_interrupt(running, 1.2) == needed


def test_nobody_waiting_interrupts_nobody_even_at_a_ratio_of_0() -> None:
    assert fewest_to_interrupt(7, 0.0) == 1


@given(st.integers(1, 1000), st.floats(0, 10))
def test_the_ratio_is_multiplied_in_32_bit_as_the_router_does(running: int, ratio: float) -> None:
    assert fewest_to_interrupt(running, ratio) == max(1, math.floor(np.float32(running) * np.float32(ratio)))


def test_a_prompt_that_rounds_up_past_the_prefill_budget_is_refused_as_it_would_block_the_queue() -> None:
    # JumpStart's MAX_INPUT_LENGTH 8191 lets 8177 tokens in, which are 512 blocks: 8192 > MAX_BATCH_PREFILL_TOKENS 8191.
    limits = RouterLimits(max_batch_total_tokens=50_000, max_batch_prefill_tokens=8191)
    charge(Request(0.0, 8176, 1), limits)
    with pytest.raises(UnservableRequestError, match=r"8177 tokens, in blocks 8192, .*MAX_BATCH_PREFILL_TOKENS 8191"):
        charge(Request(0.0, 8177, 1), limits)


def lengths(longest: int, budget: int) -> LauncherSettings:
    return LauncherSettings.model_validate({"MAX_INPUT_LENGTH": longest, "MAX_BATCH_PREFILL_TOKENS": budget})


@given(st.integers(1, 200).flatmap(lambda budget: st.tuples(st.integers(1, budget), st.just(budget))))
def test_prompts_never_admitted_are_those_that_the_router_would_not_charge(limit: tuple[int, int]) -> None:
    """Every prompt that is accepted fits into a prefill in blocks of 16. With JumpStart's own settings those of 8,177
    to 8,191 tokens do not: a synth warns, and the client does not send them. Source: TGI 1.1.0, router, queue.rs.
    """
    settings = lengths(*limit)
    router = RouterLimits(max_batch_total_tokens=50_000, max_batch_prefill_tokens=settings.max_batch_prefill_tokens)
    refused = []
    for tokens in range(1, settings.max_input_length + 1):
        try:
            charge(Request(0.0, tokens, 1), router)
        except UnservableRequestError:
            refused.append(tokens)
    assert list(never_admitted(settings)) == refused


@given(st.integers(1, 20_000))
def test_the_budget_that_the_reason_names_admits_every_prompt(longest: int) -> None:
    reason = why_never_admitted(lengths(longest, longest))
    assert (reason is None) == (longest % 16 == 0)
    if reason is not None:
        budget = int(reason.partition("Set MAX_BATCH_PREFILL_TOKENS to ")[2].partition(",")[0])
        assert not never_admitted(lengths(longest, budget))


def test_jumpstarts_own_lengths_let_prompts_in_that_no_prefill_takes() -> None:
    assert never_admitted(lengths(8191, 8191)) == range(8177, 8192)
    reason = why_never_admitted(lengths(8191, 8191)) or ""
    assert "prompts of 8177 to 8191 tokens" in reason
    assert reason.endswith("Set MAX_BATCH_PREFILL_TOKENS to 8192, or MAX_INPUT_LENGTH to 8176")


def test_a_request_larger_than_the_gpu_is_refused() -> None:
    with pytest.raises(UnservableRequestError, match=r"1000 tokens that the GPU holds"):
        charge(Request(0.0, 900, 128), RouterLimits(max_batch_total_tokens=1000))


@pytest.mark.parametrize(("prompt", "generated", "longest"), [(0, 1, 1), (1, 0, 1), (1, 2, 1)])
def test_impossible_lengths_are_refused(prompt: int, generated: int, longest: int) -> None:
    with pytest.raises(ValueError, match="each must be 1 or more"):
        charge(Request(0.0, prompt, generated, longest), RouterLimits(max_batch_total_tokens=1000))
