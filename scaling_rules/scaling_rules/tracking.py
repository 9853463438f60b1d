"""What a target-tracking policy makes of its metric, and bounds of the capacity."""

import math
from typing import NamedTuple


class Bounds(NamedTuple):
    """The least and the most capacity. The capacity moves into new ones at once, whatever cool-down is in effect."""

    low: int
    high: int

    def changed(self, low: int | None, high: int | None) -> "Bounds":
        """What a scheduled action makes of them; None leaves one as it is."""
        return Bounds(self.low if low is None else low, self.high if high is None else high)

    def within(self, capacity: int) -> int:
        """The nearest capacity that they allow."""
        return min(max(capacity, self.low), self.high)


class TargetTracking:
    """A policy's decisions on a capacity that its owner holds and changes.

    The owner calls `started` when it changes the capacity, and `ended` when that scaling activity ends.

    Rules, with "user guide" for docs.aws.amazon.com/autoscaling/application/userguide:

    - *Proportional step*: the new capacity is the capacity times metric over target, rounded up, out and in (user
      guide, target-tracking-scaling-policy-overview: it adds capacity proportional to the metric, and rounds so as to
      neither add too little nor remove too much).
    - *Scale-out cool-down*: begins when the scaling activity has succeeded, which for SageMaker is when the new
      instances are in service. Until it ends, only a larger scale-out is made, and what the first has added counts as
      part of it: the step is worked out from the capacity before the first, and only the difference is added (user
      guide, as above, "Define cooldown periods"; API_StepScalingPolicyConfiguration has the worked example). The same
      holds while the activity runs: its instances count as capacity already.
    - *Scale-in cool-down*: begins alike and blocks further scale-in; a scale-out is made at once and ends it.
    - *Scale-in while a scale-out runs* is not made by the owner: the endpoint is Updating. AWS documents no such case.
    """

    def __init__(self, target: float, scale_out_cooldown_s: float, scale_in_cooldown_s: float) -> None:
        self._target = target
        self._cooldowns = scale_out_cooldown_s, scale_in_cooldown_s
        # The capacity before the scale-out in progress or cooling down, and when that ends.
        self._base = 0
        self._out_until = self._in_until = -math.inf

    def scale_out(self, now: float, metric: float, capacity: int, bounds: Bounds) -> int:
        """The capacity at a metric above the target; the same if nothing is to be added."""
        return max(capacity, min(bounds.high, self._step(self._base_at(now, capacity), metric)))

    def scale_in(self, now: float, metric: float, capacity: int, bounds: Bounds) -> int:
        """The capacity at a metric below the target; the same if nothing is to be removed."""
        return capacity if now < self._in_until else min(capacity, max(bounds.low, self._step(capacity, metric)))

    def started(self, now: float, before: int, after: int) -> None:
        """The owner changes the capacity. No cool-down ends before the activity does."""
        if after > before:
            self._base, self._out_until, self._in_until = self._base_at(now, before), math.inf, -math.inf
        else:
            self._in_until = math.inf

    def ended(self, at: float) -> None:
        """The activity succeeds at this time, and the cool-down begins; minus infinity: it failed, and none does."""
        out, in_ = self._cooldowns
        self._out_until = at + out if self._out_until == math.inf else self._out_until
        self._in_until = at + in_ if self._in_until == math.inf else self._in_until

    def _base_at(self, now: float, capacity: int) -> int:
        return self._base if now < self._out_until else capacity

    def _step(self, capacity: int, metric: float) -> int:
        # The division's rounding error must not add an instance where metric is an exact multiple of the target.
        return math.ceil(round(capacity * metric / self._target, 9))
