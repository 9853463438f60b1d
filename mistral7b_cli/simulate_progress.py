"""How far a simulation is, on a terminal."""

from collections.abc import Callable

from mistral7b_cli.waiting import PATIENCE_S, Waiting


class ShareDone(Waiting):
    """Shows what is being done and how much of it is, on standard error if that is a terminal, after two seconds."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        super().__init__("", patience_s)

    def begin(self, text: str) -> Callable[[float], None]:
        """Begins a part of the work; the function returned takes the share of it that is done."""
        self._status.update(text)
        return lambda share: self._status.update(f"{text}: {100 * share:.0f}%")
