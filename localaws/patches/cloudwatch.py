"""CloudWatch: composite alarms."""

from __future__ import annotations

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import EmptyResult


def install() -> None:
    """Apply the corrections."""
    CloudWatchResponse.put_composite_alarm = _put_composite_alarm


def _put_composite_alarm(self: CloudWatchResponse) -> EmptyResult:
    """Adds `PutCompositeAlarm`, which moto lacks although its alarms know a rule and `DescribeAlarms` tells them apart."""
    self.cloudwatch_backend.put_metric_alarm(
        name=self._get_param("AlarmName"),
        namespace=None,
        metric_name=None,
        comparison_operator=None,
        evaluation_periods=None,
        period=None,
        threshold=None,
        statistic=None,
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
