"""When requests come: rates over time, and Poisson arrivals drawn from them."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mistral7b.capacity.fleet.chunks import Chunk, Floats, TraceError
from mistral7b.capacity.fleet.durations import LONGEST_S
from mistral7b.capacity.fleet.lengths import Lengths

DAY_S = 86_400.0
# Resolution of a rate over time; within a step the rate is constant.
_STEP_S = 1.0
_CHUNK_REQUESTS = 500_000

Rate = Callable[[Floats], Floats]
"""Requests per second at each of these times (seconds)."""


def constant(rate: float) -> Rate:
    """The same `rate` (requests per second) throughout."""
    _check(rate=rate)
    return lambda times: np.full(times.shape, rate)


def daily(rate: float, peak: float, peak_at_s: float = 14 * 3600.0) -> Rate:
    """A day's curve: a cosine between `rate` at night and `peak` (requests per second) at `peak_at_s` of each day."""
    _check(rate=rate, peak=peak)
    return lambda times: rate + (peak - rate) * (1 + np.cos(2 * math.pi * (times - peak_at_s) / DAY_S)) / 2


def burst(rate: float, peak: float, start_s: float, length_s: float) -> Rate:
    """`rate`, but `peak` (requests per second) from `start_s` for `length_s` seconds."""
    _check(rate=rate, peak=peak)
    return lambda times: np.where((times >= start_s) & (times < start_s + length_s), peak, rate)


def ramp(rate: float, peak: float, duration_s: float) -> Rate:
    """A straight line from `rate` to `peak` (requests per second) over `duration_s` seconds."""
    _check(rate=rate, peak=peak)
    return lambda times: rate + (peak - rate) * times / duration_s


@dataclass(frozen=True, eq=False)
class PoissonTrace:
    """Poisson arrivals of a rate that varies, each with an independent prompt and answer length.

    Drawn by inversion: the arrivals of a Poisson process, given their number, are order statistics of its normalised
    cumulative rate (Çinlar, *Introduction to Stochastic Processes*, 1975); the order statistics of uniform numbers are
    cumulative sums of exponential ones over their total (Devroye, *Non-Uniform Random Variate Generation*, V.3).

    Attributes:
        rate: Requests per second over time.
        duration_s: Length in seconds.
        inputs: Prompt tokens.
        outputs: Answer tokens.
        seed: Equal seeds give equal traces.
        max_total_tokens: Answers are cut so that prompt and answer are no more (MAX_TOTAL_TOKENS).
    """

    rate: Rate
    duration_s: float
    inputs: Lengths
    outputs: Lengths
    seed: int
    max_total_tokens: int = 8192

    def __post_init__(self) -> None:
        if not 0 < self.duration_s <= LONGEST_S:
            reason, fix = "a trace covers more than 0 seconds and 31 days at most", "write 3600, 90m or 24h"
            raise TraceError(reason, fix, column="duration", value=f"{self.duration_s:g}")

    def expected_requests(self) -> float:
        """The expected number of requests."""
        _, cumulative = self._cumulative()
        return float(cumulative[-1])

    def chunks(self) -> Iterator[Chunk]:
        """The requests in order, some 500,000 at a time."""
        rng = np.random.default_rng(self.seed)
        edges, cumulative = self._cumulative()
        pieces = max(1, math.ceil(cumulative[-1] / _CHUNK_REQUESTS))
        marks = np.linspace(0, cumulative[-1], pieces + 1)
        for low, high in itertools.pairwise(marks.tolist()):
            count = int(rng.poisson(high - low))
            if count == 0:
                continue
            sums = np.cumsum(rng.standard_exponential(count + 1))
            times = np.interp(low + (high - low) * sums[:-1] / sums[-1], cumulative, edges)
            inputs = self.inputs.draw(rng, count)
            outputs = np.minimum(self.outputs.draw(rng, count), np.maximum(self.max_total_tokens - inputs, 1))
            yield Chunk(times, inputs, outputs)

    def _cumulative(self) -> tuple[Floats, Floats]:
        """Edges of the steps (seconds) and the expected requests up to each."""
        steps = math.ceil(self.duration_s / _STEP_S)
        edges = np.minimum(np.arange(steps + 1) * _STEP_S, self.duration_s)
        widths = np.diff(edges)
        expected = self.rate(edges[:-1] + widths / 2) * widths
        return edges, np.concatenate([[0.0], np.cumsum(expected)])


def _check(**rates: float) -> None:
    for name, value in rates.items():
        if not 0 <= value < math.inf:
            reason, fix = "a rate is 0 or more requests per second", "give a number such as 2.5"
            raise TraceError(reason, fix, column=name, value=f"{value:g}")
