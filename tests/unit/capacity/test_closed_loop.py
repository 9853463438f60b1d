"""Users who each send the next request when the last one is answered."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.closed_loop import Load, simulate
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.capacity.parameters import PerformanceParameters

PARAMETERS = published_calibration().parameters
LIMITS = benchmark_limits()


def test_one_user_waits_for_a_prefill_the_steps_and_the_round_trip(
    simple: PerformanceParameters, limits: Callable[..., RouterLimits]
) -> None:
    # 10 s, 127 steps of 1 s and a round trip of 3 s.
    alone = simulate(Load(1, 100, 128), replace(simple, round_trip=3), limits())
    assert [alone.latency, alone.tokens_per_second] == pytest.approx([140, 128 / 140])


def test_users_beyond_what_the_gpu_holds_share_its_throughput(
    simple: PerformanceParameters, limits: Callable[..., RouterLimits]
) -> None:
    # 112 + 128 reserved, 240 held: 10 of them in 2,400 tokens, which get a token each in a second without prefill.
    found = [simulate(Load(n, 100, 128), simple, limits(max_batch_total_tokens=2400)) for n in (20, 40, 80)]
    assert all(7.5 < one.tokens_per_second < 10 for one in found)
    assert [one.latency for one in found] == pytest.approx([one * found[0].latency for one in (1, 2, 4)], rel=0.1)


@given(st.integers(1, 128), st.integers(1, 7_500), st.integers(1, 300), st.booleans())
@settings(max_examples=30, deadline=None)
def test_throughput_times_latency_is_the_number_of_users(users: int, prompt: int, answer: int, at_once: bool) -> None:
    found = simulate(Load(users, prompt, answer), PARAMETERS, LIMITS, at_once=at_once)
    # Little's law holds for the mean: where requests queue, the median differs.
    assert found.tokens_per_second * found.latency / answer == pytest.approx(users, rel=0.25)


def test_users_who_begin_at_once_wait_for_fewer_prefills() -> None:
    load = Load(8, 128, 128)
    assert simulate(load, PARAMETERS, LIMITS, at_once=True).latency < simulate(load, PARAMETERS, LIMITS).latency


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (Load(129, 100, 128), "129 users are not from 1 to MAX_CONCURRENT_REQUESTS, 128"),
        (Load(1, 8177, 10), "MAX_BATCH_PREFILL_TOKENS 8191"),
        (Load(0, 100, 128), "0 users"),
        (Load(1, 100, 0), "output_tokens 0, .*must be 1 or more"),
    ],
)
def test_a_load_that_would_be_refused_for_ever_is_refused_by_name(load: Load, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(load, PARAMETERS, LIMITS)
