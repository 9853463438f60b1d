"""Thresholds of alarms that come from other fields."""

from typing import Any, get_args

import pytest

from mistral7b.environment import Environment
from mistral7b.environment.schema import AlarmKind


def environment(**values: Any) -> Environment:
    return Environment.model_validate({"name": "dev", "region": "us-east-1", **values})


def workload(**objective: float) -> dict[str, Any]:
    return {
        "input_tokens": 100,
        "output_tokens": 200,
        "requests_per_second": {"average": 1, "peak": 2},
        "objective": objective,
    }


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ({"p95_seconds": 12}, ("p95", 12)),
        ({"p50_seconds": 4}, ("p50", 4)),
        ({"p50_seconds": 4, "p95_ms_per_token": 50}, ("p95", 10)),
        ({"p95_seconds": 12, "p95_ms_per_token": 50}, ("p95", 12)),
        ({"p50_ms_per_token": 1000}, ("p50", 55)),
    ],
)
def test_latency_alarm_follows_the_objective(objective: dict[str, float], expected: tuple[str, float]) -> None:
    assert environment(alarms={}, workload=workload(**objective)).latency_objective == expected


def test_a_streams_latency_alarm_is_about_its_end_not_its_first_token() -> None:
    whole, first = (
        environment(alarms={}, workload=workload(p95_first_token_seconds=2, **more) | {"streaming": True})
        for more in ({"p95_seconds": 300}, {})
    )
    assert whole.latency_objective == ("p95", 300)
    assert first.latency_objective == ("p90", 30)


def test_a_given_latency_replaces_that_of_the_objective() -> None:
    env = environment(alarms={"latency": 3.5}, workload=workload(p95_seconds=12))
    assert env.latency_objective == ("p90", 3.5)


def test_refusal_alarm_is_half_of_what_may_be_lost() -> None:
    env = environment(alarms={}, workload=workload(p95_seconds=12, lost_percent=3))
    assert env.alarm_thresholds["refused_requests"] == 1.5
    assert environment(alarms={}).alarm_thresholds["refused_requests"] == 1


def test_every_kind_has_a_threshold_unless_it_is_left_out() -> None:
    assert list(environment(alarms={}).alarm_thresholds) == [*get_args(AlarmKind)]
    assert "gpu_memory" not in environment(alarms={"without": ["gpu_memory"]}).alarm_thresholds
    assert environment().alarm_thresholds == {}


def test_an_endpoint_with_office_hours_has_no_alarm_on_missing_instances() -> None:
    env = environment(alarms={}, office_hours={"time_zone": "UTC", "weekdays": "08:00-19:00"})
    assert "no_healthy_instance" not in env.alarm_thresholds
