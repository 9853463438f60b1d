"""CloudWatch alarms.

Source: CloudWatch user guide, "Alarm evaluation", "How CloudWatch alarms treat missing data", "Alarm actions".
"""

from collections import deque
from collections.abc import Sequence
from typing import Literal

Missing = Literal["missing", "ignore", "breaching", "notBreaching"]
State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

REPEAT_S = 60.0
"""While an alarm stays in ALARM, it invokes its scaling action again once a minute."""

EXTRA_PERIODS = 2
"""Earlier periods whose data stand in for missing data: as in the guide's examples; AWS publishes no others."""


class Alarm:
    """In ALARM if `datapoints` of the last `periods` data points breach; by default all."""

    def __init__(self, periods: int, datapoints: int | None = None, missing: Missing = "missing") -> None:
        self.state: State = "INSUFFICIENT_DATA"
        self._periods, self._datapoints, self._missing = periods, datapoints or periods, missing
        self._points = deque[bool | None](maxlen=periods + EXTRA_PERIODS)
        self._last_action: float | None = None

    def observe(self, now: float, breaching: bool | None) -> bool:
        """Takes the data point of one more period, None if it is missing; True if the alarm invokes its action now."""
        self._points.append(breaching)
        return self.evaluate(now, self._points)

    def evaluate(self, now: float, points: Sequence[bool | None]) -> bool:
        """Takes all data points of the evaluation range, oldest first; True if the alarm invokes its action now."""
        self.state = self._evaluated(points) or self.state
        if self.state != "ALARM":
            self._last_action = None
        elif self._last_action is None or now - self._last_action >= REPEAT_S:
            self._last_action = now
            return True
        return False

    def _evaluated(self, points: Sequence[bool | None]) -> State | None:
        """The state; None keeps the current one."""
        present = [point for point in points if point is not None][-self._periods :]
        missing = self._periods - len(present)
        if sum(present) + (missing if self._missing == "breaching" else 0) >= self._datapoints:
            return "ALARM"
        if not missing or self._missing in ("breaching", "notBreaching") or False in present:
            return "OK"
        if self._missing == "ignore" or not present:
            return None if self._missing == "ignore" else "INSUFFICIENT_DATA"
        # Fewer than needed, but all breach: the next may not, unless the first is old enough.
        return "ALARM" if len(points) - points.index(True) >= self._datapoints else "OK"
