"""Data of metrics: what is kept of them, and what is calculated from it. moto still needs the corrections."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends

from sagehost import moto_app, patches
from sagehost.clock import CLOCK
from sagehost.metric_data import Values, compiled, statistic
from sagehost.patches.cloudwatch import data_of
from tests.unit.fresh_accounts import fresh_account

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MEASURED = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 5)), min_size=1)


@pytest.fixture
def account() -> str:
    patches.install("iam")
    patches.install("cloudwatch")
    return fresh_account()


@pytest.fixture
def cloudwatch(account: str) -> Any:
    return moto_app.client("cloudwatch", account, "us-east-1")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    CLOCK.set(NOON)
    yield
    CLOCK.set(datetime.now(UTC))


def put(cloudwatch: Any, name: str, *values: float, at: datetime = NOON, **datum: Any) -> None:
    given = {"MetricName": name, "Timestamp": at, "Values": [*values], **datum}
    cloudwatch.put_metric_data(Namespace="N", MetricData=[given])


def stat(name: str, statistic: str, period: int = 60) -> dict[str, Any]:
    return {"Metric": {"Namespace": "N", "MetricName": name}, "Period": period, "Stat": statistic}


def read(cloudwatch: Any, *queries: dict[str, Any], minutes: int = 3) -> dict[str, dict[int, float]]:
    """The results of queries, by id and by the minute after noon."""
    times = {"StartTime": NOON, "EndTime": NOON + timedelta(minutes=minutes)}
    results = cloudwatch.get_metric_data(MetricDataQueries=[*queries], **times)["MetricDataResults"]
    minute = [[round((at - NOON).total_seconds() / 60) for at in one["Timestamps"]] for one in results]
    return {one["Id"]: dict(zip(at, one["Values"], strict=True)) for one, at in zip(results, minute, strict=True)}


def test_values_with_counts_are_one_entry_and_weigh_as_much_as_they_count(cloudwatch: Any, account: str) -> None:
    put(cloudwatch, "M", 1.0, 9.0, Counts=[900_000, 100_000])
    [kept] = data_of(cloudwatch_backends[account]["us-east-1"]).values()
    assert [len(values) for values in kept.values()] == [2]
    asked = {"p50": "p50", "p95": "p95", "total": "Sum", "mean": "Average", "n": "SampleCount", "low": "Minimum"}
    queries = [{"Id": name, "MetricStat": stat("M", one)} for name, one in asked.items()]
    told = {name: values[0] for name, values in read(cloudwatch, *queries).items()}
    assert told == {"p50": 1, "p95": 9, "total": 1.8e6, "mean": 1.8, "n": 1e6, "low": 1}


def test_moto_keeps_an_object_of_each_value(cloudwatch: Any, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = CloudWatchBackend.put_metric_data.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(CloudWatchBackend, "put_metric_data", own)
    put(cloudwatch, "M", 1.0, Counts=[50])
    assert len(cloudwatch_backends[account]["us-east-1"].metric_data) == 50


def test_a_value_with_the_count_0_is_none(cloudwatch: Any) -> None:
    put(cloudwatch, "M", 1.0, Counts=[0])
    assert read(cloudwatch, {"Id": "a", "MetricStat": stat("M", "Average")}) == {"a": {}}


@pytest.mark.parametrize("operation", ["get_metric_data", "get_metric_statistics"])
def test_reading_is_corrected(operation: str) -> None:
    assert hasattr(getattr(CloudWatchBackend, operation), "__wrapped__")


def test_a_datum_without_a_time_is_of_now(cloudwatch: Any) -> None:
    cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "M", "Value": 3.0}])
    assert read(cloudwatch, {"Id": "a", "MetricStat": stat("M", "Sum")}) == {"a": {0: 3.0}}


def test_metrics_differ_by_dimensions_and_queries_by_unit(cloudwatch: Any) -> None:
    put(cloudwatch, "M", 1.0, Dimensions=[{"Name": "d", "Value": "v"}])
    put(cloudwatch, "M", 2.0, Unit="Count")
    put(cloudwatch, "M", 4.0, Unit="Seconds")
    queries = {"both": {}, "count": {"Unit": "Count"}}
    asked = [{"Id": name, "MetricStat": stat("M", "Sum") | unit} for name, unit in queries.items()]
    assert read(cloudwatch, *asked) == {"both": {0: 6.0}, "count": {0: 2.0}}
    assert len(cloudwatch.list_metrics(Namespace="N")["Metrics"]) == 2


def test_statistics_are_of_full_periods(cloudwatch: Any) -> None:
    for second in (0, 59, 60):
        put(cloudwatch, "M", 1.0, at=NOON + timedelta(seconds=second))
    points = cloudwatch.get_metric_statistics(
        Namespace="N",
        MetricName="M",
        StartTime=NOON + timedelta(seconds=30),
        EndTime=NOON + timedelta(minutes=2),
        Period=60,
        Statistics=["Sum", "Maximum"],
    )["Datapoints"]
    assert [(one["Timestamp"], one["Sum"], one["Maximum"]) for one in points] == [
        (NOON, 2.0, 1.0),
        (NOON + timedelta(minutes=1), 1.0, 1.0),
    ]


def test_results_are_listed_latest_first_unless_asked_for_otherwise(cloudwatch: Any) -> None:
    for minute in (0, 1):
        put(cloudwatch, "M", float(minute), at=NOON + timedelta(minutes=minute))
    times = {"StartTime": NOON, "EndTime": NOON + timedelta(minutes=2)}
    query = [{"Id": "a", "MetricStat": stat("M", "Sum")}]
    for order, values in (({}, [1.0, 0.0]), ({"ScanBy": "TimestampAscending"}, [0.0, 1.0])):
        [result] = cloudwatch.get_metric_data(MetricDataQueries=query, **times, **order)["MetricDataResults"]
        assert result["Values"] == values


def test_an_end_before_the_start_is_refused(cloudwatch: Any) -> None:
    query = [{"Id": "a", "MetricStat": stat("M", "Sum")}]
    with pytest.raises(ClientError, match=r"ValidationError.*EndTime must be greater than StartTime"):
        cloudwatch.get_metric_data(MetricDataQueries=query, StartTime=NOON, EndTime=NOON)


def test_data_are_kept_for_six_hours(cloudwatch: Any, account: str) -> None:
    backend = cloudwatch_backends[account]["us-east-1"]
    for minute in range(24 * 60):
        at = NOON + timedelta(minutes=minute)
        backend.put_metric_data("N", [{"MetricName": "M", "Value": 1.0, "Timestamp": at}])
    assert [len(kept) for kept in data_of(backend).values()] == [6 * 60 + 1]
    assert len(cloudwatch.list_metrics()["Metrics"]) == 1


def test_a_rate_is_calculated_where_there_are_requests(cloudwatch: Any) -> None:
    put(cloudwatch, "Requests", 1.0, Counts=[200])
    put(cloudwatch, "Errors", 1.0, Counts=[10])
    put(cloudwatch, "Requests", 1.0, Counts=[50], at=NOON + timedelta(minutes=1))
    put(cloudwatch, "Errors", 1.0, at=NOON + timedelta(minutes=2))
    metrics = [
        {"Id": name, "MetricStat": stat(name.capitalize(), "Sum"), "ReturnData": False}
        for name in ("errors", "requests")
    ]
    rate = {"Id": "rate", "Expression": "100 * FILL(errors, 0) / requests"}
    assert read(cloudwatch, rate, *metrics) == {"rate": {0: 5.0, 1: 0.0}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("100 * (FILL(a, 0) - FILL(b, 0)) / a", 50.0),
        ("a / b", 2.0),
        ("a / 1000000", 4e-6),
        ("IF((a > 1.5) AND (b > 8), 1, 0)", 0.0),
        ("IF(a == 4 || b < 0, a - 1, b)", 3.0),
        ("-a + 1", -3.0),
        ("a / (b - 2)", None),
        ("missing + a", None),
        ("FILL(missing, 7)", 7.0),
        ("IF(missing > 1, 1, 0)", None),
    ],
)
def test_an_expression_is_calculated(expression: str, value: float | None) -> None:
    names, calculate = compiled(expression)
    assert calculate({name: {"a": 4.0, "b": 2.0}.get(name) for name in names}) == value


NOT_EMULATED = """RATE(a) | SELECT AVG(x) FROM y | SEARCH('{n}', 'Sum') | a ^ 2 | a ** 9 | 1 << 9 | a // 2 | IF(a, 1) |
FILL(a, REPEAT) | METRICS() | a + | a[0] | a.b | a(1) | a, b | | a;b | ANOMALY_DETECTION_BAND(a) | True | FILL | 9j |
__import__(a) | lambda: a | TIME_SERIES(1) | a \x00 b"""


@pytest.mark.parametrize("expression", [*NOT_EMULATED.split(" | "), "(" * 300 + "a" + ")" * 300])
def test_an_expression_that_is_not_emulated_is_refused_by_name(expression: str) -> None:
    with pytest.raises(NotImplementedError, match="the expression"):
        compiled(expression)


@pytest.mark.parametrize("expression", ["b + 1", "c"])
def test_an_expression_of_unknown_ids_or_itself_is_refused(cloudwatch: Any, expression: str) -> None:
    queries: list[dict[str, Any]] = [{"Id": "c", "Expression": expression}, {"Id": "a", "MetricStat": stat("M", "Sum")}]
    with pytest.raises(ClientError, match=r"ValidationError.*The expression of c names unknown ids"):
        read(cloudwatch, *queries)


@given(text=st.text(alphabet="ab19.+-*/<>=&|(), ANDORFILLIF", max_size=30))
def test_any_expression_is_calculated_or_refused(text: str) -> None:
    try:
        names, calculate = compiled(text)
    except NotImplementedError:
        return
    assert isinstance(calculate(dict.fromkeys(names, 2.0)), float | None)


@given(measured=MEASURED, percent=st.floats(0, 100))
def test_statistics_are_those_of_each_value_so_often(measured: list[tuple[float, int]], percent: float) -> None:
    values: Values = Values()
    for value, count in measured:
        values[value] += count
    each = sorted(values.elements())
    assert statistic(values, "SampleCount") == len(each)
    assert (statistic(values, "Minimum"), statistic(values, "Maximum")) == (each[0], each[-1])
    assert statistic(values, "Sum") == pytest.approx(sum(each), abs=1e-3)
    rank = min(len(each) - 1, int(len(each) * round(percent, 1) / 100))
    assert statistic(values, f"p{round(percent, 1)}") == each[rank]
