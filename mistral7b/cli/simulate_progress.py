"""How far a simulation is, on a terminal."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mistral7b.cli.output import progress
from mistral7b.cli.waiting import PATIENCE_S


class ShareDone:
    """Shows what is being done and how much of it is, on standard error if that is a terminal, after two seconds."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._status = progress.status("")
        self._timer = threading.Timer(patience_s, self._start)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._done = False

    def begin(self, text: str) -> Callable[[float], None]:
        """Begins a part of the work; the function returned takes the share of it that is done."""
        self._status.update(text)
        return lambda share: self._status.update(f"{text}: {100 * share:.0f}%")

    def __enter__(self) -> Self:
        if progress.is_terminal:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._done = True
            self._timer.cancel()
            self._status.stop()

    def _start(self) -> None:
        with self._lock:
            if not self._done:
                self._status.start()
