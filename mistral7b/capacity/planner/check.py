"""A plan, simulated request by request: routing and auto scaling, which the plan itself leaves out."""

from dataclasses import dataclass, replace

import numpy as np

from mistral7b.capacity.fleet.arrivals import Rate, poisson_trace
from mistral7b.capacity.fleet.exact import Summary, simulate
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.plan import Plan
from scaling_rules import Policy

AVERAGE = "an hour of the average"
"""Name of the scenario whose instances are what the average costs."""

_PEAK_REQUESTS = 10_000
# Of the scenarios with auto scaling, which take their time whatever the rate; more requests would take too long.
_MOST_REQUESTS = 15_000
_AVERAGE_S = 3600.0
_AFTER_CLIMB_S = 900.0
# The template's cool-downs.
_OUT_S, _IN_S = 60.0, 300.0


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


def check(plan: Plan, parameters: PerformanceParameters) -> list[Scenario]:
    """The peak with all instances; an hour of the average, and the climb to the peak, both under auto scaling.

    Scenarios of more than 15,000 requests are left out, and so is everything where callers' `max_new_tokens` are given:
    the fleet's traces have no such thing.
    """
    if plan.workload.max_new_tokens is not None:
        return []
    settings, rate, most = plan.settings, plan.workload.requests_per_second, plan.settings.max_total_tokens
    limits = replace(plan.option.candidate.limits, max_concurrent_requests=settings.max_concurrent_requests)
    # Lengths of the plan's own requests, drawn at random.
    requests = plan.option.candidate.requests
    inputs, outputs = [one.input_tokens for one in requests], [one.output_tokens for one in requests]
    scaling = Policy(
        "planned", settings.min_instances, settings.max_instances, "concurrency", settings.target_concurrent_requests,
        _OUT_S, _IN_S,
    )  # fmt: skip
    fixed = Policy("all instances", settings.max_instances, settings.max_instances)
    climb_s = 60 * plan.workload.climb_minutes

    def climb(low: float, high: float) -> Rate:
        return lambda times: low + (high - low) * np.minimum(1.0, times / max(climb_s, 1.0))

    found = []
    for name, low, high, duration, policy in (
        ("peak, all instances", rate.peak, rate.peak, _PEAK_REQUESTS / rate.peak, fixed),
        (AVERAGE, rate.average, rate.average, _AVERAGE_S, scaling),
        ("the climb, and 15 minutes", rate.average, rate.peak, climb_s + _AFTER_CLIMB_S, scaling),
    ):
        if high * duration <= _MOST_REQUESTS:
            trace = poisson_trace(climb(low, high), duration, inputs, outputs, seed=1, max_total_tokens=most)
            found.append(Scenario(name, duration, simulate(trace, Fleet(parameters, limits), policy).summary))
    return found
