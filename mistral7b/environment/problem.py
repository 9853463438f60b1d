"""What is wrong with an environment file, in words that say how to mend it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where (file, line, field), what (value, reason) and how to mend it."""

    file: str
    line: int | None
    field: str
    value: Any
    reason: str
    fix: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        value = "" if self.value is None else f" = {_shown(self.value)}"
        return f"{where}: {self.field}{value}\n    {self.reason}\n    fix: {self.fix}"


def unique(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once: what is wrong with common.yaml shows in every environment."""
    kept: list[Problem] = []
    for problem in problems:
        if problem not in kept:
            kept.append(problem)
    return kept


class EnvironmentFileError(Exception):
    """Every problem of one or more environment files, in one message."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"{count} in the environment files\n\n" + "\n".join(str(p) for p in self.problems))


def _shown(value: Any, width: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"
