"""CloudWatch."""

import json

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


def _body(*widgets: Json) -> Json:
    return {"DashboardBody": json.dumps({"widgets": widgets})}


COMPOSITE: Json = {"AlarmName": "all", "AlarmRule": 'ALARM("errors")'}
DASHBOARD: Json = {"DashboardName": "d", **_body()}
METRIC: dict[str, tuple[Json, Json]] = {
    "action that is no ARN": ({"AlarmActions": ["alarms"]}, {"AlarmActions": [TOPIC]}),
    "action of another region": ({"OKActions": ["arn:aws:sns:eu-west-1:1:alarms"]}, {"OKActions": [TOPIC]}),
    "period": ({"Period": 45}, {"Period": 30}),
    "more than a day": ({"EvaluationPeriods": 1441}, {"EvaluationPeriods": 1440}),
    "more than a week": (
        {"Period": 3600, "EvaluationPeriods": 169},
        {"Period": 3600, "EvaluationPeriods": 168},
    ),
    "two results": (_math(True, True), _math(False, True)),
    "id given twice": (_math(True, False, names="aa"), _math(True, False)),
    "id in capitals": (_math(True, names="A"), _math(True)),
    "metric and metrics": ({**_math(True), "Namespace": "n"}, _math(True)),
    "two statistics": ({"ExtendedStatistic": "p90"}, {"ExtendedStatistic": "p90", "Statistic": None}),
    "no threshold": ({"Threshold": None}, {"Threshold": 0.0}),
    "more datapoints than periods": ({"DatapointsToAlarm": 6}, {"DatapointsToAlarm": 5}),
    "missing data": ({"TreatMissingData": "Ignore"}, {"TreatMissingData": "ignore"}),
}
EXAMPLES: Cases = {
    name: ("PutMetricAlarm", ALARM, refused, accepted) for name, (refused, accepted) in METRIC.items()
} | {
    "rule's syntax": (
        "PutCompositeAlarm",
        COMPOSITE,
        {"AlarmRule": "ALARM(errors) OR"},
        {"AlarmRule": "(ALARM(errors) OR NOT OK(errors)) AND TRUE"},
    ),
    "unknown child": ("PutCompositeAlarm", COMPOSITE, {"AlarmRule": "ALARM(none)"}, {}),
    "alarm of itself": ("PutCompositeAlarm", COMPOSITE, {"AlarmName": "errors"}, {}),
    "body without widgets": ("PutDashboard", DASHBOARD, {"DashboardBody": "{}"}, {}),
    "kind of widget": (
        "PutDashboard",
        DASHBOARD,
        _body({"type": "graph", "properties": {"markdown": "a"}}),
        _body({"type": "text", "properties": {"markdown": "a"}}),
    ),
    "namespace of AWS": ("PutMetricData", {}, {"Namespace": "AWS/SageMaker"}, {"Namespace": "Mistral"}),
    "dashboard's name": ("PutDashboard", DASHBOARD, {"DashboardName": "a b"}, {}),
}
