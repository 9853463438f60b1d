"""Metric filters count log events; the times of these are the clock's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagehost import moto_app, patches
from sagehost.clock import CLOCK
from tests.unit.fresh_accounts import fresh_account

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)  # days after the machine's time


class Logs:
    """A log group with a stream, at noon."""

    def __init__(self) -> None:
        for service in ("iam", "logs"):
            patches.install(service)
        account = fresh_account()
        self.client, self.cloudwatch = (moto_app.client(one, account, "us-east-1") for one in ("logs", "cloudwatch"))
        self.client.create_log_group(logGroupName="g")
        self.client.create_log_stream(logGroupName="g", logStreamName="s")

    def filter(self, pattern: str, **transformation: Any) -> None:
        to = {"metricName": "M", "metricNamespace": "N", "metricValue": "1", **transformation}
        self.client.put_metric_filter(
            logGroupName="g", filterName="f", filterPattern=pattern, metricTransformations=[to]
        )

    def log(self, *messages: str, at: datetime = NOON) -> None:
        events = [{"timestamp": int(at.timestamp() * 1000), "message": one} for one in messages]
        self.client.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)

    def counted(self) -> dict[str, float]:
        """Sum and number of what was counted in the minute."""
        times = {"StartTime": NOON, "EndTime": NOON + timedelta(minutes=1), "Period": 60}
        asked = {"Namespace": "N", "MetricName": "M", "Statistics": ["Sum", "SampleCount"], **times}
        points = self.cloudwatch.get_metric_statistics(**asked)["Datapoints"]
        return {name: one[name] for one in points for name in ("Sum", "SampleCount")}


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    CLOCK.set(NOON)
    yield
    CLOCK.set(datetime.now(UTC))


@pytest.fixture
def logs() -> Logs:
    return Logs()


def test_events_with_the_term_are_counted_when_they_happened(logs: Logs) -> None:
    logs.filter('"no permits available"')
    logs.log("ERROR no permits available", "started", "no permits available", "No permits available")
    assert logs.counted() == {"Sum": 2, "SampleCount": 2}


def test_all_terms_of_a_pattern_must_be_there(logs: Logs) -> None:
    logs.filter('ERROR "is full"')
    logs.log("ERROR", "the queue is full", "ERROR: the queue is full")
    assert logs.counted() == {"Sum": 1, "SampleCount": 1}


def test_an_event_without_the_term_counts_the_default_value(logs: Logs) -> None:
    logs.filter("ERROR", defaultValue=0.0)
    logs.log("fine", "ERROR")
    assert logs.counted() == {"Sum": 1, "SampleCount": 2}


def test_without_a_default_value_nothing_is_counted(logs: Logs) -> None:
    logs.filter("ERROR")
    logs.log("fine")
    assert logs.counted() == {}


@pytest.mark.parametrize("age", [timedelta(days=15), timedelta(hours=-3)])
def test_events_that_are_too_old_or_too_new_are_not_counted(logs: Logs, age: timedelta) -> None:
    logs.filter("ERROR")
    logs.log("ERROR", at=NOON - age)
    assert logs.cloudwatch.list_metrics()["Metrics"] == []


def test_an_empty_pattern_counts_all_events_by_their_value(logs: Logs) -> None:
    logs.filter("", metricValue="2.5")
    logs.log("one", "two")
    assert logs.counted() == {"Sum": 5, "SampleCount": 2}


def test_a_filter_that_is_put_again_replaces_the_first(logs: Logs) -> None:
    logs.filter("ERROR")
    logs.filter("WARN")
    logs.log("ERROR", "WARN")
    assert logs.counted() == {"Sum": 1, "SampleCount": 1}
    assert len(logs.client.describe_metric_filters()["metricFilters"]) == 1


def test_events_are_accepted_by_the_time_of_the_clock(logs: Logs) -> None:
    logs.log("now")
    [event] = logs.client.filter_log_events(logGroupName="g")["events"]
    assert event["ingestionTime"] >= NOON.timestamp() * 1000


@given(words=st.lists(st.from_regex(r"[a-zA-Z0-9_]{1,5}", fullmatch=True), min_size=1, max_size=4))
def test_a_pattern_of_words_matches_the_message_of_them(words: list[str]) -> None:
    logs = Logs()
    logs.filter(" ".join(words))
    logs.log(" ".join(reversed(words)))
    [metric] = logs.cloudwatch.list_metrics()["Metrics"]
    assert metric["MetricName"] == "M"
