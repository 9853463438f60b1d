"""When requests come: rates over time, and Poisson arrivals drawn from them."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from mistral7b.capacity.fleet.lengths import Lengths
from mistral7b.capacity.fleet.trace import LONGEST_S, MOST_REQUESTS, Floats, Trace, TraceError

DAY_S = 86_400.0
# Resolution of a rate over time; within a step the rate is constant.
_STEP_S = 1.0

Rate = Callable[[Floats], Floats]
"""Requests per second at each of these times (seconds)."""

Pattern = Literal["constant", "daily", "burst", "ramp"]
# By pattern: from times, rate, peak (requests per second) and duration (seconds) to the rate at each time.
_PATTERNS: dict[Pattern, Callable[[Floats, float, float, float], Floats]] = {
    "constant": lambda times, rate, _peak, _duration: np.full(times.shape, rate),
    # A cosine with its peak at 14:00.
    "daily": lambda times, rate, peak, _duration: (
        rate + (peak - rate) * (1 + np.cos(2 * math.pi * (times - DAY_S * 14 / 24) / DAY_S)) / 2
    ),
    "burst": lambda times, rate, peak, duration: np.where((times >= duration / 4) & (times < duration / 2), peak, rate),
    "ramp": lambda times, rate, peak, duration: rate + (peak - rate) * times / duration,
}


def rate_over_time(pattern: Pattern, rate: float, peak: float, duration_s: float) -> Rate:
    """Requests per second of a pattern between `rate` and `peak`, over `duration_s` seconds.

    Raises:
        TraceError: a rate is below 0, or not finite.
    """
    for name, value in (("rate", rate), ("peak", peak)):
        if not 0 <= value < math.inf:
            reason, fix = "a rate is 0 or more requests per second", "give a number such as 2.5"
            raise TraceError(reason, fix, column=f"--{name}", value=f"{value:g}")
    return lambda times: _PATTERNS[pattern](times, rate, peak, duration_s)


def poisson_trace(
    rate: Rate, duration_s: float, inputs: Lengths, outputs: Lengths, *, seed: int, max_total_tokens: int = 8192
) -> Trace:
    """Poisson arrivals of a rate that varies, each with an independent prompt and answer length.

    Equal seeds give equal traces. Answers are cut so that prompt and answer are no more than `max_total_tokens`.

    Drawn by inversion: the arrivals of a Poisson process, given their number, are order statistics of its normalised
    cumulative rate (Çinlar, *Introduction to Stochastic Processes*, 1975); the order statistics of uniform numbers are
    cumulative sums of exponential ones over their total (Devroye, *Non-Uniform Random Variate Generation*, V.3).

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
