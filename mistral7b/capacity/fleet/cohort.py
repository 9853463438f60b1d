"""Instances that came into service together: the fluid engine's unit, one state for all of them."""

from collections import deque

import numpy as np

from mistral7b.capacity.fleet.binned import BinnedTrace
from mistral7b.capacity.fleet.chunks import Floats
from mistral7b.capacity.fleet.service import ServiceCurve


class Cohort:
    """The mean instance of a cohort. All amounts of requests are per instance, and not whole.

    Requests wait in a FIFO queue until their first token. Running ones share the instance: all get tokens at the same
    rate, so a clock of tokens (`tokens`) tells when each ends: at the reading at its first token plus its length
    (virtual time, as in processor sharing: Kleinrock, *Queueing Systems* II, 4.4). How many run, and how fast, follows
    from the number in flight by the service curve.
    """

    def __init__(self, instances: int, curve: ServiceCurve, trace: BinnedTrace, bins: int, first_bin: int) -> None:
        classes = trace.counts.shape[1]
        self.instances = instances
        self.first_bin = first_bin
        self.waiting = 0.0
        self.running = 0.0
        self._curve = curve
        self._width = trace.width_s
        self._after_first = np.maximum(np.rint(trace.mean).astype(np.int64) - 1, 0)
        self._queue: deque[tuple[Floats, float]] = deque()
        # Requests that end at each reading of the token clock, around a ring.
        fastest = float(curve.tokens_per_s.max()) * trace.width_s
        self._ring = np.zeros(int(self._after_first.max() + 2 * fastest) + 8)
        self.tokens = 0.0
        self._popped = 0
        self._departed = 0.0
        # By edge of the bins from `first_bin` on: what the latencies are worked out from.
        self.arrived = np.zeros(bins - first_bin + 1)
        self.admitted = np.zeros(bins - first_bin + 1)
        self.clock = np.zeros(bins - first_bin + 1)
        self.load = np.zeros(bins - first_bin + 1)
        self.accepted = np.zeros((bins - first_bin, classes), dtype=np.float32)

    @property
    def in_flight(self) -> float:
        """Requests in flight in one instance."""
        return self.waiting + self.running

    @property
    def level(self) -> float:
        """Requests in flight without those that end within the bin, if as many as in the last."""
        return self.in_flight - self._departed

    def times(self) -> Floats:
        """Seconds of the edges of the bins from `first_bin` on."""
        return np.arange(self.first_bin, self.first_bin + self.clock.size, dtype=np.float64) * self._width

    def follow(self, other: "Cohort", place: int) -> None:
        """From bin `place` on, what is left in this cohort goes on as in `other`, which it has come to equal."""
        own, its = place - self.first_bin, place - other.first_bin
        for name in ("arrived", "admitted", "clock", "load"):
            mine, theirs = getattr(self, name), getattr(other, name)
            mine[own:] = theirs[its:] + (mine[own] - theirs[its])

    def advance(self, place: int, arrivals: Floats, total: float) -> None:
        """One bin, in which each instance gets `arrivals` by class, `total` in all."""
        # What will end in the bin is taken to be what did in the last. On average, half of all has happened.
        change = total - self._departed
        middle, end = self.in_flight + change / 2, self.in_flight + change
        if total > 0:
            self._queue.append((arrivals, total))
            self.waiting += total
        curve = self._curve
        step = float(np.interp(middle, curve.in_flight, curve.tokens_per_s)) * self._width
        room = float(np.interp(end, curve.in_flight, curve.running)) - self.running + self._departed
        self._admit(min(room, self.waiting), step / 2)
        self.tokens += step
        self._depart()
        local = place - self.first_bin
        self.accepted[local] = arrivals * self.instances
        self.arrived[local + 1] = self.arrived[local] + total
        self.admitted[local + 1] = self.arrived[local + 1] - self.waiting
        self.clock[local + 1] = self.tokens
        self.load[local + 1] = self.in_flight

    def _admit(self, amount: float, half_step: float) -> None:
        """Gives requests from the queue's head their first token, in the middle of the bin on average."""
        admitted = 0.0
        ring, base = self._ring, int(self.tokens + half_step)
        while self._queue and amount > 1e-12:
            classes, total = self._queue[0]
            share = min(1.0, amount / total)
            ring[(base + self._after_first) % ring.size] += classes * share
            admitted += total * share
            amount -= total * share
            if share == 1.0:
                self._queue.popleft()
            else:
                self._queue[0] = (classes * (1 - share), total * (1 - share))
        self.waiting = max(0.0, self.waiting - admitted)
        self.running += admitted

    def _depart(self) -> None:
        """Takes out what ends up to the token clock's reading."""
        until = int(self.tokens)
        places = np.arange(self._popped, until) % self._ring.size
        self._popped = until
        self._departed = float(self._ring[places].sum())
        self.running = max(0.0, self.running - self._departed)
        self._ring[places] = 0.0
