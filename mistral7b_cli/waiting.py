"""A sign of life on a terminal while an answer is long in coming."""

import threading
from collections.abc import Callable
from typing import Self

from mistral7b_cli.output import progress

PATIENCE_S = 2.0
"""How long nothing is shown: most answers are there by then."""


class Waiting:
    """Shows a spinner on standard error, if that is a terminal, until `done` or the end of the block."""

    def __init__(self, text: str, patience_s: float = PATIENCE_S) -> None:
        self._status = progress.status(text)
        self._timer = threading.Timer(patience_s, self._show)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._done = False

    def share_of(self, text: str) -> Callable[[float], None]:
        """Begins a part of the work; the function returned takes the share of it that is done."""
        self._status.update(text)
        return lambda share: self._status.update(f"{text}: {share:.0%}")

    def done(self) -> None:
        """Takes the spinner away; may be called more than once."""
        with self._lock:
            self._done = True
            self._timer.cancel()
            self._status.stop()

    def __enter__(self) -> Self:
        if progress.is_terminal:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done()

    def _show(self) -> None:
        with self._lock:
            if not self._done:
                self._status.start()
