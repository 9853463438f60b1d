"""Application Auto Scaling over the instances of one scalable target."""

import math
from dataclasses import dataclass

from scaling_rules.alarm import Alarm
from scaling_rules.policy import METRIC_RULES, SCALE_IN_SHARE, Policy

TICK_S = 10.0
"""Seconds between two looks at the load: the finest metric period."""


@dataclass(frozen=True)
class Change:
    """Instances that come into service and that leave it."""

    added: int = 0
    removed: int = 0


class AutoScaling:
    """Desired capacity, instances that start, and instances in service, on a clock that the caller owns.

    Call `step` at every `next_time` with the load up to then, and apply the change that it returns.

    Rules, with "user guide" for docs.aws.amazon.com/autoscaling/application/userguide:

    - *Proportional step*: the new capacity is the capacity times metric over target, rounded up, out and in (user
      guide, target-tracking-scaling-policy-overview: it adds capacity proportional to the metric, and rounds so as to
      neither add too little nor remove too much).
    - *Scale-out cool-down*: begins when the scaling activity has succeeded, which for SageMaker is when the new
      instances are in service. Until it ends, only a larger scale-out is made, and what the first has added counts as
      part of it: the step is worked out from the capacity before the first, and only the difference is added (user
      guide, as above, "Define cooldown periods"; API_StepScalingPolicyConfiguration has the worked example). The same
      holds while the activity runs: its instances count as capacity already.
    - *Scale-in cool-down*: blocks further scale-in; a scale-out is made at once and ends it (as above).
    - *Scale-in while a scale-out runs* is not made: the endpoint is Updating. AWS documents no such case.
    - *Scheduled action*: sets the bounds, and the capacity moves into them at once, whatever cool-down is in effect
      (user guide, as above; application-auto-scaling-scheduled-scaling).
    """

    def __init__(self, policy: Policy, startup_s: float) -> None:
        self._policy = policy
        self._startup_s = startup_s
        self._low, self._high = policy.min_capacity, policy.max_capacity
        self.in_service = policy.start
        """Instances that take requests."""
        self._starting: list[tuple[float, int]] = []
        self._schedule = sorted(policy.schedule, key=lambda action: action.at_s)
        self._next_tick = TICK_S
        self._invocations = 0.0
        # The capacity before the scale-out in progress or cooling down, and when that ends.
        self._base = policy.start
        self._out_until = -math.inf
        self._in_until = -math.inf
        rule = METRIC_RULES[policy.metric] if policy.metric else None
        self._period = rule.period_s if rule else TICK_S
        self._next_point = self._period
        self._high_alarm = Alarm(rule.points_out if rule else 1)
        self._low_alarm = Alarm(rule.points_in if rule else 1)

    @property
    def capacity(self) -> int:
        """Desired instances: in service and starting."""
        return self.in_service + sum(count for _, count in self._starting)

    def next_time(self) -> float:
        """When `step` is due."""
        due = self._next_tick
        if self._starting:
            due = min(due, self._starting[0][0])
        if self._schedule:
            due = min(due, self._schedule[0].at_s)
        return due

    def step(self, now: float, in_flight: float, invocations: float) -> Change:
        """Acts on what is due at `now`.

        Args:
            now: Seconds from the start.
            in_flight: Requests in flight in all instances.
            invocations: Requests received since the last step, refused ones included.
        """
        self._invocations += invocations
        added = self._come_into_service(now)
        removed = 0
        while self._schedule and self._schedule[0].at_s <= now:
            removed += self._run_scheduled(now)
        if now >= self._next_tick:
            self._next_tick += TICK_S
            if now >= self._next_point:
                self._next_point += self._period
                removed += self._observe(now, in_flight)
        return Change(added, removed)

    def _come_into_service(self, now: float) -> int:
        ready = sum(count for at, count in self._starting if at <= now)
        self._starting = [(at, count) for at, count in self._starting if at > now]
        self.in_service += ready
        return ready

    def _observe(self, now: float, in_flight: float) -> int:
        """Takes one data point of the policy's metric; returns how many instances leave."""
        policy = self._policy
        invocations, self._invocations = self._invocations, 0.0
        if policy.metric is None:
            return 0
        metric = (in_flight if policy.metric == "concurrency" else invocations) / self.in_service
        high = self._high_alarm.observe(now, metric > policy.target)
        low = self._low_alarm.observe(now, metric < SCALE_IN_SHARE * policy.target)
        if high:
            self._scale_out(now, metric)
        return self._scale_in(now, metric) if low else 0

    def _scale_out(self, now: float, metric: float) -> None:
        cooling = now < self._out_until
        base = self._base if cooling else self.capacity
        wanted = min(self._high, _step(base, metric, self._policy.target))
        if wanted <= self.capacity:
            return
        self._base = base
        self._start(now, wanted - self.capacity)
        self._out_until = now + self._startup_s + self._policy.scale_out_cooldown_s
        self._in_until = -math.inf

    def _scale_in(self, now: float, metric: float) -> int:
        if self._starting or now < self._in_until:
            return 0
        wanted = max(self._low, _step(self.capacity, metric, self._policy.target))
        if wanted >= self.capacity:
            return 0
        self._in_until = now + self._policy.scale_in_cooldown_s
        return self._stop(self.capacity - wanted)

    def _run_scheduled(self, now: float) -> int:
        action = self._schedule.pop(0)
        self._low = self._low if action.min_capacity is None else action.min_capacity
        self._high = self._high if action.max_capacity is None else action.max_capacity
        if self.capacity < self._low:
            self._start(now, self._low - self.capacity)
        return self._stop(max(0, self.capacity - self._high))

    def _start(self, now: float, count: int) -> None:
        self._starting.append((now + self._startup_s, count))

    def _stop(self, count: int) -> int:
        """Takes `count` off the capacity, those that start first; returns how many leave service."""
        while count and self._starting:
            at, starting = self._starting.pop()
            taken = min(count, starting)
            count -= taken
            if starting > taken:
                self._starting.append((at, starting - taken))
        self.in_service -= count
        return count


def _step(capacity: int, metric: float, target: float) -> int:
    # The division's rounding error must not add an instance where metric is an exact multiple of the target.
    return math.ceil(round(capacity * metric / target, 9))
