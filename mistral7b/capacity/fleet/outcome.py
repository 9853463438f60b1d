"""What became of each request, and the fleet at each step: the simulation's records."""

import itertools

import numpy as np

from mistral7b.capacity.fleet.chunks import Chunk, Floats
from mistral7b.capacity.fleet.result import LatencyOverTime, Summary, Timeline, quantiles, windows
from mistral7b.capacity.hosting import ANSWER_LIMIT_S

_REFUSED = -1.0


class Outcomes:
    """The container's seconds for each request; negative for a refused one, NaN while it runs."""

    def __init__(self, requests: Chunk) -> None:
        self._requests = requests
        self.seconds: Floats = np.full(requests.times.size, np.nan)

    def finish(self, number: int, seconds: float) -> None:
        """Request `number` has taken so long in the container."""
        self.seconds[number] = seconds

    def refuse(self, number: int) -> None:
        """Request `number` was refused with 429."""
        self.seconds[number] = _REFUSED

    def summary(self, policy: str, round_trip: float, instance_hours: float, most_instances: int) -> Summary:
        """Counts and quantiles once every request has ended."""
        answered = self.answered()
        latency = self.seconds[answered] + round_trip
        return Summary(
            policy=policy,
            engine="exact",
            requests=float(self.seconds.size),
            answered=float(np.count_nonzero(answered)),
            refused=float(np.count_nonzero(self.seconds == _REFUSED)),
            timed_out=float(np.count_nonzero(self.seconds > ANSWER_LIMIT_S)),
            latency_s=quantiles(latency),
            per_token_ms=quantiles(1000 * latency / self._requests.outputs[answered]),
            instance_hours=instance_hours,
            most_instances=most_instances,
        )

    def answered(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which requests were answered in time, shape (requests,)."""
        return (self.seconds >= 0) & (self.seconds <= ANSWER_LIMIT_S)

    def over_time(self, duration_s: float, round_trip: float) -> LatencyOverTime:
        """Latency and rate by windows of the trace."""
        edges = windows(duration_s)
        bounds = np.searchsorted(self._requests.times, edges)
        p50, p95 = np.full(edges.size - 1, np.nan), np.full(edges.size - 1, np.nan)
        answered = self.answered()
        for place, (low, high) in enumerate(itertools.pairwise(bounds.tolist())):
            latency = self.seconds[low:high][answered[low:high]]
            if latency.size:
                p50[place], p95[place] = np.quantile(latency, (0.5, 0.95)) + round_trip
        return LatencyOverTime(edges[:-1] + np.diff(edges) / 2, p50, p95, np.diff(bounds) / np.diff(edges))


class Samples:
    """The fleet at each step of auto scaling, from 0 to `duration_s`."""

    def __init__(self, duration_s: float) -> None:
        self._duration = duration_s
        self._rows: list[tuple[float, float, float, float]] = []

    def add(self, now: float, in_flight: float, in_service: float, capacity: float) -> None:
        """Notes the state that holds from `now` on."""
        self._rows.append((now, in_flight, in_service, capacity))

    def instance_hours(self, start: int) -> float:
        """Hours of all instances over the trace, starting ones included; `start` ran at first.

        SageMaker bills an instance by the second from its launch until it is gone. What it takes to finish requests
        after a scale-in, a minute at most of some instances, is left out.
        """
        rows = [row for row in self._rows if row[0] < self._duration]
        times = np.array([0.0, *(row[0] for row in rows), self._duration])
        capacity = np.array([start, *(row[3] for row in rows)])
        return float(np.sum(np.diff(times) * capacity)) / 3600

    def timeline(self, start: int) -> Timeline:
        """The samples as arrays; `start` instances ran at first."""
        return Timeline(*np.array([(0.0, 0.0, start, start), *self._rows]).T)
