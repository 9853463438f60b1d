"""The closed form against its simulation, and against loads worked out by hand."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.closed_form import SHORTEST_ANSWER, Load, mean_context, steady_state
from mistral7b.capacity.measurements import Row, published_path, read_measurements, rows
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.capacity.parameters import PerformanceParameters
from tests.unit.capacity.closed_loop import simulate

PARAMETERS = published_calibration().parameters
LIMITS = benchmark_limits()
PUBLISHED = tuple(rows(read_measurements(published_path())))


def test_one_user_waits_for_a_prefill_the_steps_and_the_round_trip(
    simple: PerformanceParameters, limits: Callable[..., RouterLimits]
) -> None:
    # 10 s, 127 steps of 1 s and a round trip of 3 s.
    steady = steady_state(Load(1, 100, 128), replace(simple, round_trip=3), limits())
    assert (steady.latency, steady.tokens_per_second) == (140, 128 / 140)
    assert steady.running == pytest.approx(127 / 140)


def test_users_beyond_what_the_gpu_holds_share_its_throughput(
    simple: PerformanceParameters, limits: Callable[..., RouterLimits]
) -> None:
    # 112 + 128 reserved, 240 held: 10 of them in 2,400 tokens. So 10 run, and 127 steps serve 10 of the users: 40 take
    # four times as long, 508 steps. Each user's prefill is one of 508 / 19 groups' 10 s.
    steady = steady_state(Load(40, 100, 128), simple, limits(max_batch_total_tokens=2400))
    assert steady.running == pytest.approx(10)
    assert steady.latency == pytest.approx(508 + 10 * 508 / 19)


@pytest.mark.parametrize(
    ("prompt", "steps", "mean"), [(10, 1, 11), (10, 3, 12), (4093, 4, (4094 + 4095 + 2 * 4096) / 4), (8000, 5, 4096)]
)
def test_the_mean_context_stops_at_the_sliding_window(prompt: int, steps: int, mean: float) -> None:
    assert mean_context(prompt, steps) == mean


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.input_words} words, {row.concurrent_users} users")
def test_the_closed_form_is_within_4_percent_of_the_simulation_for_the_published_loads(row: Row) -> None:
    load = Load(row.concurrent_users, row.input_words, row.output_tokens)
    closed, simulated = steady_state(load, PARAMETERS, LIMITS), simulate(load, PARAMETERS, LIMITS)
    assert closed.latency == pytest.approx(simulated.latency, rel=0.04)
    assert closed.tokens_per_second == pytest.approx(simulated.tokens_per_second, rel=0.04)


@given(st.integers(1, 128), st.integers(1, 7_500), st.integers(SHORTEST_ANSWER, 600))
@settings(max_examples=60, deadline=None)
def test_the_closed_form_is_near_the_simulation_for_any_load(users: int, prompt: int, answer: int) -> None:
    load = Load(users, prompt, answer)
    closed, simulated = steady_state(load, PARAMETERS, LIMITS), simulate(load, PARAMETERS, LIMITS)
    assert closed.latency == pytest.approx(simulated.latency, rel=0.25)  # with a queue, the median is not the mean
    assert closed.tokens_per_second == pytest.approx(simulated.tokens_per_second, rel=0.2)


@given(st.integers(1, 7_500), st.integers(SHORTEST_ANSWER, 600))
@settings(max_examples=50, deadline=None)
def test_more_users_never_make_an_answer_faster(prompt: int, answer: int) -> None:
    latencies = [steady_state(Load(n, prompt, answer), PARAMETERS, LIMITS).latency for n in (1, 2, 4, 8, 16, 64, 128)]
    assert all(fewer <= more * (1 + 1e-9) for fewer, more in pairwise(latencies))


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
        steady_state(load, PARAMETERS, LIMITS)
