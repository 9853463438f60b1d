"""A trace of requests; and what a user writes of one: durations, numbers, lines of files."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mistral7b.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_REQUESTS = 20_000_000
"""More are refused: with some 100 bytes each they would need more than 2 GB."""
LONGEST_S = 31 * 86_400.0
"""A trace covers no more: a month."""

_LONGEST_LINE = 4096
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")


@dataclass(frozen=True, eq=False)
class Trace:
    """Requests by time, at least one.

    Attributes:
        times: Seconds from the trace's start, ascending.
        inputs: Prompt tokens of each.
        outputs: Tokens that each generates.
        duration_s: Seconds that the trace covers; no request is later.
    """

    times: Floats
    inputs: Ints
    outputs: Ints
    duration_s: float

    def __post_init__(self) -> None:
        if not self.times.size:
            raise UserError("the trace holds no request\nfix: raise the rate or the duration")


def parse_duration(text: str, column: str) -> float:
    """Seconds of `90`, `90s`, `5m`, `1.5h` or `1d`. Raises UserError if it is none of these, or more than a month."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else math.nan
    if not 0 <= seconds <= LONGEST_S:
        reason, fix = "it is not a duration of up to 31 days", "write a number of seconds, or 5m, 1.5h, 1d"
        raise UserError(f"{column} {text[:40]}: {reason}\nfix: {fix}")
    return seconds


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, each with its number. Raises UserError if it is no text file."""
    if file.exists() and not file.is_file():  # a device might never end
        raise UserError(f"{file}: it is not a regular file\nfix: write it to a file first")
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE + 1), ""), start=1):
            if len(line) > _LONGEST_LINE:
                reason = f"the line is longer than {_LONGEST_LINE} characters"
                raise UserError(f"{file}:{number}: {reason}\nfix: write one request a line")
            if text := line.strip():
                yield number, text


def finite(text: str) -> float | None:
    """The finite number that a text is, or None. Underscores, which float() skips, make it none."""
    try:
        value = float(text.replace("_", "?"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
