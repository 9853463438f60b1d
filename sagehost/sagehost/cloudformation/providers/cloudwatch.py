"""CloudWatch: alarms and dashboards."""

from sagehost.cloudformation.providers.provider import Provider, Resource
from sagehost.cloudformation.values import Json

_ARN = {"Arn": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{id}"}
_ACTIONS = "AlarmName AlarmDescription ActionsEnabled AlarmActions OKActions InsufficientDataActions"


class _Dashboard(Provider):
    def tag_handle(self, resource: Resource, parameter: str) -> dict[str, Json]:
        """Its ARN, which is no attribute, and without a region."""
        return {parameter: resource.text("arn:{partition}:cloudwatch::{account}:dashboard/{id}", {})}


PROVIDERS = (
    Provider(
        "AWS::CloudWatch::Alarm",
        put_with="put_metric_alarm",
        delete_with="delete_alarms",
        sends=f"{_ACTIONS} MetricName Namespace Statistic ExtendedStatistic Dimensions Period Unit EvaluationPeriods "
        "DatapointsToAlarm Threshold ComparisonOperator TreatMissingData EvaluateLowSampleCountPercentile Metrics "
        "ThresholdMetricId",
        name="AlarmName",
        attributes=_ARN,
    ),
    Provider(
        "AWS::CloudWatch::CompositeAlarm",
        put_with="put_composite_alarm",
        delete_with="delete_alarms",
        sends=f"{_ACTIONS} AlarmRule",
        name="AlarmName",
        attributes=_ARN,
    ),
    _Dashboard(
        "AWS::CloudWatch::Dashboard",
        put_with="put_dashboard",
        delete_with="delete_dashboards",
        sends="DashboardName DashboardBody",
        name="DashboardName",
    ),
)
