"""Alarms that have to be quiet after a deployment, on a clock that runs ahead while the check sleeps."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mistral7b.operate.smoke import alarms
from mistral7b.operate.smoke.alarms import stay_quiet
from mistral7b.operate.smoke.answers import CheckResult
from sagehost import moto_app
from tests.unit.operate.conftest import environment

ENV = environment({}, alarms={"without": ["latency"]})
LATE, ERRORS = "mistral-7b-instruct-dev-gpu-memory", "mistral-7b-instruct-dev-server-errors"
_ACCOUNTS = itertools.count(700_000_000_000)


class World:
    """A deployed environment's alarms, and what happens to them after so many minutes of waiting."""

    def __init__(self) -> None:
        self.cloudwatch = moto_app.client("cloudwatch", str(next(_ACCOUNTS)), "us-east-1")
        self.ahead, self.deployed, self.speed = timedelta(), datetime.now(UTC), 1.0
        self.later: dict[int, Callable[[], None]] = {}
        for name in ENV.alarm_names:
            self.cloudwatch.put_metric_alarm(
                **{"AlarmName": name, "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60},
                **{"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"},
            )

    def set(self, name: str, state: str) -> None:
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"{state}, as the test says")

    def deploy(self) -> None:
        self.deployed = datetime.now(UTC)

    def check(self, minutes: int = 30) -> CheckResult:
        return stay_quiet(lambda service: self if service == "cloudformation" else self.cloudwatch, ENV, minutes)

    def describe_stack_resources(self, StackName: str) -> dict[str, Any]:
        assert StackName == "mistral-7b-dev-endpoint"
        return {"StackResources": [{"Timestamp": self.deployed - timedelta(hours=hours)} for hours in (1, 0)]}

    def now(self, zone: Any) -> datetime:
        return datetime.now(zone) + self.ahead

    def clock(self) -> tuple[datetime, float]:
        return datetime.now(UTC) + self.ahead * self.speed, self.speed

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)
        for minute in [one for one in self.later if timedelta(minutes=one) <= self.ahead]:
            self.later.pop(minute)()

    @property
    def waited(self) -> float:
        return self.ahead.total_seconds() / 60


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(alarms, "datetime", made)
    monkeypatch.setattr(alarms, "clock", made.clock)
    monkeypatch.setattr(time, "sleep", made.sleep)
    return made


def test_alarms_that_stay_quiet_pass_after_these_minutes(world: World) -> None:
    world.set(LATE, "OK")
    result = world.check()
    assert (result.passed, result.got) == (True, f"{len(ENV.alarm_names)} alarms are quiet")
    assert world.waited == pytest.approx(30, abs=1)


def test_minutes_count_from_the_deployment(world: World) -> None:
    world.deployed -= timedelta(minutes=20)
    assert world.check().passed
    assert world.waited == pytest.approx(10, abs=1)


def test_minutes_are_of_the_embedded_aws_whose_clock_runs_faster(world: World) -> None:
    world.speed, world.deployed = 20.0, world.deployed - timedelta(minutes=1)
    assert world.check().passed
    assert world.waited == pytest.approx(0.5, abs=1)


def test_an_alarm_that_goes_off_fails_at_once_with_time_and_reason(world: World) -> None:
    world.later[5] = lambda: world.set(ERRORS, "ALARM")
    result = world.check()
    assert not result.passed
    assert world.waited == pytest.approx(5, abs=0.5)
    assert re.fullmatch(rf"{ERRORS} went off at \d\d:\d\d:\d\d UTC: ALARM, as the test says", result.got)


def test_an_alarm_that_has_ended_by_now_fails_too(world: World) -> None:
    world.set(ERRORS, "ALARM")
    world.set(ERRORS, "OK")
    result = world.check()
    assert not result.passed
    assert f"{ERRORS} went off at" in result.got


def test_an_alarm_before_the_deployment_does_not_count(world: World) -> None:
    world.set(ERRORS, "ALARM")
    world.set(ERRORS, "OK")
    world.deploy()
    assert world.check().passed


def test_an_alarm_that_the_deployment_ends_lets_the_minutes_begin_anew(world: World) -> None:
    world.set(ERRORS, "ALARM")
    world.deploy()
    world.later[4] = lambda: world.set(ERRORS, "OK")
    assert world.check().passed
    assert world.waited == pytest.approx(34, abs=0.5)


def test_an_alarm_that_the_deployment_does_not_end_fails(world: World) -> None:
    world.set(ERRORS, "ALARM")
    world.deploy()
    result = world.check()
    assert (result.passed, result.got) == (False, f"{ERRORS} is still on: ALARM, as the test says")
    assert world.waited == pytest.approx(10, abs=0.5)


def test_an_alarm_that_is_not_deployed_fails(world: World) -> None:
    world.cloudwatch.delete_alarms(AlarmNames=[LATE])
    result = world.check()
    assert (result.passed, result.got) == (False, f"{LATE} is missing")
