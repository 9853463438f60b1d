"""CloudWatch: composite alarms and percentiles."""

import re
from collections.abc import Callable
from typing import Any

from moto.cloudwatch.models import Statistics
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import EmptyResult

from sagehost.patches import correction


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
