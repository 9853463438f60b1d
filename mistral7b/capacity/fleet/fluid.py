"""The fast engine: amounts of requests flow through cohorts of instances, bin by bin."""

import math
from collections.abc import Callable

import numpy as np

from mistral7b.capacity.fleet.binned import BinnedTrace
from mistral7b.capacity.fleet.chunks import Floats
from mistral7b.capacity.fleet.cohort import Cohort
from mistral7b.capacity.fleet.fluid_latency import flow_latencies
from mistral7b.capacity.fleet.outcome import Samples
from mistral7b.capacity.fleet.result import Result, Summary
from mistral7b.capacity.fleet.scaling import AutoScaling
from mistral7b.capacity.fleet.service import ServiceCurve
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.scaling_policy import Policy

# What is in flight when the trace ends is followed for so long; what takes longer has timed out.
_DRAIN_S = 300.0
# New instances count as equal to the others once they have been in service for so long and carry the same load.
_SETTLING_S = 60.0
_SAME_LOAD = 0.02


def simulate_fast(
    trace: BinnedTrace,
    curve: ServiceCurve,
    fleet: Fleet,
    policy: Policy,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Runs a binned trace through a fleet under a policy.

    Its cost grows with the trace's bins, not with its requests or instances. Auto scaling is the exact engine's own.

    Args:
        trace: The counts.
        curve: The instances' service on the trace's lengths.
        fleet: The instances.
        policy: How their number changes.
        progress: Told how far it is.
    """
    return _Flow(trace, curve, fleet, policy).run(progress)


class _Flow:
    def __init__(self, trace: BinnedTrace, curve: ServiceCurve, fleet: Fleet, policy: Policy) -> None:
        self._trace, self._curve, self._fleet, self._policy = trace, curve, fleet, policy
        self._scaling = AutoScaling(policy, fleet.startup_s)
        self._samples = Samples(trace.duration_s)
        self._most = float(fleet.limits.max_concurrent_requests)
        self._bins = len(trace.counts) + math.ceil(_DRAIN_S / trace.width_s)
        self._live = [Cohort(policy.start, curve, trace, self._bins, 0)]
        self._all = list(self._live)
        self._followers: list[tuple[Cohort, int]] = []
        self._refused = 0.0
        self._since_step = 0.0

    def run(self, progress: Callable[[float], None] | None) -> Result:
        width, control = self._trace.width_s, self._scaling.next_time()
        totals = self._trace.counts.sum(axis=1)
        nothing = np.zeros(self._trace.counts.shape[1])
        for place in range(self._bins):
            if place >= len(totals):
                self._route(place, nothing, 0.0)
                continue
            if progress and place % 1000 == 0:
                progress(place / self._bins)
            total = float(totals[place])
            self._route(place, self._trace.counts[place], total)
            self._since_step += total
            while control <= min((place + 1) * width, self._trace.duration_s):
                control = self._control(control, place + 1)
        for cohort, since in self._followers:
            cohort.follow(self._all[0], since)
        return self._result()

    def _route(self, place: int, counts: Floats, total: float) -> None:
        """Hands a bin's requests to the instances, as many as MAX_CONCURRENT_REQUESTS lets in."""
        accepted = 0.0
        for cohort, amount in zip(self._live, self._shares(total), strict=True):
            accepted += amount * cohort.instances
            cohort.advance(place, counts * (amount / total) if total else counts, amount)
        self._refused += max(0.0, total - accepted)

    def _shares(self, total: float) -> list[float]:
        """What one instance of each cohort accepts of `total` requests.

        Least outstanding first, those with the fewest in flight fill up to one level; at random, all get the same.
        """
        live = self._live
        if total == 0:
            return [0.0] * len(live)
        loads = [cohort.level for cohort in live]
        if self._fleet.routing == "random":
            even = total / sum(cohort.instances for cohort in live)
            return [max(0.0, min(even, self._most - load)) for load in loads]
        level = min(_water_level(np.array(loads), np.array([cohort.instances for cohort in live]), total), self._most)
        return [max(0.0, level - load) for load in loads]

    def _control(self, now: float, place: int) -> float:
        in_flight = sum(cohort.in_flight * cohort.instances for cohort in self._live)
        change = self._scaling.step(now, in_flight, self._since_step)
        self._since_step = 0.0
        self._merge(place)
        if change.added:
            made = Cohort(change.added, self._curve, self._trace, self._bins, place)
            self._live.append(made)
            self._all.append(made)
        self._remove(change.removed)
        self._samples.add(now, in_flight, self._scaling.in_service, self._scaling.capacity)
        return self._scaling.next_time()

    def _merge(self, place: int) -> None:
        """Lets cohorts that have come to equal the first one become part of it."""
        first = self._live[0]
        for cohort in self._live[1:]:
            settled = (place - cohort.first_bin) * self._trace.width_s >= _SETTLING_S
            if settled and abs(cohort.in_flight - first.in_flight) <= _SAME_LOAD * first.in_flight + 0.01:
                first.instances += cohort.instances
                self._live.remove(cohort)
                self._followers.append((cohort, place))

    def _remove(self, count: int) -> None:
        """Takes instances with the fewest in flight out of service."""
        for cohort in sorted(self._live, key=lambda each: each.in_flight):
            taken = min(count, cohort.instances)
            cohort.instances -= taken
            count -= taken

    def _result(self) -> Result:
        round_trip, start = self._fleet.parameters.round_trip, self._policy.start
        found = flow_latencies(self._trace, self._curve, self._all, round_trip)
        timeline = self._samples.timeline(start)
        requests = float(self._trace.counts.sum())
        summary = Summary(
            policy=self._policy.name,
            engine="fast",
            requests=requests,
            answered=requests - self._refused - found.timed_out,
            refused=self._refused,
            timed_out=found.timed_out,
            latency_s=found.latency_s,
            per_token_ms=found.per_token_ms,
            instance_hours=self._samples.instance_hours(start),
            most_instances=int(timeline.capacity.max()),
        )
        return Result(summary, timeline, found.over_time)


def _water_level(loads: Floats, sizes: Floats, total: float) -> float:
    """The level up to which `total` fills instances of these loads, lowest first."""
    order = np.argsort(loads)
    loads, sizes = loads[order], sizes[order]
    levels = (total + np.cumsum(sizes * loads)) / np.maximum(np.cumsum(sizes), 1e-9)
    # The first level that does not reach the next cohort's load.
    fits = np.append(levels[:-1] <= loads[1:], True)
    return float(levels[np.argmax(fits)])
