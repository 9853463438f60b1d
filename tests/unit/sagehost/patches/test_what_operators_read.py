"""Corrections of metrics, scaling activities and log events; moto still needs each of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.logs.models import LogGroup

from sagehost import moto_app, patches
from tests.unit.fresh_accounts import fresh_account

NOW = datetime.now(UTC)
VARIANT = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v"}


@pytest.fixture
def client() -> Callable[[str], Any]:
    account = fresh_account()
    for service in ("iam", "logs", "cloudwatch", "applicationautoscaling"):
        patches.install(service)
    return lambda service: moto_app.client(service, account, "us-east-1")


def uncorrected(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    monkeypatch.setattr(owner, name, getattr(owner, name).__wrapped__)


def percentile(client: Callable[[str], Any], statistic: str) -> list[float]:
    """The percentile of 1 to 100."""
    cloudwatch = client("cloudwatch")
    values = [float(value) for value in range(1, 101)]
    cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "M", "Values": values, "Timestamp": NOW}])
    stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 300, "Stat": statistic}
    queries = [{"Id": "a", "MetricStat": stat}]
    times = {"StartTime": NOW - timedelta(minutes=4), "EndTime": NOW + timedelta(minutes=1)}
    found: list[float] = cloudwatch.get_metric_data(MetricDataQueries=queries, **times)["MetricDataResults"][0][
        "Values"
    ]
    return found


@pytest.mark.parametrize(
    ("statistic", "value"), [("p50", 51), ("p95", 96), ("p99.9", 100), ("p100", 100), ("Sum", 5050)]
)
def test_percentiles_are_answered(client: Callable[[str], Any], statistic: str, value: float) -> None:
    assert percentile(client, statistic) == [value]


def test_there_are_no_scaling_activities(client: Callable[[str], Any]) -> None:
    assert client("application-autoscaling").describe_scaling_activities(**VARIANT)["ScalingActivities"] == []
    added = getattr(ApplicationAutoScalingResponse, "describe_scaling_activities")  # noqa: B009 - mypy knows moto's alone
    assert added.__module__ == "sagehost.patches.applicationautoscaling"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"ServiceNamespace": "nothing"}, "ValidationException"),
        ({"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:Other"}, "ValidationException"),
        (
            {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"},
            "ValidationException",
        ),
        (VARIANT | {"NextToken": "x"}, "InvalidNextTokenException"),
        (VARIANT | {"MaxResults": 51}, "ValidationException"),
    ],
)
def test_wrong_question_for_scaling_activities_is_refused(
    client: Callable[[str], Any], request_: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        client("application-autoscaling").describe_scaling_activities(**request_)
    assert refused.value.response["Error"]["Code"] == code


def messages(client: Callable[[str], Any]) -> list[str]:
    """The events of two streams, as they are listed."""
    logs, group = client("logs"), {"logGroupName": "g"}
    logs.create_log_group(**group)
    for stream, ages in (("a", (4, 2)), ("b", (3, 1))):
        logs.create_log_stream(**group, logStreamName=stream)
        events = [{"timestamp": int(NOW.timestamp() - age) * 1000, "message": str(age)} for age in ages]
        logs.put_log_events(**group, logStreamName=stream, logEvents=events)
    return [event["message"] for event in logs.filter_log_events(**group, interleaved=False)["events"]]


def test_log_events_of_all_streams_are_listed_by_time(client: Callable[[str], Any]) -> None:
    assert messages(client) == ["4", "3", "2", "1"]


def test_moto_lists_log_events_stream_by_stream(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    uncorrected(monkeypatch, LogGroup, "filter_log_events")
    assert messages(client) == ["4", "2", "3", "1"]
