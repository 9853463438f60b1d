"""CloudWatch: alarms, what they notify, their history, and percentiles."""

import json
import logging
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, Statistics
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.kms.models import kms_backends
from moto.sns.models import sns_backends

from sagehost.patches import correction
from sagehost.policies import NotEvaluated, allows_service

_LOG = logging.getLogger(__name__)


@correction.adds(CloudWatchResponse)
def put_composite_alarm(self: CloudWatchResponse) -> EmptyResult:
    """Adds `PutCompositeAlarm`, which moto lacks although its alarms know a rule, and `DescribeAlarms` shows it."""
    of_a_metric: dict[str, Any] = dict.fromkeys(
        ("namespace", "metric_name", "comparison_operator", "evaluation_periods", "period", "threshold", "statistic")
    )
    self.cloudwatch_backend.put_metric_alarm(
        **of_a_metric,
        name=self._get_param("AlarmName"),
        description=self._get_param("AlarmDescription"),
        dimensions=[],
        alarm_actions=self._get_param("AlarmActions", []),
        ok_actions=self._get_param("OKActions", []),
        insufficient_data_actions=self._get_param("InsufficientDataActions", []),
        actions_enabled=self._get_param("ActionsEnabled", True),
        rule=self._get_param("AlarmRule"),
        tags=self._get_param("Tags"),
    )
    return EmptyResult()


@correction.replaces(Statistics, "get_statistics_for_type")
def _statistic(original: Callable[..., Any], self: Statistics, stat: str) -> Any:
    """moto has no percentiles, and fails."""
    percentile, values = re.fullmatch(r"p(\d{1,2}(?:\.\d{1,10})?|100)", stat), sorted(self.metric_single_values_list)
    if percentile is None or not values:
        return original(self, stat)
    return values[min(len(values) - 1, int(len(values) * float(percentile[1]) / 100))]


@correction.replaces(CloudWatchBackend, "put_metric_alarm")
def _keep_state(original: Callable[..., Alarm], self: CloudWatchBackend, **given: Any) -> Alarm:
    """moto's alarms begin in state OK, and again when they are changed."""
    before, alarm = self.alarms.get(given["name"]), original(self, **given)
    kept = vars(before) if before else {"state_value": "INSUFFICIENT_DATA"}
    vars(alarm).update({name: value for name, value in kept.items() if name.startswith("state_")})
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
    before = self.state_value
    original(self, reason, reason_data, state_value)
    actions = {"ALARM": self.alarm_actions, "OK": self.ok_actions}.get(state_value, self.insufficient_data_actions)
    for arn in actions if self.actions_enabled and state_value != before else []:
        if arn.split(":")[2] == "sns" and (refused := _refusal(self.alarm_arn, arn)):
            _LOG.warning("%s: Failed to execute action %s. Received error: %s", self.name, arn, refused)
        elif arn.split(":")[2] == "sns":
            told = {"AlarmName": self.name, "AlarmArn": self.alarm_arn, "AlarmDescription": self.description}
            told |= {"NewStateValue": state_value, "NewStateReason": reason, "OldStateValue": before}
            subject = f'{state_value}: "{self.name}" in {self.region_name}'
            sns_backends[arn.split(":")[4]][self.region_name].topics[arn].publish(json.dumps(told), subject=subject)


@correction.adds(CloudWatchResponse)
def describe_alarm_history(self: CloudWatchResponse) -> ActionResult:
    """Adds `DescribeAlarmHistory`, of changes of the state: moto keeps each alarm's states before the current one."""
    name, wanted, items = self._get_param("AlarmName"), self._get_param("HistoryItemType", "StateUpdate"), []
    start, end = (self._get_param(key) for key in ("StartDate", "EndDate"))
    for alarm in self.cloudwatch_backend.alarms.values() if wanted == "StateUpdate" else []:
        current = ("", alarm.state_reason, alarm.state_reason_data, alarm.state_value, alarm.state_updated_timestamp)
        for (_, was_so, _, old, _), (_, reason, _, new, at) in pairwise([*alarm.history, current]):
            if old != new and name in (None, alarm.name) and (not start or start <= at) and (not end or at <= end):
                states = {"oldState": {"stateValue": old, "stateReason": was_so}}
                states["newState"] = {"stateValue": new, "stateReason": reason}
                told = {"AlarmName": alarm.name, "AlarmType": "MetricAlarm", "HistoryItemType": "StateUpdate"}
                told |= {"Timestamp": at, "HistorySummary": f"Alarm updated from {old} to {new}"}
                items.append(told | {"HistoryData": json.dumps({"version": "1.0", **states})})
    items.sort(key=lambda one: one["Timestamp"], reverse=self._get_param("ScanBy") != "TimestampAscending")
    return ActionResult({"AlarmHistoryItems": items[: self._get_int_param("MaxRecords") or 100]})


def _refusal(alarm: str, arn: str) -> str | None:
    """Why CloudWatch may not publish to a topic: its policy, or that of the key that encrypts it."""
    _, _, _, region, account, _ = arn.split(":", 5)
    topic, service = sns_backends[account][region].topics.get(arn), "cloudwatch.amazonaws.com"
    context = {"aws:sourcearn": alarm, "aws:sourceaccount": alarm.split(":")[4], "aws:securetransport": "true"}
    context |= {"aws:sourceowner": context["aws:sourceaccount"]}
    try:
        if topic is None or not allows_service(topic.policy, "sns:Publish", service, context):
            return f"Resource: {alarm} is not authorized to perform: SNS:Publish on resource: {arn}"
        key = topic.kms_master_key_id and kms_backends[account][region].keys.get(topic.kms_master_key_id.split("/")[-1])
        context["kms:encryptioncontext:aws:sns:topicarn"] = arn
        needed = ("kms:Decrypt", "kms:GenerateDataKey") if topic.kms_master_key_id else ()
        # The policy of AWS's own key, alias/aws/sns, does not let CloudWatch in either.
        if not all(key and allows_service(key.policy, action, service, context) for action in needed):
            return "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
    except NotEvaluated as error:
        return str(error)
    return None
