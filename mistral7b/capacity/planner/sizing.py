"""How many instances a workload needs, when auto scaling has to add some, and what to expect of them."""

import math
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate

from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.planner.candidates import Pinned
from mistral7b.capacity.planner.full_load import FullLoad
from mistral7b.capacity.planner.queue import fewest_instances, in_flight, most_rate, refused_share
from mistral7b.capacity.planner.service import Service
from mistral7b.workload import UNITS, Workload
from scaling_rules import METRIC_RULES

MOST_INSTANCES = 100
"""As many as an environment file may ask for."""

STARTUP_S: float = Fleet.startup_s
"""Seconds from the scaling decision until an instance serves: an assumption, as AWS documents "minutes"."""

_RULE = METRIC_RULES["concurrency"]
REACTION_S = _RULE.period_s * _RULE.points_out + STARTUP_S
"""Seconds from the target being exceeded until another instance serves: the alarm's data points, and the start-up."""

# The closed form of refusals understates those of one or two instances by up to a factor of three, as requests that
# come together slow each other by their prefills (docs/sizing.md). So it may use a quarter of what may be lost.
_REFUSED_OF_LOST = 0.25
_UNLIKELY = 1e-9


def most_refused(workload: Workload) -> float:
    """The share of requests that may be refused by the closed form."""
    return _REFUSED_OF_LOST * workload.objective.lost_percent / 100


def climb(workload: Workload) -> float:
    """Requests per second that the rate rises while another instance is being added.

    The rate is taken to climb from average to peak in a straight line, over `climb_minutes`.
    """
    rise = workload.requests_per_second.peak - workload.requests_per_second.average
    return rise * min(1.0, REACTION_S / max(60 * workload.climb_minutes, 1.0))


def size(workload: Workload, limit: int, service: Service, pinned: Pinned) -> tuple[int, int, float, float] | None:
    """Instances at least and at most, if each admits `limit` requests, those in flight that scaling aims at, most rate.

    The most bear the peak and the workload's headroom. None if MOST_INSTANCES, or those pinned, are too few.

    The instances that always run have to bear the average and what is added by the climb until another one serves;
    then more instances, which bear a greater share of what they can, do so at the same target, too.
    """
    rate, refused = workload.requests_per_second, most_refused(workload)
    rise, peak = climb(workload), rate.peak * (1 + workload.headroom_percent / 100)
    most = pinned.max_instances or MOST_INSTANCES
    low = pinned.min_instances or fewest_instances(rate.average + rise, limit, service.speed, refused, most)
    high = fewest_instances(peak, limit, service.speed, refused, most)
    if low is None or high is None:
        return None
    if pinned.min_instances is None and workload.survives_zone:
        low = max(low, 2)
    high = pinned.max_instances or max(low, high)
    if low > high:
        return None
    bearable = max(most_rate(low, limit, service.speed, refused) - rise, rate.average)
    likely = in_flight(bearable, low, limit, service.speed)
    mean = sum(number * probability for number, probability in enumerate(likely)) / low
    target = min(max(0.1, math.floor(10 * mean) / 10), limit)
    return low, high, target, most_rate(high, limit, service.speed, refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Instances that share a rate; `in_flight` is of each, `timed_out` of the requests that are admitted."""

    requests_per_second: float
    instances: int
    in_flight: float
    refused: float
    timed_out: float
    latencies: dict[str, float]

    @property
    def answered_per_second(self) -> float:
        """Requests that are neither refused nor late."""
        return self.requests_per_second * (1 - self.refused) * (1 - self.timed_out)


def expect(rate: float, instances: int, limit: int, service: Service) -> Expectation:
    """The expectation for Poisson arrivals at `rate` (requests per second) to instances that admit `limit` each.

    A request finds the others as they are at any time, and takes about as long as with so many in flight throughout:
    quantiles are those of the full loads, mixed by how likely each is.
    """
    likely = in_flight(rate, instances, limit, service.speed)
    shares: dict[FullLoad, float] = defaultdict(float)
    for number, probability in enumerate(likely[:-1]):  # all places taken: it is refused
        if probability > _UNLIKELY:
            for load, share in service.weights(max(1.0, (number + 1) / instances)):
                shares[load] += probability * share
    mixed = [(load, share) for load, share in shares.items() if share > _UNLIKELY]
    latencies = dict[str, float]()
    for unit in UNITS:
        both = _quantiles([(getattr(load, unit), share) for load, share in mixed])
        latencies |= dict(zip((f"p50_{unit}", f"p95_{unit}"), both, strict=True))
    total, most = sum(share for _, share in mixed), service.answer_limit_s
    late = sum(share * sum(s > most for s in load.container_s) / len(load.seconds) for load, share in mixed)
    return Expectation(
        requests_per_second=rate,
        instances=instances,
        in_flight=sum(number * probability for number, probability in enumerate(likely)) / instances,
        refused=refused_share(rate, instances, limit, service.speed),
        timed_out=late / total,
        latencies=latencies,
    )


def _quantiles(parts: list[tuple[list[float], float]]) -> tuple[float, float]:
    """Median and 95% quantile of lists of values, each list with its share of the whole."""
    pool = sorted((value, share / len(values)) for values, share in parts for value in values)
    summed = list(accumulate(weight for _, weight in pool))
    p50, p95 = (pool[bisect_left(summed, level * summed[-1])][0] for level in (0.5, 0.95))
    return p50, p95
