"""CloudWatch metrics of endpoints, from what happened: of their requests, and of their instances.

Names, units, dimensions and resolution: SageMaker guide, "Metrics for monitoring Amazon SageMaker AI with CloudWatch".
At speed `instant` there are none.
"""

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from moto.cloudwatch.models import cloudwatch_backends

from sagehost.clock import CLOCK
from sagehost.hosting.endpoints import HOSTED
from sagehost.hosting.fleet import EndpointKey
from sagehost.moto_app import STATE

_REQUESTS, _INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
_LATENCIES = ("ModelLatency", "OverheadLatency")
_MOST_VALUES = 150  # that PutMetricData takes of a metric at once

_Counts = defaultdict[str, Counter[float]]  # how often each value of a metric was seen

_LOCK = threading.Lock()
_ADDED = defaultdict[tuple[EndpointKey, str], _Counts](lambda: defaultdict(Counter))
_WITHOUT_TRAFFIC = {name: Counter([0.0]) for name in ("Invocations", "InvocationsPerInstance")}
"""By these zeros an endpoint scales in to its minimum (SageMaker guide, "Prerequisites" of auto scaling)."""


def add(key: EndpointKey, variant: str, values: Mapping[str, float]) -> None:
    """Adds a value to metrics of a variant's requests, for the current minute."""
    with _LOCK:
        counts = _ADDED[key, variant]
        for name, value in values.items():
            # Three digits are enough for percentiles, and bound how many values there are.
            counts[name][float(f"{value:.3g}") if name in _LATENCIES else value] += 1


def errors(status: int, *, begun: bool) -> dict[str, float]:
    """The metrics of errors for the status of a container's answer; 0 stands for none in time.

    An answer that fails after it has `begun` had no such status: it only counts as the model's error.
    """
    client, server = (not begun and first <= status < first + 100 for first in (400, 500))
    told = {"4XXErrors": client, "5XXErrors": server, "ModelErrors": not 200 <= status < 300}
    return {f"Invocation{name}": float(so) for name, so in told.items()}


def _publish_concurrency(now: float) -> None:
    for key, endpoint in list(HOSTED.fleet.items()) if HOSTED.clock else ():
        for variant, instances in endpoint.instances.items():
            in_flight = Counter(float(one.in_flight) for one in instances)
            _publish(now, 10, _REQUESTS, key, variant, {"ConcurrentRequestsPerModel": in_flight})


def _publish_minute(now: float) -> None:
    serving = list(HOSTED.fleet.items()) if HOSTED.clock else []
    with _LOCK:
        added: dict[tuple[EndpointKey, str], Mapping[str, Counter[float]]] = dict(_ADDED)
        _ADDED.clear()
    for place in [(key, variant) for key, endpoint in serving for variant in endpoint.instances]:
        added[place] = {**_WITHOUT_TRAFFIC, **added.get(place, {})}
    for (key, variant), counts in added.items():
        _publish(now, 60, _REQUESTS, key, variant, counts)
    for key, endpoint in serving:
        for variant, instances in endpoint.instances.items():
            loads: _Counts = defaultdict(Counter)
            for one in instances:
                # Dashboards count instances by the samples of CPUUtilization; ours have no CPU to measure.
                told = {"CPUUtilization": 0.0, **getattr(one.container, "utilization", dict)()}
                for name, value in told.items():
                    loads[name][float(f"{value:.3g}")] += 1
            _publish(now, 60, _INSTANCES, key, variant, loads)


def _publish(  # noqa: PLR0917
    now: float, period: int, namespace: str, key: EndpointKey, variant: str, counts: Mapping[str, Counter[float]]
) -> None:
    began = (math.ceil(now / period) - 1) * period
    common = {
        "Dimensions": [{"Name": "EndpointName", "Value": key.name}, {"Name": "VariantName", "Value": variant}],
        "Timestamp": datetime.fromtimestamp(began, UTC).replace(tzinfo=None),  # as moto has times
    }
    data = []
    for name, counted in counts.items():
        unit = "Microseconds" if name in _LATENCIES else "Percent" if namespace == _INSTANCES else "None"
        values = sorted(counted)
        for at in range(0, len(values), _MOST_VALUES):
            some = values[at : at + _MOST_VALUES]
            told = {"MetricName": name, "Unit": unit, "Values": some, "Counts": [counted[one] for one in some]}
            data.append(common | told)
    with STATE:
        cloudwatch_backends[key.account][key.region].put_metric_data(namespace, data)


CLOCK.every(10.0, _publish_concurrency)
CLOCK.every(60.0, _publish_minute)
