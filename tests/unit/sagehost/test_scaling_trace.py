"""One trace through `mistral7b simulate`'s fleet and through the embedded AWS: the same instances at the same times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mistral7b.capacity.fleet import exact
from mistral7b.capacity.fleet.arrivals import Pattern, poisson_trace, rate_over_time
from mistral7b.workload import TokenSpread
from sagehost.clock import CLOCK
from scaling_rules import METRIC_RULES, AutoScaling, Change, Policy
from tests.unit.capacity.fleet.conftest import FLEET
from tests.unit.sagehost.scaled_endpoint import HIGH_RESOLUTION, ScaledEndpoint

PERIOD_S = 10
RULE = METRIC_RULES["concurrency"]
POLICY = Policy("p", 1, 6, "concurrency", 10.0, scale_out_cooldown_s=60.0, scale_in_cooldown_s=120.0)
Step = tuple[float, float, int, int]
"""Seconds, requests in flight, and the instances in service and desired after it."""


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    CLOCK.set(datetime.now(UTC))


class Fleet(ScaledEndpoint):
    """An endpoint whose instances come into service as those of the simulation: they leave at once."""

    def duration(self) -> float:
        in_service, desired = self.count
        return super().duration() if desired > in_service else 0.0


def simulated(monkeypatch: pytest.MonkeyPatch, pattern: Pattern, seed: int) -> list[Step]:
    """What the simulated fleet does with a trace, every ten seconds."""
    steps: list[Step] = []

    class Recorded(AutoScaling):
        def step(self, now: float, in_flight: float, invocations: float) -> Change:
            change = super().step(now, in_flight, invocations)
            steps.append((now, in_flight, self.in_service, self.capacity))
            return change

    monkeypatch.setattr(exact, "AutoScaling", Recorded)
    lengths = TokenSpread(mean=200, p95=600, longest=2000)
    trace = poisson_trace(rate_over_time(pattern, 0.4, 6, 1800), 1800, lengths, lengths, seed=seed)
    exact.simulate(trace, FLEET, POLICY)
    return steps


@pytest.mark.parametrize(("pattern", "seed"), [("burst", 3), ("ramp", 5)])
def test_the_embedded_aws_scales_as_simulate_says(pattern: Pattern, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = simulated(monkeypatch, pattern, seed)
    endpoint = Fleet(speed=1.0, update_s=FLEET.startup_s, MaxCapacity=POLICY.max_capacity)
    endpoint.put_policy(HIGH_RESOLUTION, ScaleInCooldown=120)
    counts: list[tuple[float, int, int]] = []
    for seconds, in_flight, _, _ in steps:
        endpoint.end_updates(seconds)
        instances = [one for variant in endpoint.record.running for one in variant.instances]
        for number, instance in enumerate(instances):
            instance.in_flight = (int(in_flight) + number) // len(instances)
        endpoint.set(seconds)
        endpoint.set(seconds)  # instances that leave do so at once
        counts.append((seconds, *endpoint.count))
    assert len({desired for _, _, desired in counts}) > 2
    assert counts == [(seconds, *after) for seconds, _, *after in steps]
