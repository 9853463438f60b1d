"""The simulation: every request ends in one way, and what happens to it is what the rules say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.fleet.arrivals import poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import simulate
from mistral7b.capacity.fleet.trace import Trace
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance
from mistral7b.errors import UserError
from mistral7b.workload import ANSWER_LIMIT_S, TokenSpread
from scaling_rules import Policy
from tests.unit.capacity.fleet.conftest import FLEET, Listed


def fixed(count: int) -> Policy:
    """So many instances."""
    return Policy(f"fixed:{count}", count, count)


def test_a_single_request_takes_what_one_instance_takes_and_the_round_trip(fleet: Fleet, listed: Listed) -> None:
    instance = TgiInstance(fleet.parameters, fleet.limits)
    alone = Request(5.0, 100, 50)
    instance.offer(alone, 5.0)
    while (event := instance.next_event()) is not None:
        instance.advance(event)
    summary = simulate(listed([5.0]), fleet, fixed(1)).summary
    assert summary.latency_s == pytest.approx([alone.latency + fleet.parameters.round_trip] * 3)
    assert summary.per_token_ms[0] == pytest.approx(1000 * summary.latency_s[0] / 50)
    assert (summary.requests, summary.answered, summary.refused, summary.timed_out) == (1, 1, 0, 0)


def test_what_is_over_the_concurrency_limit_of_all_instances_is_refused(fleet: Fleet, listed: Listed) -> None:
    limits = replace(fleet.limits, max_concurrent_requests=3)
    summary = simulate(listed([1.0] * 10), replace(fleet, limits=limits), fixed(2)).summary
    assert (summary.answered, summary.refused) == (6, 4)


def test_a_request_that_overruns_is_timed_out_but_holds_its_place_to_its_end(fleet: Fleet, listed: Listed) -> None:
    limits = replace(fleet.limits, max_concurrent_requests=1)
    slow = replace(fleet, limits=limits)
    first = listed([0.0], answer=4000)  # some two minutes
    assert simulate(first, slow, fixed(1)).summary.timed_out == 1
    times = np.array([0.0, ANSWER_LIMIT_S + 10])
    both = Trace(times, np.array([100, 100]), np.array([4000, 10]), 600.0)
    summary = simulate(both, slow, fixed(1)).summary
    assert (summary.timed_out, summary.refused, summary.answered) == (1, 1, 0)
    assert np.isnan(summary.latency_s).all()


def test_instance_hours_count_starting_instances(fleet: Fleet, listed: Listed) -> None:
    policy = Policy("p", 1, 2, "concurrency", 1.0, scale_in_cooldown_s=3600.0)
    trace = listed([0.1 * number for number in range(2000)], duration_s=600.0)
    result = simulate(trace, fleet, policy)
    grown = result.timeline.times[np.argmax(result.timeline.capacity == 2)]
    served = result.timeline.times[np.argmax(result.timeline.in_service == 2)]
    assert (grown, served) == (30.0, 30.0 + fleet.startup_s)
    back = result.timeline.times[result.timeline.capacity == 2][-1] + 10
    assert result.summary.instance_hours == pytest.approx((600 + back - grown) / 3600)


def test_scaling_in_loses_no_request(fleet: Fleet) -> None:
    lengths = TokenSpread(mean=200, p95=600, longest=2000)
    trace = poisson_trace(rate_over_time("burst", 0.2, 6, 1800), 1800, lengths, lengths, seed=3)
    policy = Policy("p", 1, 6, "concurrency", 6.0, scale_out_cooldown_s=30.0, scale_in_cooldown_s=30.0)
    result = simulate(trace, fleet, policy)
    summary = result.summary
    assert (np.diff(result.timeline.in_service) < 0).any()
    assert summary.answered + summary.refused + summary.timed_out == summary.requests
    assert summary.timed_out < summary.requests / 2


@settings(max_examples=40, deadline=None)
@given(
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=150),
    prompt=st.integers(1, 2000),
    answer=st.integers(1, 3000),
    most=st.integers(1, 8),
    target=st.floats(0.5, 6),
)
def test_every_request_is_answered_refused_or_timed_out(
    gaps: list[float], prompt: int, answer: int, most: int, target: float
) -> None:
    times = np.cumsum(gaps)
    trace = Trace(times, np.full(times.size, prompt), np.full(times.size, answer), float(times[-1]) + 60.0)
    limits = RouterLimits(max_batch_total_tokens=8192, max_concurrent_requests=most)
    policy = Policy("p", 1, 4, "concurrency", target, scale_out_cooldown_s=10.0, scale_in_cooldown_s=10.0)
    summary = simulate(trace, replace(FLEET, limits=limits, startup_s=20.0), policy).summary
    assert summary.answered + summary.refused + summary.timed_out == summary.requests == times.size


def test_equal_traces_give_equal_results(fleet: Fleet) -> None:
    lengths = TokenSpread(mean=100, p95=300, longest=1000)
    trace = poisson_trace(rate_over_time("burst", 1, 8, 900), 900, lengths, lengths, seed=5)
    policy = Policy("p", 1, 4, "concurrency", 8.0)
    assert simulate(trace, fleet, policy).summary == simulate(trace, fleet, policy).summary


def test_an_empty_trace_is_refused() -> None:
    with pytest.raises(UserError, match="holds no request"):
        Trace(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 60.0)


def test_latency_over_time_is_that_of_the_requests_of_the_window(fleet: Fleet, listed: Listed) -> None:
    result = simulate(listed([5.0, 305.0], duration_s=600.0), fleet, fixed(1))
    shown = ~np.isnan(result.latency.p50_s)
    assert result.latency.times[shown].tolist() == [5.0, 305.0]
    assert result.latency.p50_s[shown] == pytest.approx([result.summary.latency_s[0]] * 2)
    assert result.latency.rate[shown].tolist() == [0.1, 0.1]


def test_an_instance_that_is_added_soon_after_a_removal_is_a_flap() -> None:
    burst = poisson_trace(rate_over_time("climb", 4, 24, 3600, 0), 3600, 300, 150, seed=1)
    scaled = Policy("scaled", 3, 14, "concurrency", 16, 60, 300)
    assert simulate(burst, FLEET, scaled).summary.flaps > 0
    assert simulate(burst, FLEET, fixed(11)).summary.flaps == 0


def test_a_stream_has_longer_and_its_first_token_comes_before_its_end(listed: Listed) -> None:
    trace = replace(listed([0.0]), outputs=np.array([3000]))
    whole, streamed = (
        simulate(trace, replace(FLEET, answer_limit_s=limit), fixed(1)).summary for limit in (ANSWER_LIMIT_S, 480.0)
    )
    assert (whole.timed_out, streamed.timed_out) == (1, 0)
    assert 0 < streamed.first_token_s[0] < 1 < ANSWER_LIMIT_S < streamed.latency_s[0]


def test_what_callers_ask_for_at_most_takes_memory(listed: Listed) -> None:
    trace = listed([0.01 * number for number in range(60)])
    asked = replace(trace, max_new_tokens=4000)
    little, much = (simulate(one, FLEET, fixed(1)).summary.latency_s[1] for one in (trace, asked))
    assert much > little
