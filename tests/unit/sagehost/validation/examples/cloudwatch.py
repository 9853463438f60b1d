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
DATUM: Json = {"MetricName": "m", "Value": 1.0}
DATA: dict[str, tuple[Json, Json]] = {
    "datum of the past": ({"Timestamp": "2020-01-01T00:00:00"}, {}),
    "datum of the future": ({"Timestamp": "2099-01-01T00:00:00"}, {}),
    "value that is too large": ({"Value": -2.4e108}, {"Value": -2.3e108}),
    "resolution": ({"StorageResolution": 5}, {"StorageResolution": 1}),
    "counts without values": ({"Counts": [1.0]}, {"Value": None, "Counts": [1.0], "Values": [1.0]}),
    "negative count": ({"Value": None, "Counts": [-1.0], "Values": [1.0]}, {}),
    "no value": ({"Value": None}, {"Value": 0.0}),
}
QUERY: Json = {
    "Id": "a",
    "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"},
}


SPAN: Json = {"StartTime": "2026-01-01T00:00:00", "EndTime": "2026-01-02T00:00:00"}


def _data(**changes: Any) -> Json:
    return {"MetricData": [{name: one for name, one in {**DATUM, **changes}.items() if one is not None}]}


def _queries(*changes: Json, **more: Any) -> Json:
    return {"MetricDataQueries": [{**QUERY, **one} for one in changes], **SPAN, **more}


STATISTICS: Json = {"Namespace": "n", "MetricName": "m", "Period": 60, "Statistics": ["Sum"], **SPAN}
OF_STATISTICS: dict[str, tuple[Json, Json]] = {
    "percentiles of GetMetricStatistics": ({"ExtendedStatistics": ["p90"]}, {}),
    "period of statistics": ({"Period": 77}, {"Period": 120}),
    "more statistics than an answer has": ({"EndTime": "2026-01-02T00:01:00"}, {}),
    "no time": ({"EndTime": SPAN["StartTime"]}, {}),
    "time that goes back": ({"EndTime": "2025-12-31T00:00:00"}, {}),
}
QUERIES: dict[str, tuple[Json, Json]] = {
    "501 queries": (_queries(*({"Id": f"a{number}"} for number in range(501))), _queries({}, {"Id": "b"})),
    "id of two queries": (_queries({}, {}), {}),
    "id of a query": (_queries({"Id": "A"}), {}),
    "query of two kinds": (_queries({"Expression": "1"}), {}),
    "period of a query": (_queries({"Period": 45}), _queries({"Period": 5})),
    "most data points": (_queries({}, MaxDatapoints=1), {}),
    "queries of no time": ({"EndTime": SPAN["StartTime"]}, {}),
    "value in a label": (_queries({"Label": "${MAX}"}), _queries({"Label": "most"})),
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
    "1001 data": ("PutMetricData", {"Namespace": "n"}, {"MetricData": [DATUM] * 1001}, {"MetricData": [DATUM] * 1000}),
    "no data": ("PutMetricData", {"Namespace": "n"}, {}, _data()),
    **{
        name: ("PutMetricData", {"Namespace": "n"}, _data(**one), _data(**other)) for name, (one, other) in DATA.items()
    },
    **{name: ("GetMetricData", _queries({}), *changes) for name, changes in QUERIES.items()},
    **{name: ("GetMetricStatistics", STATISTICS, *changes) for name, changes in OF_STATISTICS.items()},
    "entity": ("PutMetricData", _data(), {"EntityMetricData": [{}]}, {}),
    "namespace of AWS": ("PutMetricData", _data(), {"Namespace": "AWS/SageMaker"}, {"Namespace": "Mistral"}),
    "dashboard's name": ("PutDashboard", DASHBOARD, {"DashboardName": "a b"}, {}),
}
