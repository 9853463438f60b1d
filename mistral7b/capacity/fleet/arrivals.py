"""When requests come: rates over time, and Poisson arrivals drawn from them."""

import math
from collections.abc import Callable

import numpy as np

from mistral7b.capacity.fleet.lengths import Lengths
from mistral7b.capacity.fleet.trace import LONGEST_S, MOST_REQUESTS, Floats, Trace, TraceError

DAY_S = 86_400.0
# Resolution of a rate over time; within a step the rate is constant.
_STEP_S = 1.0

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


def poisson_trace(
    rate: Rate, duration_s: float, inputs: Lengths, outputs: Lengths, *, seed: int, max_total_tokens: int = 8192
) -> Trace:
    """Poisson arrivals of a rate that varies, each with an independent prompt and answer length.

    Drawn by inversion: the arrivals of a Poisson process, given their number, are order statistics of its normalised
    cumulative rate (Çinlar, *Introduction to Stochastic Processes*, 1975); the order statistics of uniform numbers are
    cumulative sums of exponential ones over their total (Devroye, *Non-Uniform Random Variate Generation*, V.3).

    Args:
        rate: Requests per second over time.
        duration_s: Length in seconds.
        inputs: Prompt tokens.
        outputs: Answer tokens.
        seed: Equal seeds give equal traces.
        max_total_tokens: Answers are cut so that prompt and answer are no more (MAX_TOTAL_TOKENS).

    Raises:
        TraceError: the duration is not between 0 and 31 days, or it makes no request, or more than MOST_REQUESTS.
    """
    if not 0 < duration_s <= LONGEST_S:
        reason, fix = "a trace covers more than 0 seconds and 31 days at most", "write 3600, 90m or 24h"
        raise TraceError(reason, fix, column="--duration", value=f"{duration_s:g}")
    edges = np.minimum(np.arange(math.ceil(duration_s / _STEP_S) + 1) * _STEP_S, duration_s)
    widths = np.diff(edges)
    # the expected requests up to each edge
    cumulative = np.concatenate([[0.0], np.cumsum(rate(edges[:-1] + widths / 2) * widths)])
    expected = float(cumulative[-1])
    if expected > MOST_REQUESTS:
        reason = f"that makes some {expected:,.0f} requests: more than {MOST_REQUESTS:,}, too many one by one"
        raise TraceError(reason, "lower the rate or the duration")
    rng = np.random.default_rng(seed)
    count = int(rng.poisson(expected))
    sums = np.cumsum(rng.standard_exponential(count + 1))
    times = np.interp(expected * sums[:-1] / sums[-1], cumulative, edges)
    prompts = inputs.draw(rng, count)
    answers = np.minimum(outputs.draw(rng, count), np.maximum(max_total_tokens - prompts, 1))
    return Trace(times, prompts, answers, duration_s)


def _check(**rates: float) -> None:
    for name, value in rates.items():
        if not 0 <= value < math.inf:
            reason, fix = "a rate is 0 or more requests per second", "give a number such as 2.5"
            raise TraceError(reason, fix, column=f"--{name}", value=f"{value:g}")
