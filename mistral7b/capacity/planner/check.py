"""A plan, simulated request by request: routing and auto scaling, which its closed forms leave out."""

from dataclasses import dataclass, replace

import numpy as np

from mistral7b.capacity.fleet.arrivals import poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import Summary, simulate
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.candidates import Pinned
from mistral7b.capacity.planner.search import Option
from mistral7b.workload import LATENCIES, Workload
from scaling_rules import Policy

AVERAGE, PEAK, CLIMB, BURST = "average", "peak", "climb", "burst"
SCENARIOS = {
    PEAK: "10,000 requests to all instances",
    AVERAGE: "1 to 4 hours of it",
    CLIMB: "the climb, 15 minutes of the peak, and back",
    BURST: "half an hour of the peak at once",
}

_PEAK_REQUESTS, _AVERAGE_REQUESTS, _MOST_REQUESTS = 10_000, 20_000, 50_000
_PEAK_AFTER_CLIMB_S, _BURST_S = 900.0, 1800.0


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
        """Share of the requests that are refused or exceed SageMaker's time limit."""
        return (self.summary.refused + self.summary.timed_out) / self.summary.requests

    @property
    def latencies(self) -> dict[str, float]:
        """By the objective's fields."""
        s = self.summary
        values = (*s.per_token_ms[:2], *s.latency_s[:2], *s.first_token_s[:2])
        return dict(zip(LATENCIES, values, strict=True))


def climb_duration(climb_s: float) -> float:
    """Seconds of the climb's scenario: a quarter at the average, a half climb and peak, a quarter at the average."""
    return 2 * (climb_s + _PEAK_AFTER_CLIMB_S)


def run(
    name: str, workload: Workload, option: Option, parameters: PerformanceParameters, pinned: Pinned
) -> Scenario | None:
    """One of SCENARIOS, with lengths drawn from the plan's own requests; None if it has too many requests."""
    settings, rate, climb_s = option.settings, workload.requests_per_second, 60 * workload.climb_minutes
    low, high, duration, climb_s = {
        PEAK: (rate.peak, rate.peak, _PEAK_REQUESTS / rate.peak, 0.0),
        AVERAGE: (rate.average, rate.average, min(4 * 3600.0, max(3600.0, _AVERAGE_REQUESTS / rate.average)), 0.0),
        CLIMB: (rate.average, rate.peak, climb_duration(climb_s), climb_s),
        BURST: (rate.average, rate.peak, 2 * _BURST_S, 0.0),
    }[name]
    rates = rate_over_time("climb", low, high, duration, climb_s)
    if np.mean(rates(np.linspace(0, duration, 1000))) * duration > _MOST_REQUESTS:
        return None
    fewest = settings.max_instances if name == PEAK else settings.min_instances
    policy = Policy(
        "planned", fewest, settings.max_instances, "concurrency", settings.target_concurrent_requests,
        float(settings.scale_out_cooldown_seconds), float(pinned.scale_in_cooldown_seconds),
    )  # fmt: skip
    requests, most = option.candidate.requests, settings.max_total_tokens
    inputs, outputs = [one.input_tokens for one in requests], [one.output_tokens for one in requests]
    trace = poisson_trace(rates, duration, inputs, outputs, seed=1, max_total_tokens=most)
    limits = replace(option.candidate.limits, max_concurrent_requests=settings.max_concurrent_requests)
    fleet = Fleet(parameters, limits, answer_limit_s=workload.answer_limit_s)
    return Scenario(
        name, duration, simulate(replace(trace, max_new_tokens=workload.max_new_tokens or 0), fleet, policy).summary
    )
