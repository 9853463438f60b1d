"""The simulation: every request, every scheduler event of every instance; and what it yields."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

import numpy as np

from mistral7b.capacity.fleet.trace import Floats, Trace
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance
from scaling_rules import AutoScaling, Policy

_SLICE = 50_000
_REFUSED = -1.0
_QUANTILES = (0.5, 0.95, 0.99)
_FLAP_S = 900.0


@dataclass(frozen=True, eq=False)
class LatencyOverTime:
    """By window of time: its middle, latency of the requests that came (NaN: none answered), their rate, share lost."""

    times: Floats
    p50_s: Floats
    p95_s: Floats
    rate: Floats
    lost: Floats


@dataclass(frozen=True, eq=False)
class Timeline:
    """Every ten seconds, and whenever the fleet changes. `capacity` counts instances that are starting, too."""

    times: Floats
    in_flight: Floats
    in_service: Floats
    capacity: Floats


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A policy's result over a whole trace.

    Each request is answered within SageMaker's limit, refused with 429, or timed out. Latencies are quantiles (50%,
    95%, 99%) of the answered requests, round trip included, NaN without any. Instances count from their start-up on.
    `flaps`: how often an instance is added within 15 minutes after one was taken away.
    """

    policy: str
    requests: float
    answered: float
    refused: float
    timed_out: float
    latency_s: tuple[float, ...]
    per_token_ms: tuple[float, ...]
    first_token_s: tuple[float, ...]
    instance_hours: float
    most_instances: int
    flaps: int


@dataclass(frozen=True, eq=False)
class Result:
    """A policy's summary, and the fleet and its latency over time."""

    summary: Summary
    timeline: Timeline
    latency: LatencyOverTime


@dataclass(slots=True, eq=False)
class _Member:
    """An instance of the fleet: its scheduler, its place in the list of those in service, its next event."""

    tgi: TgiInstance
    place: int  # -1: out of service, finishes what it has
    due: float = inf


def simulate(
    trace: Trace, fleet: Fleet, policy: Policy, progress: Callable[[float], None] = lambda _share: None
) -> Result:
    """Runs a trace through a fleet under a policy, event by event; `progress` is told the share that is done.

    Raises UnservableRequestError if the router would never let a request in.
    """
    return _Simulation(trace, fleet, policy).run(progress)


def least_outstanding(in_flight: list[int], last: int) -> int:
    """Place of an instance with the fewest requests in flight: of equals, the next one after `last`."""
    fewest = min(in_flight)
    try:
        return in_flight.index(fewest, last + 1)
    except ValueError:
        return in_flight.index(fewest)


class _Simulation:
    def __init__(self, trace: Trace, fleet: Fleet, policy: Policy) -> None:
        self._fleet = fleet
        self._policy = policy
        self._requests = trace
        self._scaling = AutoScaling(policy, fleet.startup_s)
        self._members: list[_Member] = []
        self._in_flight: list[int] = []
        # (time, tie-breaker, member); an entry whose time is no longer the member's is skipped.
        self._events: list[tuple[float, int, _Member]] = []
        self._pushed = 0
        self._since_step = 0
        # The container's seconds for each request: negative if refused, NaN while it runs.
        self._seconds: Floats = np.full(self._requests.times.size, np.nan)
        self._first: Floats = np.full(self._requests.times.size, np.nan)
        # (time, in flight, in service, capacity), which hold from that time on.
        self._samples: list[tuple[float, ...]] = [(0.0, 0.0, policy.start, policy.start)]
        for _ in range(policy.start):
            self._add()

    def run(self, progress: Callable[[float], None]) -> Result:
        requests, count, place = self._requests, self._requests.times.size, -1
        most = requests.max_new_tokens
        control = self._scaling.next_time()
        events, in_flight, members = self._events, self._in_flight, self._members
        for start in range(0, count, _SLICE):
            progress(start / count)
            part = slice(start, start + _SLICE)
            rows = zip(
                requests.times[part].tolist(), requests.inputs[part].tolist(), requests.outputs[part].tolist(),
                strict=True,
            )  # fmt: skip
            for number, (time, prompt, answer) in enumerate(rows, start):
                while control <= time:
                    control = self._control(control)
                while events and events[0][0] <= time:
                    self._pop()
                place = least_outstanding(in_flight, place)
                member = members[place]
                self._since_step += 1
                if member.tgi.offer(Request(time, prompt, answer, most or answer, number), time):
                    in_flight[place] += 1
                    self._schedule(member)
                else:
                    self._seconds[number] = _REFUSED
        while control <= self._requests.duration_s:
            control = self._control(control)
        while events:
            self._pop()
        return self._result()

    def _pop(self) -> None:
        time, _, member = heappop(self._events)
        if time != member.due:
            return
        finished = member.tgi.advance(time)
        for request in finished:
            self._seconds[request.number] = request.latency
            self._first[request.number] = request.first_token - request.arrival
        if member.place >= 0:
            self._in_flight[member.place] -= len(finished)
        member.due = inf
        self._schedule(member)

    def _schedule(self, member: _Member) -> None:
        due = member.tgi.next_event()
        if due is not None and due != member.due:
            member.due = due
            self._pushed += 1
            heappush(self._events, (due, self._pushed, member))

    def _control(self, now: float) -> float:
        """Lets auto scaling act at `now`; returns when it acts next."""
        while self._events and self._events[0][0] <= now:
            self._pop()
        change = self._scaling.step(now, sum(self._in_flight), self._since_step)
        self._since_step = 0
        for _ in range(change.added):
            self._add()
        for _ in range(change.removed):
            self._remove()
        self._samples.append((now, sum(self._in_flight), self._scaling.in_service, self._scaling.capacity))
        return self._scaling.next_time()

    def _add(self) -> None:
        self._members.append(_Member(TgiInstance(self._fleet.parameters, self._fleet.limits), len(self._members)))
        self._in_flight.append(0)

    def _remove(self) -> None:
        """Takes an instance with the fewest in flight out of service; it finishes what it has."""
        place = self._in_flight.index(min(self._in_flight))
        leaving, last = self._members[place], self._members.pop()
        last_count = self._in_flight.pop()
        if leaving is not last:
            self._members[place] = last
            self._in_flight[place] = last_count
            last.place = place
        leaving.place = -1

    def _result(self) -> Result:
        seconds, trip = self._seconds, self._fleet.parameters.round_trip
        late = seconds > self._fleet.answer_limit_s
        answered = (seconds >= 0) & ~late
        latency = np.where(answered, seconds + trip, np.nan)
        timeline = Timeline(*np.array(self._samples).T)
        steps = np.diff(timeline.capacity)
        removed, added = timeline.times[1:][steps < 0], timeline.times[1:][steps > 0]
        since = added - np.append(-inf, removed)[np.searchsorted(removed, added)]
        summary = Summary(
            policy=self._policy.name,
            requests=float(seconds.size),
            answered=float(np.count_nonzero(answered)),
            refused=float(np.count_nonzero(seconds == _REFUSED)),
            timed_out=float(np.count_nonzero(late)),
            latency_s=_quantiles(latency, _QUANTILES),
            per_token_ms=_quantiles(1000 * latency / self._requests.outputs, _QUANTILES),
            first_token_s=_quantiles(np.where(answered, self._first + trip, np.nan), _QUANTILES),
            instance_hours=self._instance_hours(timeline),
            most_instances=int(timeline.capacity.max()),
            flaps=int(np.count_nonzero(since <= _FLAP_S)),
        )
        return Result(summary, timeline, self._over_time(latency))

    def _instance_hours(self, timeline: Timeline) -> float:
        """Hours of all instances, which are billed from their launch on; without what they finish after a scale-in."""
        within = timeline.times < self._requests.duration_s
        lasting = np.diff(timeline.times[within], append=self._requests.duration_s)
        return float(np.sum(lasting * timeline.capacity[within])) / 3600

    def _over_time(self, latency: Floats) -> LatencyOverTime:
        """Latency and rate in a hundred or so equal windows of the trace, of ten seconds at least."""
        edges = np.linspace(0.0, self._requests.duration_s, max(1, min(100, int(self._requests.duration_s / 10))) + 1)
        bounds = np.searchsorted(self._requests.times, edges)
        parts = [latency[low:high] for low, high in itertools.pairwise(bounds)]
        p50, p95 = np.array([_quantiles(part, (0.5, 0.95)) for part in parts]).T
        lost = np.array([np.isnan(part).mean() if part.size else 0.0 for part in parts])
        return LatencyOverTime(edges[:-1] + np.diff(edges) / 2, p50, p95, np.diff(bounds) / np.diff(edges), lost)


def _quantiles(values: Floats, shares: tuple[float, ...]) -> tuple[float, ...]:
    """Quantiles of the values that are not NaN; NaN without any."""
    known = values[~np.isnan(values)]
    return tuple(np.quantile(known, shares).tolist()) if known.size else (float("nan"),) * len(shares)
