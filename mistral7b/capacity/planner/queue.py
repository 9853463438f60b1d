"""Instances behind least-outstanding routing, in closed form: how many requests are in flight, how many are refused.

Requests come as a Poisson process and share what an instance does, which depends on how many it has: processor sharing
at a state-dependent speed. Of such queues the distribution of the number in flight depends on the mean answer alone,
not on the lengths' distribution (Cohen, "The multiple phase service network with generalized processor sharing", Acta
Informatica 12, 1979): it is that of a birth and death process. Least-outstanding routing keeps instances level, so all
of them together are taken for one queue, which serves n · speed(in flight / n).
"""

from bisect import bisect_left
from collections.abc import Callable
from math import exp, log

Speed = Callable[[float], float]
"""Answers a second of one instance, by its requests in flight."""

# What is left out of a sum: the rest is less than this share of it.
_NEGLIGIBLE = 1e-12
_STEPS = 40


def refused_share(rate: float, instances: int, limit: int, speed: Speed) -> float:
    """Share of the requests that find all places taken.

    `rate` is to all instances, in requests per second; `limit` is MAX_CONCURRENT_REQUESTS of each.

    With Poisson arrivals that is the probability that all are. Over the states from the top down, the probability of N
    in flight relative to `most` is the product of speed / rate above N.
    """
    total = term = 1.0
    for number in range(instances * limit, 0, -1):
        term *= instances * speed(number / instances) / rate
        total += term
        if term < _NEGLIGIBLE * total or total > 1 / _NEGLIGIBLE:
            break
    return 1 / total


def in_flight(rate: float, instances: int, limit: int, speed: Speed) -> list[float]:
    """The probability of each number in flight, from 0 to `instances` · `limit`."""
    logs = [0.0]
    for number in range(1, instances * limit + 1):
        logs.append(logs[-1] + log(rate / (instances * speed(number / instances))))
    top = max(logs)
    weights = [exp(value - top) for value in logs]
    total = sum(weights)
    return [weight / total for weight in weights]


def most_rate(instances: int, limit: int, speed: Speed, refused: float) -> float:
    """The largest rate (requests per second to all instances) of which no more than the share `refused` is refused."""
    low, high = 0.0, instances * speed(limit) / (1 - refused)  # what is answered is `instances` · `speed` at most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if refused_share(middle, instances, limit, speed) <= refused:
            low = middle
        else:
            high = middle
    return low


def fewest_instances(rate: float, limit: int, speed: Speed, refused: float, most: int) -> int | None:
    """The fewest instances, `most` at most, that refuse no more than the share `refused`; None if none are enough."""
    found = 1 + bisect_left(range(1, most + 1), True, key=lambda n: refused_share(rate, n, limit, speed) <= refused)
    return found if found <= most else None
