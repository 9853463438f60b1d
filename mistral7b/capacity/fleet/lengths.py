"""How many tokens prompts and answers have: distributions to draw from."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from mistral7b.capacity.fleet.chunks import Ints, TraceError

# The 95% quantile of the standard normal distribution.
_Z95 = 1.6448536269514722
# A lognormal distribution's p95 is at most exp(z²/2) times its mean.
MOST_P95_TO_MEAN = math.exp(_Z95**2 / 2)

_LARGEST_LIST_BYTES = 64 * 1024 * 1024


class Lengths(Protocol):
    """A distribution of token counts."""

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """`count` token counts, each 1 or more."""


@dataclass(frozen=True)
class ConstantLength:
    """Always the same count."""

    tokens: int

    def draw(self, rng: np.random.Generator, count: int) -> Ints:  # noqa: ARG002 - the protocol's
        """`count` times the same."""
        return np.full(count, self.tokens, dtype=np.int64)


@dataclass(frozen=True)
class LognormalLength:
    """Lognormal counts by mean and 95% quantile, rounded, at least 1 and cut at `most`.

    With `p95 = exp(mu + z·sigma)` and `mean = exp(mu + sigma²/2)`: `sigma²/2 - z·sigma + ln(p95/mean) = 0`, of which
    the smaller root is taken (z = 1.645, the normal distribution's 95% quantile).
    """

    mean: float
    p95: float
    most: int

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """`count` independent counts."""
        sigma = _Z95 - math.sqrt(_Z95**2 - 2 * math.log(self.p95 / self.mean))
        mu = math.log(self.mean) - sigma**2 / 2
        drawn = np.rint(rng.lognormal(mu, sigma, count))
        return np.clip(drawn, 1, self.most).astype(np.int64)


@dataclass(frozen=True, eq=False)
class EmpiricalLength:
    """Counts drawn from a list, each entry as likely as another."""

    tokens: Ints

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """`count` independent entries of the list."""
        return self.tokens[rng.integers(0, self.tokens.size, count)]


def parse_lengths(text: str, column: str, most: int) -> Lengths:
    """The distribution that an option names.

    Args:
        text: `300` (always 300), `300:900` (lognormal, mean 300 and p95 900) or a file with one count a line.
        column: The option's name, for messages.
        most: Tokens at most; larger drawn counts are cut to it.

    Raises:
        TraceError: the text is none of these, or a count is not between 1 and `most`.
    """
    numbers = [_number(part) for part in text.split(":")]
    if len(numbers) == 1 and numbers[0] is not None:
        return ConstantLength(_whole(numbers[0], text, column, most))
    if len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
        return _lognormal(numbers[0], numbers[1], text, column, most)
    if not Path(text).is_file():
        raise TraceError(
            "it is neither a number of tokens, nor MEAN:P95, nor a file",
            "write 300, or 300:900 for a mean of 300 and a 95% quantile of 900, or a file with one count a line",
            column=column,
            value=text,
        )
    return EmpiricalLength(_read_list(Path(text), column, most))


def _lognormal(mean: float, p95: float, text: str, column: str, most: int) -> LognormalLength:
    if not 1 <= mean < p95 or p95 > most or p95 / mean > MOST_P95_TO_MEAN:
        raise TraceError(
            f"no lognormal distribution within 1 and {most} tokens has this mean and p95",
            f"give a mean of 1 or more, and a p95 above it, {MOST_P95_TO_MEAN:.2f} times the mean at most",
            column=column,
            value=text,
        )
    return LognormalLength(mean, p95, most)


def _read_list(file: Path, column: str, most: int) -> Ints:
    if file.stat().st_size > _LARGEST_LIST_BYTES:
        raise TraceError(
            f"the list is larger than {_LARGEST_LIST_BYTES >> 20} MiB",
            "a sample of some thousand counts serves as well",
            file=file,
        )
    counts: list[int] = []
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            value = _number(line.strip())
            if value is None or not 1 <= value <= most or value != int(value):
                raise TraceError(
                    f"it is not a whole number of 1 to {most} tokens",
                    "put one count in each line",
                    file=file,
                    line=number,
                    column=column,
                    value=line.strip()[:40],
                )
            counts.append(int(value))
    if not counts:
        raise TraceError("the list is empty", "put one count in each line", file=file, column=column, value=str(file))
    return np.array(counts, dtype=np.int64)


def _whole(value: float, text: str, column: str, most: int) -> int:
    if not 1 <= value <= most or value != int(value):
        raise TraceError(
            f"it is not a whole number of 1 to {most} tokens", f"use 1 to {most}", column=column, value=text
        )
    return int(value)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
