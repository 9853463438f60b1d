"""A plan, simulated request by request: routing and auto scaling, which its closed forms leave out."""

from dataclasses import dataclass, replace

import numpy as np

from mistral7b.capacity.fleet.arrivals import poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import Summary, simulate
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.candidates import Pinned
from mistral7b.capacity.planner.search import Option
from mistral7b.workload import Workload
from scaling_rules import Policy

AVERAGE, PEAK, CLIMB, BURST = "average", "peak", "climb", "burst"
SCENARIOS = {
    PEAK: "all instances at the peak, 10,000 requests",
    AVERAGE: "the average for 1 to 4 hours, instances scale",
    CLIMB: "the climb, 15 minutes of the peak, and back, instances scale",
    BURST: "the peak at once, for half an hour, instances scale",
}

_PEAK_REQUESTS, _AVERAGE_REQUESTS = 10_000, 20_000
# More would take too long: a burst runs once, the others for each target that is tried.
_MOST_REQUESTS = {AVERAGE: 30_000, CLIMB: 30_000, BURST: 60_000, PEAK: 60_000}
_PEAK_AFTER_CLIMB_S, _BURST_S = 900.0, 1800.0
_LONGER_S = (600, 1200, 2400, 3600)


@dataclass(frozen=True)
class Scenario:
    """One simulation: what came, and what became of it."""

    name: str
    duration_s: float
    summary: Summary

    @property
    def mean_instances(self) -> float:
        """Instances over the time, starting ones included."""
        return self.summary.instance_hours * 3600 / self.duration_s

    @property
    def lost(self) -> float:
        """Share of the requests that were refused or timed out."""
        return (self.summary.refused + self.summary.timed_out) / self.summary.requests


def climb_duration(climb_s: float) -> float:
    """Seconds of the climb's scenario: a quarter at the average, half of it climb and peak, and a quarter again."""
    return 2 * (climb_s + _PEAK_AFTER_CLIMB_S)


def run(
    name: str, workload: Workload, option: Option, parameters: PerformanceParameters, pinned: Pinned
) -> Scenario | None:
    """One of SCENARIOS, with lengths drawn from the plan's own requests; None if it has too many requests."""
    settings, rate = option.settings, workload.requests_per_second
    policy = Policy(
        "planned", settings.min_instances, settings.max_instances, "concurrency", settings.target_concurrent_requests,
        float(pinned.scale_out_cooldown_seconds), float(pinned.scale_in_cooldown_seconds),
    )  # fmt: skip
    high, climb_s = rate.peak, 60 * workload.climb_minutes
    if name == PEAK:
        duration, climb_s = _PEAK_REQUESTS / rate.peak, 0.0
        policy = Policy(name, settings.max_instances, settings.max_instances)
    elif name == AVERAGE:
        duration, high = min(4 * 3600.0, max(3600.0, _AVERAGE_REQUESTS / rate.average)), rate.average
    elif name == CLIMB:
        duration = climb_duration(climb_s)
    else:
        duration, climb_s = 2 * _BURST_S, 0.0
    rates = rate_over_time("climb", high if name == PEAK else rate.average, high, duration, climb_s)
    if np.mean(rates(np.linspace(0, duration, 1000))) * duration > _MOST_REQUESTS[name]:
        return None
    requests = option.candidate.requests
    limits = replace(option.candidate.limits, max_concurrent_requests=settings.max_concurrent_requests)
    trace = poisson_trace(
        rates,
        duration,
        [one.input_tokens for one in requests],
        [one.output_tokens for one in requests],
        seed=1,
        max_total_tokens=settings.max_total_tokens,
        max_new_tokens=workload.max_new_tokens or 0,
    )
    fleet = Fleet(parameters, limits, answer_limit_s=workload.answer_limit_s)
    return Scenario(name, duration, simulate(trace, fleet, policy).summary)


def calmed(workload: Workload, option: Option, parameters: PerformanceParameters, pinned: Pinned) -> int | None:
    """Seconds of the shortest scale-in cool-down with which the burst's instances are not taken away and added again.

    None if no cool-down helps.
    """
    for seconds in _LONGER_S:
        longer = replace(pinned, scale_in_cooldown_seconds=seconds)
        burst = run(BURST, workload, option, parameters, longer)
        if burst is not None and not burst.summary.flaps:
            return seconds
    return None
