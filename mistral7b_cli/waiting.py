"""A sign of life on a terminal while an answer is long in coming."""

import time
from collections.abc import Callable
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from mistral7b_cli.output import progress

PATIENCE_S = 2.0
"""How long nothing is shown: most answers are there by then."""


class Waiting:
    """Shows a spinner on standard error, if that is a terminal, until `done` or the end of the block."""

    def __init__(self, text: str, patience_s: float = PATIENCE_S) -> None:
        self._spinner, self._from = Spinner("dots", Text(text)), time.monotonic() + patience_s
        self._live = Live(get_renderable=self._shown, console=progress, transient=True, refresh_per_second=12)

    def share_of(self, text: str) -> Callable[[float], None]:
        """Begins a part of the work; the function returned takes the share of it that is done."""
        self._spinner.update(text=Text(text))
        return lambda share: self._spinner.update(text=Text(f"{text}: {share:.0%}"))

    def done(self) -> None:
        """Takes the spinner away; may be called more than once."""
        self._live.stop()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done()

    def _shown(self) -> RenderableType:
        return self._spinner if time.monotonic() >= self._from else Group()
