"""How many instances a workload needs, and when auto scaling has to add some."""

import math
from dataclasses import dataclass

from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.planner.candidates import Pinned
from mistral7b.capacity.planner.queue import fewest_instances, in_flight, most_rate
from mistral7b.capacity.planner.service import Service
from mistral7b.workload import Workload
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


@dataclass(frozen=True, slots=True)
class Size:
    """Instances at least and at most, and the requests in flight per instance that scaling aims at."""

    min_instances: int
    max_instances: int
    target: float


def most_refused(workload: Workload) -> float:
    """The share of requests that may be refused by the closed form."""
    return _REFUSED_OF_LOST * workload.objective.lost_percent / 100


def climb(workload: Workload) -> float:
    """Requests per second that the rate rises while another instance is being added.

    The rate is taken to climb from average to peak in a straight line, over `climb_minutes`.
    """
    rise = workload.requests_per_second.peak - workload.requests_per_second.average
    return rise * min(1.0, REACTION_S / max(60 * workload.climb_minutes, 1.0))


def size(workload: Workload, limit: int, service: Service, pinned: Pinned) -> Size | None:
    """The size for instances that admit `limit` requests each; None if MOST_INSTANCES, or those pinned, are too few.

    The instances that always run have to bear the average and what is added by the climb until another one serves;
    then more instances, which bear a greater share of what they can, do so at the same target, too.
    """
    rate, refused = workload.requests_per_second, most_refused(workload)
    rise = climb(workload)
    most = pinned.max_instances or MOST_INSTANCES
    low = pinned.min_instances or fewest_instances(rate.average + rise, limit, service.speed, refused, most)
    high = fewest_instances(rate.peak, limit, service.speed, refused, most)
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
    return Size(low, high, max(0.1, math.floor(10 * mean) / 10))
