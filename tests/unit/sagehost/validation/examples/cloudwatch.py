"""CloudWatch."""

import json
from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json

ALARM: Json = {
    "AlarmName": "a",
    "Namespace": "n",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 5,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
OF_ONE = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
TOPIC = "arn:aws:sns:us-east-1:$account:alarms"


def _math(*returned: bool, names: str = "ab") -> Json:
    stat = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    pairs = zip(names, returned, strict=False)
    return {**OF_ONE, "Metrics": [{"Id": name, "MetricStat": stat, "ReturnData": one} for name, one in pairs]}


def _metrics(*periods: int, **query: Any) -> Json:
    """Of an alarm: queries of metrics of these periods, the first of which is the result, with other members."""
    stats = [{"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": period, "Stat": "Sum"} for period in periods]
    queries: list[Json] = [
        {"Id": f"a{number}", "MetricStat": stat, "ReturnData": not number} for number, stat in enumerate(stats)
    ]
    return {**OF_ONE, "Metrics": [{**queries[0], **query}, *queries[1:]]}


def _body(*widgets: Json) -> Json:
    return {"DashboardBody": json.dumps({"widgets": widgets})}


DASHBOARD: Json = {"DashboardName": "d", **_body()}
METRIC: dict[str, tuple[Json, Json | None]] = {
    "action that is no ARN": ({"AlarmActions": ["alarms"]}, {"AlarmActions": [TOPIC]}),
    "action of another region": ({"OKActions": ["arn:aws:sns:eu-west-1:1:alarms"]}, {"OKActions": [TOPIC]}),
    "period": ({"Period": 45}, {"Period": 30}),
    "more than a day": ({"EvaluationPeriods": 1441}, None),
    "more than a week": ({"Period": 3600, "EvaluationPeriods": 169}, None),
    "two results": (_math(True, True), _math(False, True)),
    "id given twice": (_math(True, False, names="aa"), _math(True, False)),
    "id in capitals": (_math(True, names="A"), _math(True)),
    "metric and metrics": ({**_math(True), "Namespace": "n"}, _math(True)),
    "two statistics": ({"ExtendedStatistic": "p90"}, {"ExtendedStatistic": "p90", "Statistic": None}),
    "no threshold": ({"Threshold": None}, {"Threshold": 0.0}),
    "more datapoints than periods": ({"DatapointsToAlarm": 6}, {"DatapointsToAlarm": 5}),
    "metrics of two periods": (_metrics(60, 300), _metrics(60, 60)),
    "anomaly detection": ({"ComparisonOperator": "GreaterThanUpperThreshold"}, {}),
    "warm-up": ({"WarmUpConfiguration": {"Duration": 60}}, {}),
    "few samples of a percentile": (
        {"EvaluateLowSampleCountPercentile": "ignore"},
        {"EvaluateLowSampleCountPercentile": "evaluate"},
    ),
    "more than three hours": ({"EvaluationPeriods": 181}, {"EvaluationPeriods": 180}),
    "more than three hours of math": ({**_metrics(3600), "EvaluationPeriods": 4}, _metrics(600)),
    "no metric": ({**OF_ONE, "Metrics": [{"Id": "a", "Expression": "1"}]}, _metrics(60)),
    "action of Lambda": (
        {"AlarmActions": ["arn:aws:lambda:us-east-1:111122223333:function:f"]},
        {"AlarmActions": [TOPIC]},
    ),
    "metric of another account": (_metrics(60, AccountId="111122223333"), _metrics(60)),
    "trimmed mean": (
        {"ExtendedStatistic": "tm90", "Statistic": None},
        {"ExtendedStatistic": "p99.9", "Statistic": None},
    ),
    "missing data": ({"TreatMissingData": "Ignore"}, {"TreatMissingData": "ignore"}),
}
EXAMPLES: Cases = {
    name: ("PutMetricAlarm", ALARM, refused, accepted) for name, (refused, accepted) in METRIC.items()
} | {
    "body without widgets": ("PutDashboard", DASHBOARD, {"DashboardBody": "{}"}, {}),
    "kind of widget": (
        "PutDashboard",
        DASHBOARD,
        _body({"type": "graph", "properties": {"markdown": "a"}}),
        _body({"type": "text", "properties": {"markdown": "a"}}),
    ),
    "values of a datum": (
        "PutMetricData",
        {"Namespace": "n"},
        {"MetricData": [{"MetricName": "m", "Values": [*range(151)]}]},
        {"MetricData": [{"MetricName": "m", "Values": [*range(150)]}]},
    ),
    "statistic set": (
        "PutMetricData",
        {"Namespace": "n"},
        {"MetricData": [{"MetricName": "m", "StatisticValues": {"Sum": 1.0}}]},
        {"MetricData": [{"MetricName": "m", "Value": 1.0}]},
    ),
    "entity": ("PutMetricData", {"Namespace": "n"}, {"EntityMetricData": [{}]}, {}),
    "percentiles of GetMetricStatistics": (
        "GetMetricStatistics",
        {"Namespace": "n", "MetricName": "m", "Period": 60},
        {"ExtendedStatistics": ["p90"]},
        {"Statistics": ["Sum"]},
    ),
    "namespace of AWS": ("PutMetricData", {}, {"Namespace": "AWS/SageMaker"}, {"Namespace": "Mistral"}),
    "dashboard's name": ("PutDashboard", DASHBOARD, {"DashboardName": "a b"}, {}),
}
