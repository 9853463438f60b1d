"""CloudWatch alarms."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling_rules import Alarm
from scaling_rules.alarm import Missing

MARKS = {"x": True, "0": False, "-": None, ".": False}
POINTS = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=30)


def actions(points: int, breaching: str, period: float = 10.0) -> list[int]:
    """Which data points make an alarm act; `x` breaches, `.` does not."""
    alarm = Alarm(points, points)
    return [n for n, mark in enumerate(breaching) if alarm.observe(n * period, MARKS[mark])]


def test_an_alarm_acts_at_the_third_breaching_point_in_a_row() -> None:
    assert actions(3, "xx.xxx") == [5]


def test_an_alarm_that_stays_acts_again_once_a_minute() -> None:
    assert actions(3, "x" * 16) == [2, 8, 14]


def test_an_alarm_that_ends_needs_all_its_points_again() -> None:
    assert actions(3, "xxx.xx.xxx") == [2, 9]


def test_an_alarm_of_one_minute_points_acts_at_each_point_while_it_stays() -> None:
    assert actions(3, "xxxxx", period=60.0) == [2, 3, 4]


def state(points: str, datapoints: int, missing: Missing) -> str:
    """The state of an alarm of three periods, which was "before" before."""
    alarm = Alarm(3, datapoints, missing)
    vars(alarm)["state"] = "before"
    alarm.evaluate(0.0, [MARKS[mark] for mark in points])
    return alarm.state


GUIDE = {  # The tables of the CloudWatch user guide: missing, ignore, breaching, not breaching.
    ("0-x-x", 3): ("OK", "OK", "OK", "OK"),
    ("0----", 3): ("OK", "OK", "OK", "OK"),
    ("-----", 3): ("INSUFFICIENT_DATA", "before", "ALARM", "OK"),
    ("0xx-x", 3): ("ALARM", "ALARM", "ALARM", "ALARM"),
    ("--x--", 3): ("ALARM", "before", "ALARM", "OK"),
    ("x----", 3): ("ALARM", "before", "ALARM", "OK"),
    ("0-x-x", 2): ("ALARM", "ALARM", "ALARM", "ALARM"),
    ("00x0x", 2): ("ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-x--", 2): ("OK", "OK", "ALARM", "OK"),
    ("----0", 2): ("OK", "OK", "ALARM", "OK"),
}


@pytest.mark.parametrize(("points", "datapoints"), GUIDE)
@pytest.mark.parametrize("missing", get_args(Missing))
def test_missing_data_is_treated_as_in_the_user_guide(points: str, datapoints: int, missing: Missing) -> None:
    assert state(points, datapoints, missing) == GUIDE[points, datapoints][get_args(Missing).index(missing)]


@pytest.mark.parametrize("points", ["----x", "---x-"])
def test_a_first_breaching_point_does_not_set_the_alarm_off_before_others_can_follow(points: str) -> None:
    assert state(points, 3, "missing") == "OK"


@given(points=POINTS, periods=st.integers(1, 6), data=st.data())
def test_of_complete_data_the_last_periods_decide(points: list[bool | None], periods: int, data: st.DataObject) -> None:
    complete = [bool(point) for point in points] + [False] * periods
    datapoints = data.draw(st.integers(1, periods))
    alarm = Alarm(periods, datapoints, data.draw(st.sampled_from(get_args(Missing))))
    for now, point in enumerate(complete):
        alarm.observe(now, point)
        last = complete[: now + 1][-periods:]
        if len(last) == periods:
            assert (alarm.state == "ALARM") == (sum(last) >= datapoints)


@given(points=POINTS, periods=st.integers(1, 6), data=st.data())
def test_an_alarm_acts_when_it_goes_off_and_then_at_most_once_a_minute(
    points: list[bool | None], periods: int, data: st.DataObject
) -> None:
    alarm = Alarm(periods, data.draw(st.integers(1, periods)), data.draw(st.sampled_from(get_args(Missing))))
    acted = []
    for now in range(0, 10 * len(points), 10):
        before, acts = alarm.state, alarm.observe(now, points[now // 10])
        assert not acts or alarm.state == "ALARM"
        assert acts or alarm.state != "ALARM" or before == "ALARM"
        acted += [now] if acts and before == "ALARM" else []
    assert all(later - earlier >= 60 for earlier, later in pairwise(acted))
