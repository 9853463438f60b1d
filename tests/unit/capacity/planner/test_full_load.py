"""Instances with a fixed number in flight, worked by hand."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.memory import max_batch_total_tokens
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.full_load import full_load
from mistral7b.capacity.planner.lengths import Lengths, quantile, requests_of
from mistral7b.capacity.planner.service import SATURATION, Service
from mistral7b.workload import Objective, TokenSpread
from tests.unit.capacity.planner.conftest import PARAMETERS, make_workload

Limits = Callable[..., RouterLimits]
SAME = [Lengths(100, 6, 6)] * 50


def test_a_request_alone_takes_its_prefill_and_a_step_for_each_further_token(
    simple: PerformanceParameters, limits: Limits
) -> None:
    alone = full_load(1, SAME, simple, limits())
    assert alone.container_s == pytest.approx([15.0] * 50)
    assert alone.requests_per_s == pytest.approx(1 / 15)
    assert alone.ms_per_token == pytest.approx([2500.0] * 50)


def test_the_clients_wait_has_the_round_trip_and_the_60_seconds_have_not(
    simple: PerformanceParameters, limits: Limits
) -> None:
    alone = full_load(1, SAME, replace(simple, round_trip=2.0), limits())
    assert (alone.seconds[0], alone.container_s[0]) == pytest.approx((17.0, 15.0))


def test_what_the_cache_does_not_hold_waits_in_the_queue(simple: PerformanceParameters, limits: Limits) -> None:
    room_for_one = limits(max_batch_total_tokens=128)
    held = full_load(4, SAME, simple, room_for_one)
    assert held.requests_per_s == pytest.approx(1 / 15, rel=0.02)


def test_requests_represent_mean_and_quantile_of_their_distribution() -> None:
    requests = requests_of(make_workload())
    outputs = sorted(one.output_tokens for one in requests)
    assert sum(outputs) / len(outputs) == pytest.approx(100, rel=0.01)
    assert outputs[int(0.95 * len(outputs))] == pytest.approx(250, rel=0.02)
    assert requests == requests_of(make_workload())


def test_prompts_and_answers_are_independent() -> None:
    requests = requests_of(make_workload())
    long_prompts = [one for one in requests if one.input_tokens > quantile(TokenSpread(mean=300, p95=900), 0.8)]
    answers = [one.output_tokens for one in long_prompts]
    assert sum(answers) / len(answers) == pytest.approx(100, rel=0.03)


def test_samples_are_each_as_likely() -> None:
    requests = requests_of(make_workload(input_tokens=[10, 20, 20, 30]))
    share = sum(one.input_tokens == 20 for one in requests) / len(requests)
    assert share == pytest.approx(0.5, abs=0.002)


def service(**changed: int) -> Service:
    """An instance of the published benchmark."""
    room = max_batch_total_tokens(max_batch_prefill_tokens=4096)
    limits = RouterLimits(**{"max_batch_total_tokens": room, "max_concurrent_requests": 1 << 30} | changed)
    return Service(
        requests_of(make_workload(input_tokens={"mean": 300, "p95": 900, "longest": 3000})), PARAMETERS, limits
    )


def test_one_more_in_flight_than_is_allowed_breaks_the_objective() -> None:
    instance = service()
    objective = Objective(p95_ms_per_token=90)
    allowed = instance.allowed(objective)
    below, above = (
        full_load(count, instance.requests, PARAMETERS, instance.limits).ms_per_token
        for count in (allowed.in_flight, round(1.1 * allowed.in_flight) + 1)
    )
    place = int(0.95 * len(below))
    assert allowed.bound_by == "p95_ms_per_token"
    assert below[place] <= 90 * 1.02  # between the simulated loads it is interpolated
    assert above[place] > 90


def test_an_instance_that_is_full_is_not_given_more() -> None:
    assert service(max_batch_total_tokens=8000).allowed(Objective(p50_ms_per_token=60_000)).bound_by == SATURATION


def test_the_60_seconds_bind_where_no_latency_does() -> None:
    allowed = service().allowed(Objective(p50_ms_per_token=60_000, lost_percent=0.1))
    assert allowed.bound_by == "the time limit"
