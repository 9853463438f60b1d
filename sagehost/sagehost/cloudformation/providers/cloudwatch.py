"""CloudWatch: alarms and dashboards."""

from sagehost.cloudformation.providers.provider import Provider, Resource
from sagehost.cloudformation.values import Json


class _Dashboard(Provider):
    def tag_handle(self, resource: Resource, parameter: str) -> dict[str, Json]:
        """Its ARN, which is no attribute, and without a region."""
        return {parameter: resource.text("arn:{partition}:cloudwatch::{account}:dashboard/{id}", {})}


PROVIDERS = (
    Provider(
        "AWS::CloudWatch::Alarm",
        put_with="put_metric_alarm",
        delete_with="delete_alarms",
        sends="AlarmName AlarmDescription ActionsEnabled AlarmActions OKActions InsufficientDataActions MetricName "
        "Namespace Statistic ExtendedStatistic Dimensions Period Unit EvaluationPeriods DatapointsToAlarm Threshold "
        "ComparisonOperator TreatMissingData EvaluateLowSampleCountPercentile Metrics ThresholdMetricId",
        name="AlarmName",
        attributes={"Arn": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{id}"},
    ),
    _Dashboard(
        "AWS::CloudWatch::Dashboard",
        put_with="put_dashboard",
        delete_with="delete_dashboards",
        sends="DashboardName DashboardBody",
        name="DashboardName",
    ),
)
