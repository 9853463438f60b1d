"""How many tokens prompts and answers have: distributions to draw from."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mistral7b.capacity.fleet.trace import Ints, TraceError, finite, numbered_lines
from mistral7b.workload import Z95, lognormal

# A lognormal distribution's p95 is at most exp(z²/2) times its mean.
MOST_P95_TO_MEAN = math.exp(Z95**2 / 2)


@dataclass(frozen=True)
class LognormalLength:
    """Lognormal counts by mean and 95% quantile, rounded, at least 1 and cut at `most`."""

    mean: float
    p95: float
    most: int

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """`count` independent counts."""
        drawn = np.rint(rng.lognormal(*lognormal(self.mean, self.p95), count))
        return np.clip(drawn, 1, self.most).astype(np.int64)


@dataclass(frozen=True, eq=False)
class EmpiricalLength:
    """Counts drawn from a list, each entry as likely as another; always the same count if it is the only one."""

    tokens: Ints

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """`count` independent entries of the list."""
        return self.tokens[rng.integers(0, self.tokens.size, count)]


Lengths = LognormalLength | EmpiricalLength
"""A distribution of token counts, each 1 or more."""


def parse_lengths(text: str, column: str, most: int) -> Lengths:
    """The distribution that the option `column` names, cut at `most` tokens.

    `300` (always 300), `300:900` (lognormal, mean 300 and p95 900) or a file with one count a line.

    Raises:
        TraceError: the text is none of these, or a count is not between 1 and `most`.
    """
    wrong = partial(TraceError, column=column, value=text)
    not_whole = f"it is not a whole number of 1 to {most} tokens"
    match [finite(part) for part in text.split(":")]:
        case [float(tokens)]:
            if not _whole(tokens, most):
                raise wrong(not_whole, f"use 1 to {most}")
            return EmpiricalLength(np.array([int(tokens)]))
        case [float(mean), float(p95)]:
            if not 1 <= mean < p95 <= min(most, MOST_P95_TO_MEAN * mean):
                raise wrong(
                    f"no lognormal distribution within 1 and {most} tokens has this mean and p95",
                    f"give a mean of 1 or more, and a p95 above it, {MOST_P95_TO_MEAN:.2f} times the mean at most",
                )
            return LognormalLength(mean, p95, most)
    file, counts = Path(text), []
    if not file.is_file():
        raise wrong(
            "it is neither a number of tokens, nor MEAN:P95, nor a file",
            "write 300, or 300:900 for a mean of 300 and a 95% quantile of 900, or a file with one count a line",
        )
    for number, line in numbered_lines(file):
        value = finite(line)
        if value is None or not _whole(value, most):
            raise TraceError(
                not_whole, "put one count in each line", file=file, line=number, column=column, value=line[:40]
            )
        counts.append(int(value))
    if not counts:
        raise wrong("the list is empty", "put one count in each line", file=file)
    return EmpiricalLength(np.array(counts))


def _whole(value: float, most: int) -> bool:
    return 1 <= value <= most and value.is_integer()
