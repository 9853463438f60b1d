"""CloudWatch: alarms and dashboards."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.providers.base import Provider
from sagehost.cloudformation.providers.calls import api, arn, by, parameter, tags

_TAGS = tags("cloudwatch", lambda context, name: {"ResourceARN": context.arn("cloudwatch", f"alarm:{name}")})
_ACTIONS = "AlarmName AlarmDescription ActionsEnabled AlarmActions OKActions InsufficientDataActions"


def _alarm(operation: str, sends: str) -> Provider:
    return api(
        "cloudwatch",
        create=operation,
        update=operation,
        delete="delete_alarms",
        sends=f"{_ACTIONS} {sends}",
        name="AlarmName",
        longest_name=255,
        identify=parameter("AlarmName"),
        handle=by("AlarmName"),
        delete_handle=lambda name, _: {"AlarmNames": [name]},
        facets=(_TAGS,),
        attributes={"Arn": arn("cloudwatch", "alarm:")},
    )


DASHBOARD = api(
    "cloudwatch",
    create="put_dashboard",
    update="put_dashboard",
    delete="delete_dashboards",
    sends="DashboardName DashboardBody",
    name="DashboardName",
    longest_name=255,
    identify=parameter("DashboardName"),
    handle=by("DashboardName"),
    delete_handle=lambda name, _: {"DashboardNames": [name]},
)

PROVIDERS: Mapping[str, Provider] = {
    "AWS::CloudWatch::Alarm": _alarm(
        "put_metric_alarm",
        "MetricName Namespace Statistic ExtendedStatistic Dimensions Period Unit EvaluationPeriods DatapointsToAlarm "
        "Threshold ComparisonOperator TreatMissingData EvaluateLowSampleCountPercentile Metrics ThresholdMetricId",
    ),
    "AWS::CloudWatch::CompositeAlarm": _alarm("put_composite_alarm", "AlarmRule"),
    "AWS::CloudWatch::Dashboard": DASHBOARD,
}
