"""What to expect of instances at a rate: latencies, and requests lost, without simulating how they come."""

from collections import defaultdict
from dataclasses import dataclass

from mistral7b.capacity.hosting import ANSWER_LIMIT_S
from mistral7b.capacity.planner.full_load import FullLoad
from mistral7b.capacity.planner.queue import in_flight, refused_share
from mistral7b.capacity.planner.service import Service

_UNLIKELY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """So many instances at so many requests per second.

    Attributes:
        requests_per_second: in all.
        instances: that share them.
        in_flight: requests of one instance on average.
        refused: share that gets 429.
        timed_out: share of the others that exceeds SageMaker's 60 s.
        p50_ms_per_token, p95_ms_per_token, p50_seconds, p95_seconds: of answered requests, the client's whole wait.
    """

    requests_per_second: float
    instances: int
    in_flight: float
    refused: float
    timed_out: float
    p50_ms_per_token: float
    p95_ms_per_token: float
    p50_seconds: float
    p95_seconds: float


def expect(rate: float, instances: int, limit: int, service: Service) -> Expectation:
    """The expectation for Poisson arrivals at `rate` (requests per second) to instances that admit `limit` each.

    A request finds the others as they are at any time, and takes about as long as with so many in flight throughout:
    quantiles are those of the full loads, mixed by how likely each is.
    """
    likely = in_flight(rate, instances, limit, service.speed)
    shares: dict[int, float] = defaultdict(float)
    loads: dict[int, FullLoad] = {}
    for number, probability in enumerate(likely[:-1]):  # all places taken: it is refused
        if probability > _UNLIKELY:
            for load, share in service.weights(max(1.0, (number + 1) / instances)):
                shares[load.in_flight] += probability * share
                loads[load.in_flight] = load
    mixed = [(loads[number], share) for number, share in shares.items() if share > _UNLIKELY]
    seconds = _quantiles([(load.seconds, share) for load, share in mixed])
    per_token = _quantiles([(load.ms_per_token, share) for load, share in mixed])
    total = sum(share for _, share in mixed)
    late = sum(share * sum(s > ANSWER_LIMIT_S for s in load.container_s) / len(load.seconds) for load, share in mixed)
    return Expectation(
        requests_per_second=rate,
        instances=instances,
        in_flight=sum(number * probability for number, probability in enumerate(likely)) / instances,
        refused=refused_share(rate, instances, limit, service.speed),
        timed_out=late / total,
        p50_ms_per_token=per_token[0],
        p95_ms_per_token=per_token[1],
        p50_seconds=seconds[0],
        p95_seconds=seconds[1],
    )


def _quantiles(parts: list[tuple[list[float], float]]) -> tuple[float, float]:
    """Median and 95% quantile of lists of values, each list with its share of the whole."""
    pool = sorted((value, share / len(values)) for values, share in parts for value in values)
    total = sum(weight for _, weight in pool)
    found, summed = [], 0.0
    levels = [0.5 * total, 0.95 * total]
    for value, weight in pool:
        summed += weight
        while levels and summed >= levels[0]:
            levels.pop(0)
            found.append(value)
    found += [pool[-1][0]] * (2 - len(found))
    return found[0], found[1]
