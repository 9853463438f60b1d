"""How far a simulation is, on a terminal."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mistral7b.cli.output import progress
from mistral7b.cli.waiting import PATIENCE_S


class ShareDone:
    """Shows what is being done and how much of it is, on standard error if that is a terminal, after two seconds."""

    def __init__(self) -> None:
        self._status = progress.status("")
        self._began = time.monotonic()
        self._shown = False

    def begin(self, text: str) -> Callable[[float], None]:
        """Begins a part of the work; the function returned takes the share of it that is done."""
        self._show(text)
        return lambda share: self._show(f"{text}: {100 * share:.0f}%")

    def _show(self, text: str) -> None:
        if not progress.is_terminal or time.monotonic() - self._began < PATIENCE_S:
            return
        self._status.update(text)
        if not self._shown:
            self._status.start()
            self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._status.stop()
