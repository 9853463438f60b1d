"""Application Auto Scaling's rules, on examples worked by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling_rules import AutoScaling, Policy, ScheduledAction

POLICY = Policy("p", 1, 10, "concurrency", 10.0, scale_out_cooldown_s=60.0, scale_in_cooldown_s=300.0)
STARTUP = 120.0


class Clock:
    """Drives auto scaling with a constant load; remembers when capacity and service change."""

    def __init__(self, policy: Policy, startup_s: float = STARTUP) -> None:
        self.scaling = AutoScaling(policy, startup_s)
        self.capacity: list[tuple[float, int]] = [(0.0, self.scaling.capacity)]
        self.in_service: list[tuple[float, int]] = [(0.0, self.scaling.in_service)]
        self._count = self.scaling.in_service

    def run(self, until: float, in_flight: float = 0.0, per_second: float = 0.0) -> None:
        """Runs to a time with these requests in flight in all instances, and this rate."""
        last = self.capacity[-1][0]
        while (now := self.scaling.next_time()) <= until:
            change = self.scaling.step(now, in_flight, per_second * (now - last))
            last = now
            self._count += change.added - change.removed
            assert self._count == self.scaling.in_service
            for log, value in ((self.capacity, self.scaling.capacity), (self.in_service, self.scaling.in_service)):
                if value != log[-1][1]:
                    log.append((now, value))


def test_the_high_resolution_alarm_scales_out_after_three_points_of_ten_seconds_in_proportion() -> None:
    clock = Clock(replace(POLICY, initial_capacity=2))
    clock.run(60, in_flight=50)  # 25 each over a target of 10: ceil(2 × 2.5)
    assert clock.capacity == [(0, 2), (30, 5)]


def test_the_step_is_rounded_up() -> None:
    clock = Clock(replace(POLICY, initial_capacity=2))
    clock.run(30, in_flight=21)  # ceil(2 × 1.05)
    assert clock.capacity[-1] == (30, 3)


def test_a_metric_at_its_target_does_not_scale() -> None:
    clock = Clock(replace(POLICY, initial_capacity=3))
    clock.run(3600, in_flight=30)
    assert clock.capacity == [(0, 3)]


def test_new_instances_serve_after_the_start_up_and_count_as_capacity_at_once() -> None:
    clock = Clock(POLICY)
    clock.run(200, in_flight=20)
    assert clock.capacity == [(0, 1), (30, 2)]
    assert clock.in_service == [(0, 1), (150, 2)]


def test_while_instances_start_the_same_load_adds_no_more() -> None:
    clock = Clock(POLICY, startup_s=600.0)
    clock.run(500, in_flight=40)  # the alarm acts every minute; ceil(1 × 4) stays 4
    assert clock.capacity == [(0, 1), (30, 4)]


def test_a_larger_scale_out_passes_the_cooldown_and_adds_the_difference() -> None:
    clock = Clock(POLICY, startup_s=600.0)
    clock.run(60, in_flight=30)
    clock.run(120, in_flight=50)  # ceil(1 × 5): the three wanted before are part of the five
    assert clock.capacity == [(0, 1), (30, 3), (90, 5)]


def test_the_scale_out_cooldown_begins_when_the_instances_are_in_service() -> None:
    clock = Clock(replace(POLICY, scale_out_cooldown_s=200.0))
    clock.run(150, in_flight=20)  # two wanted at 30, in service at 150: cool-down to 350
    clock.run(600, in_flight=30)  # 15 each: from one instance ceil(1.5), no larger scale-out; from two ceil(3)
    assert clock.capacity == [(0, 1), (30, 2), (360, 3)]  # the alarm acts at 180, 240, 300 and 360


def test_after_the_cooldown_the_step_starts_from_what_is_there() -> None:
    clock = Clock(POLICY)
    clock.run(150, in_flight=20)  # two in service at 150, cool-down to 210
    clock.run(400, in_flight=22)  # 11 each: from one instance ceil(1.1) is 2, from two ceil(2.2) is 3
    assert clock.capacity[2][1] == 3
    assert clock.capacity[2][0] >= 210


def test_scale_in_takes_fifteen_points_below_nine_tenths_of_the_target() -> None:
    clock = Clock(replace(POLICY, initial_capacity=4))
    clock.run(149, in_flight=20)
    assert clock.capacity == [(0, 4)]
    clock.run(150, in_flight=20)  # 5 each: ceil(4 × 0.5)
    assert clock.capacity[-1] == (150, 2)


def test_between_nine_tenths_and_the_target_nothing_changes() -> None:
    clock = Clock(replace(POLICY, initial_capacity=10))
    clock.run(3600, in_flight=91)
    assert clock.capacity == [(0, 10)]


def test_the_scale_in_cooldown_blocks_the_next_scale_in() -> None:
    clock = Clock(replace(POLICY, initial_capacity=8))
    clock.run(150, in_flight=40)
    assert clock.capacity[-1] == (150, 4)
    clock.run(449, in_flight=4)
    assert clock.capacity[-1] == (150, 4)
    clock.run(520, in_flight=4)
    assert clock.capacity[-1] == (450, 1)


def test_a_scale_out_does_not_wait_for_the_scale_in_cooldown() -> None:
    clock = Clock(replace(POLICY, initial_capacity=8))
    clock.run(150, in_flight=40)
    clock.run(180, in_flight=80)
    assert clock.capacity[-1] == (180, 8)


def test_invocations_scale_after_three_minutes_of_requests_per_instance() -> None:
    clock = Clock(replace(POLICY, metric="invocations", target=60.0))
    clock.run(600, per_second=1.5)  # 90 a minute over 60
    assert clock.capacity[1] == (180, 2)


def test_refused_or_not_without_traffic_the_fleet_goes_to_its_minimum() -> None:
    clock = Clock(replace(POLICY, min_capacity=2, initial_capacity=9))
    clock.run(3600)
    assert clock.capacity[-1][1] == 2


def test_a_scheduled_action_does_not_wait_for_a_cooldown() -> None:
    clock = Clock(replace(POLICY, schedule=(ScheduledAction(45.0, min_capacity=6),)), startup_s=300.0)
    clock.run(60, in_flight=20)
    assert clock.capacity == [(0, 1), (30, 2), (45, 6)]


def test_a_scheduled_maximum_takes_starting_instances_back_first() -> None:
    clock = Clock(replace(POLICY, schedule=(ScheduledAction(45.0, max_capacity=2),)), startup_s=300.0)
    clock.run(60, in_flight=50)
    assert clock.capacity == [(0, 1), (30, 5), (45, 2)]
    assert clock.in_service == [(0, 1)]


def test_a_fixed_number_never_changes() -> None:
    clock = Clock(Policy("fixed", 3, 3))
    clock.run(3600, in_flight=1000, per_second=100)
    assert clock.capacity == [(0, 3)]


@pytest.mark.parametrize("metric", ["concurrency", "invocations"])
@given(loads=st.lists(st.floats(0, 500), min_size=1, max_size=60))
def test_capacity_stays_within_its_bounds_whatever_the_load(metric: str, loads: list[float]) -> None:
    clock = Clock(replace(POLICY, metric=metric, min_capacity=2, max_capacity=7))  # type: ignore[arg-type]
    for minute, load in enumerate(loads, 1):
        clock.run(60 * minute, in_flight=load, per_second=load)
    assert all(2 <= capacity <= 7 for _, capacity in clock.capacity)
    assert all(1 <= count <= 7 for _, count in clock.in_service)
