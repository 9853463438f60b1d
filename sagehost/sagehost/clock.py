"""The one clock of the embedded AWS, by which everything happens that no request asks for.

It runs at a set speed. Metrics, alarms, scaling activities, schedules and endpoints have its time.
"""

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

_LOG = logging.getLogger(__name__)

INSTANT = math.inf
"""The speed at which nothing takes time."""

_SLOWEST, _FASTEST = 0.1, 100.0


def parse_speed(text: str) -> float:
    """A speed: `instant`, or a number. Raises ValueError."""
    if text == "instant":
        return INSTANT
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not _SLOWEST <= value <= _FASTEST:
        raise ValueError(f"{text!r} is not a speed: give a number from {_SLOWEST:g} to {_FASTEST:g}, or instant")
    return value


class Clock:
    """A time that runs `speed` times as fast as the machine's. Nothing happens by itself until it runs."""

    def __init__(self) -> None:
        self.speed = 1.0
        """Seconds of this clock in a second of the machine's."""
        self._time, self._since = time.time(), time.monotonic()
        self._works: list[_Work] = []
        self._changed = threading.Lock()

    def seconds(self) -> float:
        """Seconds since 1970, which never decrease unless the time is set."""
        return self._time + (time.monotonic() - self._since) * self.speed

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def real(self, seconds: float) -> float:
        """What seconds of this clock take on the machine's."""
        return seconds / self.speed

    def every(self, period: float, work: Callable[[float], None]) -> None:
        """Calls `work` at each multiple of `period` seconds since 1970, with that time.

        What is due at the same time is called in the order of registration.
        """
        self._works.append(_Work(period, work, self.seconds()))

    def set(self, now: datetime) -> None:
        """Sets the time and does all work once. What was due in between is up to each piece of work."""
        with self._changed:
            self._time, self._since = now.timestamp(), time.monotonic()
            for work in self._works:
                work.do(self._time)

    def run(self, speed: float = 1.0) -> None:
        """Runs the clock in the background. Raises ValueError: SAGEHOST_NOW is not a time."""
        self.speed, self._time, self._since = speed, self.seconds(), time.monotonic()
        if start := os.environ.get("SAGEHOST_NOW"):
            try:
                self.set(datetime.fromisoformat(start))
            except ValueError:
                example = "2026-03-02T08:00:00+01:00"
                raise ValueError(f"SAGEHOST_NOW must be a time such as {example}, not {start!r}") from None
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._changed:
                work = min(self._works, key=lambda one: one.due)
                if work.due <= self.seconds():
                    work.do(work.due)
                    continue
                left = self.real(work.due - self.seconds())
            time.sleep(min(left, 0.1))  # the time may be set meanwhile


class _Work:
    def __init__(self, period: float, work: Callable[[float], None], now: float) -> None:
        self._period, self._work = period, work
        self.due = self._next(now)

    def do(self, now: float) -> None:
        self.due = self._next(now)
        try:
            self._work(now)
        except Exception:  # noqa: BLE001 - a thread has no caller: everything after it would stand still
            _LOG.exception("the clock's work failed")

    def _next(self, now: float) -> float:
        return (now // self._period + 1) * self._period


CLOCK = Clock()
"""The clock of this process."""
