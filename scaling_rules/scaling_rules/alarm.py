"""CloudWatch alarms as target tracking uses them."""

REPEAT_S = 60.0
"""While an alarm stays in ALARM, it invokes its scaling action again once a minute.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html, "Auto Scaling actions".
"""


class Alarm:
    """In ALARM after `points` breaching data points in a row, until one does not breach.

    Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html, with evaluation periods equal
    to data points to alarm. Without traffic SageMaker emits zeros (its auto scaling prerequisites), so no point is ever
    missing.
    """

    def __init__(self, points: int) -> None:
        self._points = points
        self._breaching = 0
        self._last_action: float | None = None

    def observe(self, now: float, breaching: bool) -> bool:
        """Takes one data point; True if the alarm invokes its action now."""
        if not breaching:
            self._breaching = 0
            self._last_action = None
            return False
        self._breaching += 1
        if self._breaching < self._points:
            return False
        if self._last_action is not None and now - self._last_action < REPEAT_S:
            return False
        self._last_action = now
        return True
