"""Alarms change their state by themselves, on a clock that the tests set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudwatch.models import Alarm

from sagehost import alarms, moto_app, patches
from sagehost.clock import CLOCK
from sagehost.hosting.endpoints import HOSTED
from tests.unit.fresh_accounts import fresh_account

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
ALARM: dict[str, Any] = {
    "AlarmName": "a",
    "Namespace": "N",
    "MetricName": "M",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
ARN = "arn:aws:cloudwatch:us-east-1:{}:alarm:a"


class World:
    """An account, and a clock that is at noon."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        patches.install("iam")
        self.account, self.now = fresh_account(), NOON
        self.cloudwatch = self.client("cloudwatch")
        monkeypatch.setattr(HOSTED, "clock", CLOCK)
        CLOCK.set(NOON)

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.account, "us-east-1")

    def alarm(self, **changes: Any) -> None:
        given = {**ALARM, **changes}
        self.cloudwatch.put_metric_alarm(**{name: value for name, value in given.items() if value is not None})

    def measure(self, *values: float, name: str = "M", period: int = 60) -> None:
        """Puts the values of the period that ends next."""
        datum = {"MetricName": name, "Timestamp": self.now, "Values": [*values]}
        if values:
            self.cloudwatch.put_metric_data(Namespace="N", MetricData=[datum])
        assert self.now.timestamp() % period == 0

    def passes(self, seconds: int = 60) -> None:
        self.now += timedelta(seconds=seconds)
        CLOCK.set(self.now)

    def minutes(self, *values: float | None) -> list[str]:
        """The states after minutes with these values."""
        states = []
        for value in values:
            self.measure(*([] if value is None else [value]))
            self.passes()
            states.append(self.shown()["StateValue"])
        return states

    def shown(self) -> dict[str, Any]:
        [alarm] = self.cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"]
        return dict(alarm)

    def queue(self, name: str) -> str:
        """Makes a queue; its ARN."""
        self.client("sqs").create_queue(QueueName=name)
        return f"arn:aws:sqs:us-east-1:{self.account}:{name}"

    def received(self, queue: str) -> list[dict[str, Any]]:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
        return [
            json.loads(one["Body"])
            for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        ]

    def topic(self, *services: str) -> str:
        """Makes a topic to which services may publish."""
        topic = str(self.client("sns").create_topic(Name="t")["TopicArn"])
        allowed = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic, "Principal": {"Service": [*services]}}
        policy = json.dumps({"Statement": [allowed]})
        self.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        return topic


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(monkeypatch)
    yield world
    world.cloudwatch.delete_alarms(
        AlarmNames=[one["AlarmName"] for one in world.cloudwatch.describe_alarms()["MetricAlarms"]]
    )
    monkeypatch.undo()
    CLOCK.set(datetime.now(UTC))


def test_an_alarm_begins_with_insufficient_data(world: World) -> None:
    world.alarm()
    assert world.shown()["StateValue"] == "INSUFFICIENT_DATA"


def test_an_alarm_goes_off_after_its_evaluation_periods_and_ends(world: World) -> None:
    world.alarm()
    assert world.minutes(9, 9, 9, 9, 1) == ["OK", "OK", "ALARM", "ALARM", "OK"]


def test_three_of_five_data_points_suffice(world: World) -> None:
    world.alarm(EvaluationPeriods=5, DatapointsToAlarm=3)
    assert world.minutes(0, 9, 0, 9, 9, 0)[3:] == ["OK", "ALARM", "ALARM"]


def test_nothing_is_evaluated_where_nothing_takes_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HOSTED, "clock", None)
    world.alarm()
    assert world.minutes(9, 9, 9) == ["INSUFFICIENT_DATA"] * 3


def test_an_alarm_of_minutes_is_evaluated_once_a_minute(world: World) -> None:
    world.alarm(EvaluationPeriods=1)
    world.measure(9)
    world.passes(50)
    assert world.shown()["StateValue"] == "INSUFFICIENT_DATA"
    world.passes(10)
    assert world.shown()["StateValue"] == "ALARM"


@pytest.mark.parametrize("period", [10, 30])
def test_an_alarm_of_high_resolution_is_evaluated_every_ten_seconds(world: World, period: int) -> None:
    world.alarm(Period=period, EvaluationPeriods=1)
    world.measure(9, period=10)
    world.passes(10)
    assert world.shown()["StateValue"] == "ALARM"


def test_a_period_of_five_minutes_ends_every_minute(world: World) -> None:
    world.alarm(Period=300, EvaluationPeriods=1)
    world.passes(60)
    world.measure(9)
    world.passes(60)
    assert world.shown()["StateValue"] == "ALARM"


@pytest.mark.parametrize(
    ("operator", "ok", "breaching"),
    [
        ("GreaterThanThreshold", 5, 6),
        ("GreaterThanOrEqualToThreshold", 4, 5),
        ("LessThanThreshold", 5, 4),
        ("LessThanOrEqualToThreshold", 6, 5),
    ],
)
def test_values_are_compared_with_the_threshold(world: World, operator: str, ok: float, breaching: float) -> None:
    world.alarm(EvaluationPeriods=1, ComparisonOperator=operator)
    assert world.minutes(ok, breaching) == ["OK", "ALARM"]


@pytest.mark.parametrize(
    ("statistic", "value"), [("Sum", 12), ("Average", 4), ("Minimum", 1), ("Maximum", 9), ("SampleCount", 3)]
)
def test_the_statistic_of_a_period_is_compared(world: World, statistic: str, value: float) -> None:
    world.alarm(EvaluationPeriods=1, Statistic=statistic, Threshold=value - 0.5)
    world.measure(1, 2, 9)
    world.passes()
    assert world.shown()["StateValue"] == "ALARM"
    assert json.loads(world.shown()["StateReasonData"])["recentDatapoints"] == [value]


def test_a_percentile_is_compared(world: World) -> None:
    world.alarm(EvaluationPeriods=1, Statistic=None, ExtendedStatistic="p90")
    world.measure(*[1] * 80, *[9] * 20)
    world.passes()
    assert world.shown()["StateValue"] == "ALARM"


def rate_alarm(world: World, expression: str = "100 * FILL(errors, 0) / requests", **changes: Any) -> None:
    stats = {
        name: {"Metric": {"Namespace": "N", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        for name in ("errors", "requests")
    }
    metrics = [{"Id": name, "MetricStat": stat, "ReturnData": False} for name, stat in stats.items()]
    of_metric = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    world.alarm(**of_metric, Metrics=[{"Id": "rate", "Expression": expression}, *metrics], **changes)


def test_an_expression_is_evaluated(world: World) -> None:
    rate_alarm(world, EvaluationPeriods=1, TreatMissingData="notBreaching")
    for errors, state in ((5, "OK"), (6, "ALARM"), (0, "OK")):
        world.measure(100, name="requests")
        world.measure(*[errors] * (errors > 0), name="errors")
        world.passes()
        assert world.shown()["StateValue"] == state


def test_filled_data_are_no_missing_data(world: World) -> None:
    rate_alarm(world, "FILL(errors, 9)", EvaluationPeriods=1)
    world.passes()
    assert world.shown()["StateValue"] == "ALARM"


@pytest.mark.parametrize(
    ("treated", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("ignore", "ALARM"), ("breaching", "ALARM"), ("notBreaching", "OK")],
)
def test_missing_data_are_treated_as_the_alarm_says(world: World, treated: str, state: str) -> None:
    world.alarm(TreatMissingData=treated)
    assert world.minutes(9, 9, 9)[2] == "ALARM"
    assert world.minutes(*[None] * 5)[4] == state


def test_an_alarm_that_goes_off_has_its_reason(world: World) -> None:
    world.alarm(EvaluationPeriods=5, DatapointsToAlarm=3)
    world.minutes(7, 0, 8, 0, 9)
    assert world.shown()["StateReason"] == (
        "Threshold Crossed: 3 out of the last 5 datapoints [9.0 (01/12/26 12:04:00), 8.0 (01/12/26 12:02:00), 7.0 "
        "(01/12/26 12:00:00)] were greater than the threshold (5.0) (minimum 3 datapoints for OK -> ALARM transition)."
    )
    data = json.loads(world.shown()["StateReasonData"])
    assert (data["queryDate"], data["recentDatapoints"]) == ("2026-12-01T12:05:00.000+0000", [7, 0, 8, 0, 9])
    assert data["evaluatedDatapoints"][0] == {"timestamp": "2026-12-01T12:04:00.000+0000", "value": 9}


def test_insufficient_data_are_the_reason(world: World) -> None:
    world.alarm()
    assert world.minutes(1, *[None] * 5)[-1] == "INSUFFICIENT_DATA"
    assert world.shown()["StateReason"] == "Insufficient Data: 3 datapoints were unknown."


@pytest.mark.parametrize(
    ("treated", "values", "reason"),
    [
        ("notBreaching", [None], "no datapoints were received for 3 periods and 3 missing datapoints were treated as"),
        ("breaching", [None], "no datapoints were received for 3 periods and 3 missing datapoints were treated as"),
        ("notBreaching", [9], "1 datapoint was received for 3 periods and 2 missing datapoints were treated as"),
    ],
)
def test_treated_missing_data_are_the_reason(
    world: World, treated: str, values: list[float | None], reason: str
) -> None:
    world.alarm(TreatMissingData=treated)
    world.minutes(*values)
    word = {"breaching": "Breaching", "notBreaching": "NonBreaching"}[treated]
    assert world.shown()["StateReason"] == f"Threshold Crossed: {reason} [{word}]."


def test_the_end_of_an_alarm_has_its_reason(world: World) -> None:
    world.alarm(EvaluationPeriods=1)
    world.minutes(9, 1)
    assert world.shown()["StateReason"] == (
        "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (01/12/26 12:01:00)] was not greater than the "
        "threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )


def test_a_change_of_the_state_has_the_time_of_the_clock(world: World) -> None:
    world.alarm(EvaluationPeriods=1)
    world.minutes(9)
    assert world.shown()["StateUpdatedTimestamp"].timestamp() == pytest.approx(world.now.timestamp(), abs=5)
    [change] = world.cloudwatch.describe_alarm_history(AlarmName="a")["AlarmHistoryItems"]
    assert change["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"


def test_a_state_that_is_set_lasts_until_the_next_evaluation(world: World) -> None:
    world.alarm(EvaluationPeriods=1)
    world.minutes(1)
    world.cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="a test")
    world.measure(1)
    world.passes(50)
    assert world.shown()["StateValue"] == "ALARM"
    world.passes(10)
    assert world.shown()["StateValue"] == "OK"


def test_the_history_comes_in_pages(world: World) -> None:
    world.alarm(EvaluationPeriods=1)
    world.minutes(9, 1, 9)
    pages = world.cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName="a", ScanBy="TimestampAscending", PaginationConfig={"PageSize": 2}
    )
    found = [[one["HistorySummary"][-5:] for one in page["AlarmHistoryItems"]] for page in pages]
    assert found == [["ALARM", "to OK"], ["ALARM"]]
    with pytest.raises(ClientError, match="InvalidNextToken"):
        world.cloudwatch.describe_alarm_history(NextToken="x")


def test_a_changed_alarm_is_evaluated_as_it_is_now(world: World) -> None:
    world.alarm(EvaluationPeriods=1)
    assert world.minutes(9) == ["ALARM"]
    world.alarm(EvaluationPeriods=1, Threshold=10.0)
    assert world.minutes(9) == ["OK"]


def test_a_scaling_policy_is_invoked_each_minute_with_the_latest_value(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, told = f"arn:aws:autoscaling:us-east-1:{world.account}:scalingPolicy:p", list[tuple[str, float, float]]()
    acts = {"autoscaling": lambda alarm, value, now: told.append((alarm.name, value, now))}
    monkeypatch.setattr(alarms, "ACTIONS", {**acts, "other": lambda *_: told.clear()})
    world.alarm(EvaluationPeriods=2, AlarmActions=[policy])
    world.minutes(6, 7, 8, 1)
    first = (NOON + timedelta(minutes=2)).timestamp()
    assert told == [("a", 7, first), ("a", 8, first + 60)]


def test_an_alarm_without_actions_invokes_no_scaling_policy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Alarm] = []
    monkeypatch.setattr(alarms, "ACTIONS", {"autoscaling": lambda alarm, *_: told.append(alarm)})
    policy = f"arn:aws:autoscaling:us-east-1:{world.account}:scalingPolicy:p"
    world.alarm(EvaluationPeriods=1, AlarmActions=[policy], ActionsEnabled=False)
    assert world.minutes(9) == ["ALARM"]
    assert told == []


def test_a_topic_is_told_once(world: World) -> None:
    topic, queue = world.topic("cloudwatch.amazonaws.com"), world.queue("q")
    world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    world.alarm(EvaluationPeriods=1, AlarmActions=[topic])
    world.minutes(9, 9)
    [message] = [json.loads(one["Message"]) for one in world.received(queue)]
    assert (message["NewStateValue"], message["AlarmArn"]) == ("ALARM", ARN.format(world.account))


def rule(world: World, *targets: str, **state: Any) -> None:
    """A rule for alarms that go off."""
    events = world.client("events")
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"state": {"value": ["ALARM"]}},
    }
    events.put_rule(Name="r", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="r", Targets=[{"Id": str(n), "Arn": arn, **state} for n, arn in enumerate(targets)])


def test_eventbridge_sends_changes_of_the_state_to_queues_and_log_groups(world: World) -> None:
    world.client("logs").create_log_group(logGroupName="g")
    queues = [world.queue(name) for name in ("q1", "q2")]
    rule(world, *queues, f"arn:aws:logs:us-east-1:{world.account}:log-group:g")
    world.alarm(EvaluationPeriods=1, ActionsEnabled=False)
    world.minutes(1, 9)
    [event], [other] = map(world.received, queues)
    assert event == other
    assert event["source"] == "aws.cloudwatch"
    assert event["resources"] == [ARN.format(world.account)]
    assert event["time"] == "2026-12-01T12:02:00Z"
    assert event["detail"]["alarmName"] == "a"
    assert (event["detail"]["previousState"]["value"], event["detail"]["state"]["value"]) == ("OK", "ALARM")
    [logged] = world.client("logs").filter_log_events(logGroupName="g")["events"]
    assert json.loads(logged["message"])["detail"] == event["detail"]


def test_eventbridge_sends_to_topics_what_the_target_makes_of_it(world: World) -> None:
    topic, queue = world.topic("events.amazonaws.com"), world.queue("q")
    world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    template = {"InputPathsMap": {"name": "$.detail.alarmName"}, "InputTemplate": '"<name> went off"'}
    rule(world, topic, InputTransformer=template)
    world.alarm(EvaluationPeriods=1)
    world.minutes(9)
    assert [one["Message"] for one in world.received(queue)] == ["a went off"]


def test_eventbridge_may_not_publish_to_a_topic_that_does_not_let_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    rule(world, world.topic("cloudwatch.amazonaws.com"))
    world.alarm(EvaluationPeriods=1)
    assert world.minutes(9) == ["ALARM"]
    assert "is not authorized to perform: SNS:Publish" in caplog.text


def test_a_target_that_fails_does_not_keep_alarms_from_being_evaluated(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    rule(world, f"arn:aws:lambda:us-east-1:{world.account}:function:f")
    world.alarm(EvaluationPeriods=1)
    assert world.minutes(9, 1) == ["ALARM", "OK"]
    assert "EventBridge sends nothing to a target" in caplog.text


@pytest.mark.parametrize("expression", ["RATE(errors)", "errors +"])
def test_an_alarm_on_math_that_is_not_emulated_is_refused_by_name(world: World, expression: str) -> None:
    with pytest.raises(ClientError, match=r"NotImplemented.*the expression") as refused:
        rate_alarm(world, expression)
    assert expression in str(refused.value)
    assert world.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_a_topic_that_fails_does_not_keep_other_alarms_from_being_evaluated(world: World) -> None:
    topic, queue = world.client("sns").create_topic(Name="t")["TopicArn"], world.queue("q")
    world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    world.client("sqs").delete_queue(QueueUrl=world.client("sqs").get_queue_url(QueueName="q")["QueueUrl"])
    world.alarm(AlarmName="broken", AlarmActions=[topic], EvaluationPeriods=1)
    world.alarm(EvaluationPeriods=1)
    assert world.minutes(9) == ["ALARM"]


def test_an_action_that_fails_does_not_keep_other_alarms_from_being_evaluated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "ACTIONS", {"autoscaling": lambda *_: 1 / 0})
    world.alarm(AlarmName="broken", AlarmActions=["arn:aws:autoscaling:us-east-1:1:p"], EvaluationPeriods=1)
    world.alarm(EvaluationPeriods=1)
    assert world.minutes(9) == ["ALARM"]


def test_an_alarm_on_an_unknown_id_is_refused(world: World) -> None:
    with pytest.raises(ClientError, match=r"ValidationError.*The expression of rate names unknown ids"):
        rate_alarm(world, "errors / others")
