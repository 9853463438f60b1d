"""CloudWatch alarms."""

from scaling_rules import Alarm


def actions(points: int, breaching: str, period: float = 10.0) -> list[int]:
    """Which data points make an alarm act; `x` breaches, `.` does not."""
    alarm = Alarm(points)
    return [n for n, mark in enumerate(breaching) if alarm.observe(n * period, mark == "x")]


def test_an_alarm_acts_at_the_third_breaching_point_in_a_row() -> None:
    assert actions(3, "xx.xxx") == [5]


def test_an_alarm_that_stays_acts_again_once_a_minute() -> None:
    assert actions(3, "x" * 16) == [2, 8, 14]


def test_an_alarm_that_ends_needs_all_its_points_again() -> None:
    assert actions(3, "xxx.xx.xxx") == [2, 9]


def test_an_alarm_of_one_minute_points_acts_at_each_point_while_it_stays() -> None:
    assert actions(3, "xxxxx", period=60.0) == [2, 3, 4]
