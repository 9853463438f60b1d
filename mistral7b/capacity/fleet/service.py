"""How fast an instance serves, by its load: measured with the exact scheduler on the trace's own lengths."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

import numpy as np

from mistral7b.capacity.fleet.chunks import Chunk, Floats
from mistral7b.capacity.fleet.routing import router
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance

SPREAD = 5
"""Points of the distribution of the time to the first token about its mean."""

_LOADS = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 181, 256, 362, 512)
_GROUP = 4
# Requests per point: more where one request's length weighs less on the load.
_FEWEST_REQUESTS, _REQUESTS_PER_LOAD, _MOST_REQUESTS = 2000, 250, 8192
# Callers think for half of the time that answers take: enough to keep arrivals apart from departures.
_THINKING = 0.5


@dataclass(frozen=True, eq=False)
class ServiceCurve:
    """Service of one instance of a fleet, by its requests in flight.

    Attributes:
        in_flight: Mean requests in flight, ascending from 0, shape (points,).
        running: Of those, the mean number beyond their first token, shape (points,).
        tokens_per_s: Decode steps a second of a running request, with the pauses by prefills, shape (points,).
        spread: Time to the first token over its mean, at SPREAD equally likely levels, shape (points, SPREAD).
    """

    in_flight: Floats
    running: Floats
    tokens_per_s: Floats
    spread: Floats


def measure_service(fleet: Fleet, sample: Chunk, progress: Callable[[float], None] | None = None) -> ServiceCurve:
    """The service curve of a fleet's instances on requests of these lengths.

    Each point is a closed group of four instances and as many callers as keep it at one load, some 2,000 to 8,000
    requests through the exact scheduler. Closed, as only that has a steady state at every load, overload included.
    """
    most = fleet.limits.max_concurrent_requests
    loads = [load for load in _LOADS if load < most] + [most]
    points = []
    for number, load in enumerate(loads):
        if progress:
            progress(number / len(loads))
        points.append(_Group(fleet, sample, load).run())
    points.sort(key=lambda point: point[0])
    return ServiceCurve(
        in_flight=np.array([0.0, *(point[0] for point in points)]),
        running=np.array([0.0, *(point[1] for point in points)]),
        tokens_per_s=np.array([points[0][2], *(point[2] for point in points)]),
        spread=np.array([points[0][3], *(point[3] for point in points)]),
    )


class _Group:
    """Callers that ask, wait for the answer, think (exponential) and ask again, over a few instances."""

    def __init__(self, fleet: Fleet, sample: Chunk, load: float) -> None:
        self._members = [TgiInstance(fleet.parameters, fleet.limits) for _ in range(_GROUP)]
        self._in_flight = [0] * _GROUP
        self._due = [inf] * _GROUP
        self._route = router(fleet.routing, 0)
        self._rng = np.random.default_rng(1)
        self._lengths = self._rng.permutation(np.column_stack([sample.inputs, sample.outputs])).tolist()
        self._asked = 0
        self._events: list[tuple[float, int, int]] = []  # (time, tie-breaker, instance; -1 is a caller)
        self._pushed = 0
        thinking = _THINKING if load < fleet.limits.max_concurrent_requests else 0.0
        self._callers = max(1, round(load * _GROUP * (1 + thinking)))
        self._wanted = int(min(max(_FEWEST_REQUESTS, _REQUESTS_PER_LOAD * load), _MOST_REQUESTS)) + self._callers
        self._think_s = thinking * fleet.parameters.decode_step * float(np.mean(sample.outputs))
        self._thinking = thinking
        self._in_flight_s = self._running_s = 0.0
        self._tokens = 0
        self._first_tokens: list[float] = []

    def run(self) -> tuple[float, float, float, Floats]:
        """In flight and running per instance, tokens a second of a running request, and the spread."""
        for caller in range(self._callers):
            self._push(self._think() + caller * 1e-6, -1)
        done, warm, last, began = 0, max(self._callers, 200), 0.0, 0.0
        while done < self._wanted:
            now, _, which = heappop(self._events)
            if done >= warm:
                self._in_flight_s += sum(self._in_flight) * (now - last)
                self._running_s += sum(member.running for member in self._members) * (now - last)
            else:
                began = now
            last = now
            if which < 0:
                self._ask(now)
            elif now == self._due[which]:
                done += self._collect(which, now, done >= warm)
        span = (last - began) * _GROUP
        first_tokens = np.array(self._first_tokens)
        levels = np.quantile(first_tokens, (np.arange(SPREAD) + 0.5) / SPREAD)
        return (
            self._in_flight_s / span,
            self._running_s / span,
            self._tokens / self._running_s,
            levels / levels.mean(),
        )

    def _ask(self, now: float) -> None:
        prompt, answer = self._lengths[self._asked % len(self._lengths)]
        place = self._route(self._in_flight)
        if not self._members[place].offer(Request(now, prompt, answer), now):
            self._push(now + self._think() + 0.01, -1)
            return
        self._asked += 1
        self._in_flight[place] += 1
        self._plan(place)

    def _collect(self, which: int, now: float, counted: bool) -> int:
        finished = self._members[which].advance(now)
        for request in finished:
            self._in_flight[which] -= 1
            self._think_s += 0.02 * (self._thinking * request.latency - self._think_s)
            self._push(now + self._think(), -1)
            if counted:
                self._first_tokens.append(request.time_to_first_token)
        if counted:
            self._tokens += sum(request.output_tokens - 1 for request in finished)
        self._due[which] = inf
        self._plan(which)
        return len(finished)

    def _plan(self, which: int) -> None:
        due = self._members[which].next_event()
        if due is not None and due != self._due[which]:
            self._due[which] = due
            self._push(due, which)

    def _think(self) -> float:
        return float(self._rng.exponential(self._think_s)) if self._think_s else 0.0

    def _push(self, time: float, which: int) -> None:
        self._pushed += 1
        heappush(self._events, (time, self._pushed, which))
