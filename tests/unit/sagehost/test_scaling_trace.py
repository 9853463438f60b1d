"""One trace through `mistral7b simulate`'s fleet and through the embedded AWS: the same instances at the same times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mistral7b.capacity.fleet import exact
from mistral7b.capacity.fleet.arrivals import Pattern, poisson_trace, rate_over_time
from mistral7b.workload import TokenSpread
from sagehost import scaling
from sagehost.clock import CLOCK
from scaling_rules import METRIC_RULES, Alarm, AutoScaling, Change, Policy
from tests.unit.capacity.fleet.conftest import FLEET
from tests.unit.sagehost.scaled_endpoint import HIGH_RESOLUTION, START, ScaledEndpoint

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


def publish(endpoint: ScaledEndpoint, seconds: float) -> None:
    """Puts the requests in flight of each instance, as hosting does."""
    began = START + timedelta(seconds=seconds - PERIOD_S)
    named = {"EndpointName": "e", "VariantName": "v"}
    datum: dict[str, Any] = {"MetricName": RULE.metric, "Timestamp": began.replace(tzinfo=None)}
    datum["Dimensions"] = [{"Name": key, "Value": value} for key, value in named.items()]
    values = [float(one.in_flight) for variant in endpoint.record.running for one in variant.instances]
    endpoint.metrics.put_metric_data("AWS/SageMaker", [datum | {"Values": values, "Counts": [1] * len(values)}])


def evaluate(endpoint: ScaledEndpoint, seconds: float, alarms: list[tuple[Any, Alarm]]) -> None:
    """Evaluates the policy's alarms on the last period, as CloudWatch does."""
    for shown, rule in alarms:
        asked = {key: shown[key] for key in ("Namespace", "MetricName", "Dimensions", "Period")}
        end = START + timedelta(seconds=seconds)
        span = {"StartTime": end - timedelta(seconds=PERIOD_S), "EndTime": end}
        found = endpoint.cloudwatch.get_metric_statistics(**asked, **span, Statistics=[shown["Statistic"]])
        [value] = [one[shown["Statistic"]] for one in found["Datapoints"]]
        above = shown["ComparisonOperator"] == "GreaterThanThreshold"
        if rule.observe(seconds, value > shown["Threshold"] if above else value < shown["Threshold"]):
            scaling.act(endpoint.metrics.alarms[shown["AlarmName"]], value, CLOCK.seconds())


@pytest.mark.parametrize(("pattern", "seed"), [("burst", 3), ("ramp", 5)])
def test_the_embedded_aws_scales_as_simulate_says(pattern: Pattern, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = simulated(monkeypatch, pattern, seed)
    endpoint = Fleet(update_s=FLEET.startup_s, MaxCapacity=POLICY.max_capacity)
    endpoint.put_policy(HIGH_RESOLUTION, ScaleInCooldown=120)
    alarms = list(zip(endpoint.alarms(), (Alarm(RULE.points_out), Alarm(RULE.points_in)), strict=True))
    counts: list[tuple[float, int, int]] = []
    for seconds, in_flight, _, _ in steps:
        endpoint.end_updates(seconds)
        instances = [one for variant in endpoint.record.running for one in variant.instances]
        for number, instance in enumerate(instances):
            instance.in_flight = (int(in_flight) + number) // len(instances)
        endpoint.set(seconds)
        publish(endpoint, seconds)
        evaluate(endpoint, seconds, alarms)
        endpoint.set(seconds)
        counts.append((seconds, *endpoint.count))
    assert len({desired for _, _, desired in counts}) > 2
    assert counts == [(seconds, *after) for seconds, _, *after in steps]
