"""CloudWatch metrics of an endpoint: which, when, and what they count."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagehost import moto_app
from sagehost.clock import CLOCK
from sagehost.containers import Response
from sagehost.hosting import metrics
from sagehost.hosting.endpoints import HOSTED
from sagehost.hosting.fleet import EndpointKey, Instance, RunningEndpoint, RunningVariant
from tests.unit.sagehost.hosting.test_answers_in_time import ACCOUNT, REGION, WHOLE, Breaking, Exchange

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STATISTICS = ["SampleCount", "Sum", "Average", "Maximum"]
REQUESTS, INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
_NAMES = (f"metered-{number}" for number in itertools.count())


class Answering:
    """A container that answers after two seconds, with the status that it is asked for."""

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        CLOCK.set(CLOCK.now() + timedelta(seconds=2))
        return int(body), {}, b""


class Loaded(Answering):
    """A container that knows the load of its instance."""

    def utilization(self) -> Mapping[str, float]:
        return {"GPUUtilization": 87.0, "CPUUtilization": 12.0}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[EndpointKey]:
    """An endpoint that nobody has deployed yet, at noon by a clock that the test sets."""
    monkeypatch.setattr(HOSTED, "clock", CLOCK)
    key = EndpointKey(ACCOUNT, REGION, next(_NAMES))
    CLOCK.set(NOON)
    yield key
    HOSTED.fleet.pop(key, None)
    CLOCK.set(datetime.now(UTC))


def deploy(key: EndpointKey, *in_flight: int, container: Any = None, new: RunningEndpoint | None = None) -> None:
    """Let an instance serve for each number of requests in flight."""
    instances = tuple(Instance(container or Answering(), in_flight=count) for count in in_flight)
    HOSTED.fleet[key] = RunningEndpoint((RunningVariant("AllTraffic", 1.0, instances),), new=new)


def ask(key: EndpointKey, status: int = 200) -> None:
    """Invoke the endpoint."""
    asyncio.run(Exchange(WHOLE, str(status).encode(), key).run(HOSTED.fleet, CLOCK))


def found(key: EndpointKey, name: str, namespace: str = REQUESTS, period: int = 60) -> list[dict[str, Any]]:
    """The data points of a metric in the first minutes of the afternoon."""
    points = moto_app.client("cloudwatch", key.account, key.region).get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": "EndpointName", "Value": key.name}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=NOON,
        EndTime=NOON + timedelta(minutes=10),
        Period=period,
        Statistics=STATISTICS,
    )["Datapoints"]
    return sorted(points, key=lambda point: point["Timestamp"])


def after(seconds: float) -> None:
    """Let the clock be so much after noon."""
    CLOCK.set(NOON + timedelta(seconds=seconds))


def test_a_request_adds_an_invocation_and_its_share_of_the_instances(key: EndpointKey) -> None:
    deploy(key, 0, 0)
    for _ in range(3):
        ask(key)
    after(60)
    assert sum(point["Sum"] for point in found(key, "Invocations")) == 3
    assert sum(point["Sum"] for point in found(key, "InvocationsPerInstance")) == 1.5


def test_metrics_are_dated_by_the_beginning_of_their_period(key: EndpointKey) -> None:
    deploy(key, 0)
    ask(key)
    after(60)
    assert [point["Timestamp"] for point in found(key, "ModelLatency")] == [NOON]


def test_latencies_are_microseconds_of_the_clock(key: EndpointKey) -> None:
    deploy(key, 0)
    ask(key)
    after(60)
    (latency,), (overhead,) = found(key, "ModelLatency"), found(key, "OverheadLatency")
    assert latency["Unit"] == overhead["Unit"] == "Microseconds"
    assert latency["Average"] == pytest.approx(2e6, rel=0.2)
    assert overhead["Average"] < 1e6


@pytest.mark.parametrize(
    ("status", "sums"), [(200, (0, 0, 0)), (424, (1, 0, 1)), (500, (0, 1, 1))], ids=["success", "client", "server"]
)
def test_each_answer_adds_one_or_zero_to_each_metric_of_errors(
    key: EndpointKey, status: int, sums: tuple[int, int, int]
) -> None:
    deploy(key, 0)
    ask(key, status)
    after(60)
    names = ("Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
    points = [found(key, name) for name in names]
    assert tuple(point["Sum"] for (point,) in points) == sums
    assert [point["SampleCount"] for (point,) in points] == [1, 1, 1]


def test_a_time_out_is_an_error_of_the_model_only() -> None:
    assert metrics.errors(0, begun=False) == metrics.errors(500, begun=True)
    assert metrics.errors(0, begun=False)["InvocationModelErrors"] == 1
    assert sum(metrics.errors(0, begun=False).values()) == 1


def test_each_instance_tells_its_requests_in_flight_every_ten_seconds(key: EndpointKey) -> None:
    deploy(key, 3, 1)
    for seconds in (10, 20):
        after(seconds)
    points = found(key, "ConcurrentRequestsPerModel", period=10)
    assert [(point["SampleCount"], point["Average"], point["Maximum"]) for point in points] == [(2, 2, 3), (2, 2, 3)]
    assert [point["Timestamp"].second for point in points] == [0, 10]


def test_concurrency_is_zero_without_traffic(key: EndpointKey) -> None:
    deploy(key, 0)
    after(10)
    assert [point["Sum"] for point in found(key, "ConcurrentRequestsPerModel", period=10)] == [0]


def test_a_minute_in_which_answers_only_end_has_no_invocations(key: EndpointKey) -> None:
    deploy(key, 1)
    metrics.add(key, "AllTraffic", {"ModelLatency": 5e7})  # of a request that came a minute before
    after(60)
    assert [point["Sum"] for point in found(key, "InvocationsPerInstance")] == [0]


def test_instances_are_counted_by_what_they_tell_of_their_cpu(key: EndpointKey) -> None:
    deploy(key, 0, 0)
    after(60)
    assert [point["SampleCount"] for point in found(key, "CPUUtilization", INSTANCES)] == [2]


def test_a_container_tells_the_load_of_its_instance(key: EndpointKey) -> None:
    deploy(key, 0, container=Loaded())
    after(60)
    assert [(point["Average"], point["Unit"]) for point in found(key, "GPUUtilization", INSTANCES)] == [(87, "Percent")]
    assert [point["Average"] for point in found(key, "CPUUtilization", INSTANCES)] == [12]


def test_old_and_new_instances_count_during_an_update(key: EndpointKey) -> None:
    new = RunningEndpoint((RunningVariant("AllTraffic", 1.0, (Instance(Answering(), in_flight=4),)),))
    deploy(key, 1, 1, new=new)
    after(60)
    assert [point["SampleCount"] for point in found(key, "CPUUtilization", INSTANCES)] == [3]
    assert [point["Sum"] for point in found(key, "ConcurrentRequestsPerModel")] == [6]


def test_an_endpoint_that_is_gone_tells_nothing_more(key: EndpointKey) -> None:
    deploy(key, 0)
    ask(key)
    HOSTED.fleet.pop(key)
    after(60)
    after(120)
    names = ("Invocations", "ConcurrentRequestsPerModel")
    points = [*(point for name in names for point in found(key, name)), *found(key, "CPUUtilization", INSTANCES)]
    assert {point["Timestamp"] for point in points} == {NOON}


def test_nothing_is_published_where_answers_take_no_time(key: EndpointKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HOSTED, "clock", None)
    deploy(key, 0)
    after(60)
    assert found(key, "CPUUtilization", INSTANCES) == found(key, "ConcurrentRequestsPerModel") == []


def test_a_container_that_breaks_off_its_answer_is_a_server_error(key: EndpointKey) -> None:
    deploy(key, 0, container=Breaking())
    ask(key)
    after(60)
    assert [point["Sum"] for point in found(key, "Invocation5XXErrors")] == [1]


def test_latencies_of_many_requests_keep_their_percentiles(key: EndpointKey) -> None:
    for latency in range(1_000_000, 3_000_000, 1_000):
        metrics.add(key, "AllTraffic", {"ModelLatency": float(latency)})
    after(60)
    (point,) = found(key, "ModelLatency")
    assert point["SampleCount"] == 2000
    assert point["Average"] == pytest.approx(2e6, rel=0.005)
    assert point["Maximum"] == pytest.approx(3e6, rel=0.005)
