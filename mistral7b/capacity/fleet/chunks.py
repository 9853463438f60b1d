"""A trace of requests, in pieces that fit into memory."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mistral7b.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LONGEST_LINE = 4096


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive requests of a trace.

    Attributes:
        times: Seconds from the trace's start, ascending, shape (requests,).
        inputs: Prompt tokens of each, shape (requests,).
        outputs: Tokens that each generates, shape (requests,).
    """

    times: Floats
    inputs: Ints
    outputs: Ints


class Trace(Protocol):
    """Requests by time. Iterating twice yields the same requests."""

    @property
    def duration_s(self) -> float:
        """Seconds that the trace covers; no request is later."""

    def chunks(self) -> Iterator[Chunk]:
        """The requests in order, in chunks of bounded size, none of them empty."""


class TraceError(UserError, ValueError):
    """A trace that cannot be used: where, what, why and how to fix it."""

    def __init__(
        self,
        reason: str,
        fix: str,
        *,
        file: Path | None = None,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        where = ":".join(str(part) for part in (file, line) if part is not None)
        # ascii() shows what a terminal would take as a command.
        what = column if value is None else f"{column} = {value if value.isprintable() else ascii(value)}"
        head = ": ".join(part for part in (where, what) if part)
        super().__init__("\n    ".join(part for part in (head, reason) if part) + f"\n    fix: {fix}")


@dataclass(frozen=True, eq=False)
class ListedTrace:
    """A trace whose requests are all in memory."""

    requests: Chunk
    duration_s: float

    def chunks(self) -> Iterator[Chunk]:
        """The requests, in one chunk."""
        if self.requests.times.size:
            yield self.requests


def collect(trace: Trace, most: int) -> Chunk:
    """Every request of a trace, in memory (24 bytes each).

    Raises:
        TraceError: the trace is empty, or holds more than `most` requests.
    """
    parts: list[Chunk] = []
    count = 0
    for chunk in trace.chunks():
        count += chunk.times.size
        if count > most:
            raise TraceError(
                f"the trace holds more than {most:,} requests, too many to simulate one by one",
                "cut the trace, for example to its busiest hour",
            )
        parts.append(chunk)
    if not parts:
        raise TraceError("the trace holds no request", "raise the rate or the duration")
    return Chunk(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.inputs for part in parts]),
        np.concatenate([part.outputs for part in parts]),
    )


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, each with its number.

    Raises:
        TraceError: it cannot be read, or a line is longer than 4,096 characters.
    """
    if file.exists() and not file.is_file():  # a device might never end
        raise TraceError("it is not a regular file", "write it to a file first", file=file)
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as stream:
            for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE + 1), ""), start=1):
                if len(line) > _LONGEST_LINE:
                    reason = f"the line is longer than {_LONGEST_LINE} characters"
                    raise TraceError(reason, "write one request a line", file=file, line=number)
                if text := line.strip():
                    yield number, text
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror}"
        raise TraceError(reason, "give the path of a CSV file", file=file) from None


def finite(text: str) -> float | None:
    """The finite number that a text is, or None. Underscores, which float() skips, make it none."""
    try:
        value = float(text.replace("_", "?"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
