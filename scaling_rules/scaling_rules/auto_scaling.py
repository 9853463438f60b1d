"""Application Auto Scaling over the simulated instances of one scalable target."""

from dataclasses import dataclass

from scaling_rules.alarm import Alarm
from scaling_rules.policy import METRIC_RULES, SCALE_IN_SHARE, Policy
from scaling_rules.tracking import Bounds, TargetTracking

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
    """

    def __init__(self, policy: Policy, startup_s: float) -> None:
        self._policy = policy
        self._startup_s = startup_s
        self._bounds = Bounds(policy.min_capacity, policy.max_capacity)
        self._tracking = TargetTracking(policy.target, policy.scale_out_cooldown_s, policy.scale_in_cooldown_s)
        self.in_service = policy.start
        """Instances that take requests."""
        self._starting: list[tuple[float, int]] = []
        self._schedule = sorted(policy.schedule, key=lambda action: action.at_s)
        self._next_tick = TICK_S
        self._invocations = 0.0
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
        after = before = self.capacity
        if high:
            after = self._tracking.scale_out(now, metric, before, self._bounds)
        elif low and not self._starting:
            after = self._tracking.scale_in(now, metric, before, self._bounds)
        if after != before:
            self._tracking.started(now, before, after)
            self._tracking.ended(now + self._startup_s if after > before else now)
        return self._set_capacity(now, after)

    def _run_scheduled(self, now: float) -> int:
        action = self._schedule.pop(0)
        self._bounds = self._bounds.changed(action.min_capacity, action.max_capacity)
        return self._set_capacity(now, self._bounds.within(self.capacity))

    def _set_capacity(self, now: float, capacity: int) -> int:
        """Starts or stops instances; returns how many leave service."""
        if capacity > self.capacity:
            self._starting.append((now + self._startup_s, capacity - self.capacity))
        return self._stop(max(0, self.capacity - capacity))

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
