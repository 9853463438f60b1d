"""CloudWatch: alarms and dashboards."""

from sagehost.cloudformation.providers.provider import Provider

_ARN = {"Arn": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{id}"}
_ACTIONS = "AlarmName AlarmDescription ActionsEnabled AlarmActions OKActions InsufficientDataActions"

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
    Provider(
        "AWS::CloudWatch::Dashboard",
        put_with="put_dashboard",
        delete_with="delete_dashboards",
        sends="DashboardName DashboardBody",
        name="DashboardName",
        tags=False,
    ),
)
