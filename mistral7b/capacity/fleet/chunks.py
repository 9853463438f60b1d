"""A trace of requests, in pieces that fit into memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mistral7b.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    """A trace that cannot be used: where, what, why and how to mend it."""

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
