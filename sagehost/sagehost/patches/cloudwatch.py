"""CloudWatch: data of metrics, alarms, what they notify, and their history."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch import models
from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricDatumBase
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.events.models import events_backends
from moto.kms.models import kms_backends
from moto.sns.models import sns_backends

from sagehost.clock import CLOCK
from sagehost.metric_data import KEPT_S, MetricData, Values, metric_of, statistic
from sagehost.moto_app import page
from sagehost.patches import correction
from sagehost.policies import NotEvaluated, allows_service

_LOG = logging.getLogger(__name__)

Json = dict[str, Any]
ACTIONS: dict[str, Callable[[Alarm, float, float], None]] = {}
"""By the service in an alarm action's ARN, what is called with the alarm, the metric's value and the time."""


correction.replaces(models, "utcnow")(lambda _: CLOCK.now().replace(tzinfo=None))  # moto knows the machine's time only


def data_of(backend: CloudWatchBackend) -> MetricData:
    """The data of the metrics of an account in a region."""
    data: MetricData = vars(backend).setdefault("sagehost_data", MetricData())
    return data


@correction.replaces(CloudWatchBackend, "put_metric_data")
def _put_metric_data(_: Any, self: CloudWatchBackend, namespace: str, data: list[Json]) -> None:
    """moto makes an object of each value, and keeps them all."""
    for number, datum in enumerate(data, 1):
        self._validate_parameters_put_metric_data(datum, number)
    for datum in data:
        values = datum.get("Values") or [datum.get("Value", 0.0)]
        second = int(datum.get("Timestamp", CLOCK.now()).replace(tzinfo=UTC).timestamp())
        metric = metric_of({**datum, "Namespace": namespace})
        if metric not in {one for one, _ in data_of(self)}:  # `ListMetrics` lists what moto has
            self.metric_data.append(MetricDatumBase(*metric[:2], datum.get("Dimensions", []), None))
        kept = data_of(self).setdefault((metric, datum.get("Unit", "None")), {})
        for value, count in zip(values, datum.get("Counts") or [1] * len(values), strict=True):
            if count >= 1:
                kept.setdefault(second, Values())[float(value)] += int(count)
        for old in [one for one in kept if one < second - KEPT_S]:
            del kept[old]


@correction.replaces(CloudWatchBackend, "get_metric_data")
def _get_metric_data(_: Any, self: Any, queries: list[Json], scan_by: str, **times: datetime) -> list[Json]:
    """moto has no percentiles and no metric math, and reads all values for each period."""
    by_id, results = {one["Id"]: one for one in queries}, []
    longest = max((one["MetricStat"]["Period"] for one in queries if "MetricStat" in one), default=60)
    for query in [one for one in queries if one.get("ReturnData", True)]:
        stat = query.get("MetricStat") or {"Period": query.get("Period", longest)}
        found = data_of(self).results(by_id, query["Id"], _periods(period=stat["Period"], **times))
        points = sorted(found.items(), reverse=scan_by == "TimestampDescending")
        label = f"{stat['Metric']['MetricName']} {stat['Stat']}" if "Stat" in stat else query["Id"]
        told = {"id": query["Id"], "label": query.get("Label") or label, "values": [value for _, value in points]}
        told |= {"timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in points], "status_code": "Complete"}
        results.append(told)
    return results


@correction.replaces(CloudWatchBackend, "get_metric_statistics")
def _get_metric_statistics(_: Any, self: CloudWatchBackend, *given: Any, dimensions: Any, unit: Any) -> list[Json]:
    """moto reads all values for each period, and begins periods at the first value."""
    namespace, name, start, end, period, statistics = given
    metric = metric_of({"Namespace": namespace, "MetricName": name, "Dimensions": dimensions})
    data, periods = data_of(self), _periods(start, end, period)
    told = []
    for its in [its for one, its in data if one == metric and unit in (None, its)]:
        for at, values in data.measured(metric, its, periods).items():
            point = {"Timestamp": datetime.fromtimestamp(at, UTC), "Unit": its}
            told.append(point | {name: statistic(values, name) for name in statistics})
    return told


def _periods(start_time: datetime, end_time: datetime, period: int) -> range:
    """The periods between two times; the first begins at a full minute, or at a multiple of a shorter period."""
    first, end = (int(one.replace(tzinfo=UTC).timestamp()) for one in (start_time, end_time))
    return range(first - first % min(60, period), end, int(period))


@correction.replaces(CloudWatchBackend, "put_metric_alarm")
def _keep_state(original: Callable[..., Alarm], self: CloudWatchBackend, **given: Any) -> Alarm:
    """moto's alarms begin in state OK, and again when they are changed; it knows no metric math."""
    math = {one.id: {"Expression": one.expression or "0"} for one in given.get("metric_data_queries") or ()}
    for one in math:
        MetricData().results(math, one, range(0))
    before, alarm = self.alarms.get(given["name"]), original(self, **given)
    kept = vars(before) if before else {"state_value": "INSUFFICIENT_DATA"}
    vars(alarm).update({name: value for name, value in kept.items() if name.startswith(("state_", "history"))})
    return alarm


@correction.replaces(CloudWatchBackend, "tag_resource")
def _tag_resource(original: Callable[..., None], self: CloudWatchBackend, arn: str, tags: dict[str, str]) -> None:
    """moto tags no dashboards."""
    if ":dashboard/" in arn and arn.rsplit("/", 1)[-1] in self.dashboards:
        self.tagger.tag_resource(arn, self.tagger.convert_dict_to_tags_input(tags))
    else:
        original(self, arn, tags)


@correction.replaces(Alarm, "update_state")
def _update_state(original: Callable[..., None], self: Alarm, reason: str, reason_data: str, state_value: str) -> None:
    """moto does not act when the state of an alarm changes."""
    before = _state(self)
    original(self, reason, reason_data, state_value)
    self.history.pop()
    if (now := _state(self))["value"] == before["value"]:
        return
    changed = {"oldState": before, "newState": now}
    states = {name: {"stateValue": one["value"], "stateReason": one["reason"]} for name, one in changed.items()}
    item: Json = {"AlarmName": self.name, "AlarmType": "MetricAlarm", "HistoryItemType": "StateUpdate"}
    item |= {"HistorySummary": f"Alarm updated from {before['value']} to {state_value}"}
    item |= {"Timestamp": self.state_updated_timestamp, "HistoryData": json.dumps({"version": "1.0", **states})}
    self.history = [*self.history[-99:], item]
    account, region = self.alarm_arn.split(":")[4], self.region_name
    actions = {"ALARM": self.alarm_actions, "OK": self.ok_actions}.get(state_value, self.insufficient_data_actions)
    told = {"AlarmName": self.name, "AlarmArn": self.alarm_arn, "AlarmDescription": self.description}
    told |= {"NewStateValue": state_value, "NewStateReason": reason, "OldStateValue": before["value"]}
    told |= {"AWSAccountId": account, "StateChangeTime": now["timestamp"]}
    for arn in [one for one in actions if self.actions_enabled and one.split(":")[2] == "sns"]:
        subject = f'{state_value}: "{self.name}" in {region}'
        publish("cloudwatch.amazonaws.com", self.alarm_arn, arn, json.dumps(told), subject)
    event = {"Source": "aws.cloudwatch", "DetailType": "CloudWatch Alarm State Change", "Time": CLOCK.seconds()}
    detail = {"alarmName": self.name, "state": now, "previousState": before}
    event |= {"Detail": json.dumps(detail), "Resources": [self.alarm_arn]}
    try:
        events_backends[account][region].put_events([event])
    except (NotImplementedError, ServiceException) as error:
        _LOG.warning("%s: EventBridge sends nothing to a target: %s", self.name, error)


def _state(alarm: Alarm) -> Json:
    told = {"value": alarm.state_value, "reason": alarm.state_reason, "reasonData": alarm.state_reason_data}
    return told | {"timestamp": iso(alarm.state_updated_timestamp.replace(tzinfo=UTC).timestamp())}


def iso(seconds: float) -> str:
    """A time, as alarms tell it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def publish(service: str, source: str, topic: str, message: str, subject: str | None = None) -> None:
    """Publishes what a service has to say about one of its resources to a topic, if the topic's policy lets it."""
    if not (refused := _refusal(service, source, topic)):
        _, _, _, region, account, _ = topic.split(":", 5)
        try:
            sns_backends[account][region].topics[topic].publish(message, subject=subject)
        except Exception as error:  # noqa: BLE001 - of moto, where the queue of a subscription is deleted, for instance
            refused = f"{type(error).__name__}: {error}"
    if refused:
        _LOG.warning("%s: Failed to execute action %s. Received error: %s", source.rsplit(":", 1)[-1], topic, refused)


@correction.adds(CloudWatchResponse)
def describe_alarm_history(self: CloudWatchResponse) -> ActionResult:
    """Adds `DescribeAlarmHistory`, of the last 100 changes of the state of each alarm."""
    name, wanted = self._get_param("AlarmName"), self._get_param("HistoryItemType", "StateUpdate")
    start, end = (self._get_param(key) for key in ("StartDate", "EndDate"))
    alarms = [one for one in self.cloudwatch_backend.alarms.values() if name in (None, one.name)]
    items = [item for one in alarms for item in one.history if wanted == "StateUpdate"]
    items = [one for one in items if not ((start and one["Timestamp"] < start) or (end and one["Timestamp"] > end))]
    items.sort(key=lambda one: one["Timestamp"], reverse=self._get_param("ScanBy") != "TimestampAscending")
    asked = {"MaxResults": self._get_int_param("MaxRecords") or 100, "NextToken": self._get_param("NextToken", "0")}
    return page("AlarmHistoryItems", items, asked, "InvalidNextToken")


def _refusal(service: str, source: str, arn: str) -> str | None:
    """Why a service may not publish to a topic: its policy, or that of the key that encrypts it."""
    _, _, _, region, account, _ = arn.split(":", 5)
    topic = sns_backends[account][region].topics.get(arn)
    context = {"aws:sourcearn": source, "aws:sourceaccount": source.split(":")[4], "aws:securetransport": "true"}
    context |= {"aws:sourceowner": context["aws:sourceaccount"]}
    try:
        if topic is None or not allows_service(topic.policy, "sns:Publish", service, context):
            return f"Resource: {source} is not authorized to perform: SNS:Publish on resource: {arn}"
        key = topic.kms_master_key_id and kms_backends[account][region].keys.get(topic.kms_master_key_id.split("/")[-1])
        context["kms:encryptioncontext:aws:sns:topicarn"] = arn
        needed = ("kms:Decrypt", "kms:GenerateDataKey") if topic.kms_master_key_id else ()
        # The policy of AWS's own key, alias/aws/sns, does not let other services in.
        if not all(key and allows_service(key.policy, action, service, context) for action in needed):
            return f"{service} does not have authorization to access the SNS topic encryption key."
    except NotEvaluated as error:
        return str(error)
    return None
