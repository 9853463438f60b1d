"""An event loop that waits for nothing: when only timers are left, its time jumps to the next."""

import asyncio
import selectors
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

START = 1_700_000_000.0
"""When the clock starts, in seconds since 1970."""


T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; what would be waited for is added to the time."""
        self.now += timeout or 0.0
        return super().select(None if timeout is None else 0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class Clock:
    """A clock on the loop's time, which other threads may read."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._loop: asyncio.AbstractEventLoop | None = None

    def seconds(self) -> float:
        """Seconds since 1970."""
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        return START + self._loop.time() * self._speed if self._loop else START

    def real(self, seconds: float) -> float:
        """Seconds of the loop."""
        return seconds / self._speed


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs it on such a loop."""
    loop = _Loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())  # not asyncio.run: it waits only so many seconds
        loop.close()
