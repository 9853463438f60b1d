"""The fast engine against the exact one, and on its own."""

from dataclasses import replace

import numpy as np
import pytest

from mistral7b.capacity.fleet import (
    BinnedTrace,
    ConstantLength,
    Fleet,
    LognormalLength,
    PoissonTrace,
    Policy,
    ServiceCurve,
    Summary,
    bin_trace,
    burst,
    collect,
    constant,
    measure_service,
    simulate,
    simulate_fast,
)
from mistral7b.capacity.fleet.arrivals import Rate
from mistral7b.capacity.scaling_policy import Metric
from tests.unit.capacity.fleet.conftest import FLEET

INPUTS, OUTPUTS = LognormalLength(300, 900, 4000), LognormalLength(150, 400, 2000)


def trace_of(rate: Rate, duration: float = 3600.0) -> PoissonTrace:
    """Requests of mixed lengths."""
    return PoissonTrace(rate, duration, INPUTS, OUTPUTS, seed=2)


@pytest.fixture(scope="module")
def curve() -> ServiceCurve:
    """Service of the fixture's instances on these lengths, measured once."""
    return measure_service(FLEET, bin_trace(trace_of(constant(5))).sample)


def both(trace: PoissonTrace, curve: ServiceCurve, fleet: Fleet, policy: Policy) -> tuple[Summary, Summary]:
    """The exact and the fast result."""
    return simulate(trace, fleet, policy).summary, simulate_fast(bin_trace(trace), curve, fleet, policy).summary


def assert_close(exact: Summary, fast: Summary) -> None:
    """Within 5%: latency, instance-hours; shares of refused and timed-out requests within 5% or half a point."""
    assert fast.requests == exact.requests
    assert fast.latency_s[:2] == pytest.approx(exact.latency_s[:2], rel=0.05)
    assert fast.instance_hours == pytest.approx(exact.instance_hours, rel=0.05)
    for fast_count, exact_count in ((fast.refused, exact.refused), (fast.timed_out, exact.timed_out)):
        assert fast_count / fast.requests == pytest.approx(exact_count / exact.requests, rel=0.05, abs=0.005)


@pytest.mark.parametrize(("instances", "per_instance"), [(1, 0.5), (4, 2.0), (4, 3.5), (4, 8.0)])
def test_fast_agrees_with_exact_from_idle_to_overload(
    fleet: Fleet, curve: ServiceCurve, instances: int, per_instance: float
) -> None:
    trace = trace_of(constant(instances * per_instance), 1800.0)
    assert_close(*both(trace, curve, fleet, Policy("fixed", instances, instances)))


@pytest.mark.parametrize(("metric", "target"), [("concurrency", 16.0), ("invocations", 90.0)])
def test_fast_agrees_with_exact_while_scaling_through_a_burst(
    fleet: Fleet, curve: ServiceCurve, metric: Metric, target: float
) -> None:
    policy = Policy("p", 2, 10, metric, target, scale_out_cooldown_s=60.0)
    assert_close(*both(trace_of(burst(3, 15, 900, 1200)), curve, replace(fleet, startup_s=240.0), policy))


def test_fast_agrees_with_exact_under_random_routing(fleet: Fleet) -> None:
    spread = replace(fleet, routing="random")
    trace = trace_of(constant(8), 1800.0)
    own = measure_service(spread, bin_trace(trace).sample)
    assert_close(*both(trace, own, spread, Policy("fixed", 4, 4)))


def test_every_request_of_a_flow_ends_in_one_way(fleet: Fleet, curve: ServiceCurve) -> None:
    policy = Policy("p", 1, 6, "concurrency", 10.0, scale_out_cooldown_s=30.0, scale_in_cooldown_s=30.0)
    summary = simulate_fast(bin_trace(trace_of(burst(1, 20, 900, 600))), curve, fleet, policy).summary
    assert summary.answered + summary.refused + summary.timed_out == pytest.approx(summary.requests)
    assert min(summary.answered, summary.refused, summary.timed_out) > 0


def test_a_flow_is_deterministic(fleet: Fleet, curve: ServiceCurve) -> None:
    policy = Policy("p", 1, 6, "concurrency", 10.0)
    binned = bin_trace(trace_of(burst(1, 8, 900, 600)))
    assert simulate_fast(binned, curve, fleet, policy).summary == simulate_fast(binned, curve, fleet, policy).summary


def binned(trace: PoissonTrace) -> tuple[BinnedTrace, np.ndarray]:
    """A trace's counts, and its answer lengths."""
    return bin_trace(trace), collect(trace, 100_000).outputs


def test_counts_keep_every_request_in_its_second_and_class() -> None:
    trace = trace_of(constant(3), 500.0)
    counted, outputs = binned(trace)
    times = collect(trace, 10_000).times
    assert counted.counts.sum(axis=1).tolist() == np.bincount(times.astype(int), minlength=500).tolist()
    for place, (low, high) in enumerate(zip(counted.shortest, counted.longest, strict=True)):
        inside = outputs[(outputs >= low) & (outputs <= high)]
        assert counted.counts[:, place].sum() == inside.size
        assert counted.mean[place] == pytest.approx(inside.mean())


def test_a_constant_length_is_one_class() -> None:
    counted = bin_trace(PoissonTrace(constant(3), 100.0, ConstantLength(50), ConstantLength(77), seed=1))
    assert (counted.shortest.tolist(), counted.longest.tolist(), counted.mean.tolist()) == ([77], [77], [77.0])


def test_the_sample_of_lengths_is_spread_over_the_whole_trace() -> None:
    counted, outputs = binned(trace_of(constant(12)))
    assert 4096 < counted.sample.outputs.size <= 8192
    assert counted.sample.outputs.mean() == pytest.approx(outputs.mean(), rel=0.03)
    assert counted.sample.outputs[-1] in outputs[-16:]
