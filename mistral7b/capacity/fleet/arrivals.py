"""Made-up traffic: rates over time, Poisson arrivals drawn from them, and how many tokens prompts and answers have."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from mistral7b.capacity.fleet.trace import LONGEST_S, MOST_REQUESTS, Floats, Ints, Trace, finite, numbered_lines
from mistral7b.errors import UserError
from mistral7b.workload import MOST_P95_TO_MEAN, Tokens, TokenSpread, lognormal

DAY_S = 86_400.0

Rate = Callable[[Floats], Floats]
"""Requests per second at each of these times (seconds)."""

Pattern = Literal["constant", "daily", "burst", "ramp", "climb"]
CLIMB_S = 900.0
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


def rate_over_time(pattern: Pattern, rate: float, peak: float, duration_s: float, climb_s: float = CLIMB_S) -> Rate:
    """A pattern between `rate` and `peak`, over `duration_s` seconds. Raises UserError for a rate that is none."""
    for name, value in (("rate", rate), ("peak", peak)):
        if not 0 <= value < math.inf:
            reason, fix = "a rate is 0 or more requests per second", "give a number such as 2.5"
            raise UserError(f"--{name} {value:g}: {reason}\nfix: {fix}")
    if peak < rate and pattern in ("burst", "climb", "daily"):
        reason, fix = f"it is below --rate {rate:g}", "swap them, or use --pattern ramp, which may fall"
        raise UserError(f"--peak {peak:g}: {reason}\nfix: {fix}")
    if pattern == "climb":  # from a quarter of the time on, and at the peak until three quarters are over
        start, end = duration_s / 4, duration_s * 3 / 4
        corners = (start, start + min(max(climb_s, 1.0), duration_s / 2), end, end + 1.0)
        return lambda times: np.interp(times, corners, (rate, peak, peak, rate))
    return lambda times: _PATTERNS[pattern](times, rate, peak, duration_s)


def poisson_trace(
    rate: Rate, duration_s: float, inputs: Tokens, outputs: Tokens, *, seed: int, max_total_tokens: int = 8192
) -> Trace:
    """Poisson arrivals of a rate that varies, each with an independent prompt and answer length.

    Equal seeds give equal traces. Answers are cut so that prompt and answer are no more than `max_total_tokens`.

    Drawn by inversion: the arrivals of a Poisson process, given their number, are order statistics of its normalised
    cumulative rate (Çinlar, *Introduction to Stochastic Processes*, 1975); the order statistics of uniform numbers are
    cumulative sums of exponential ones over their total (Devroye, *Non-Uniform Random Variate Generation*, V.3).

    Raises UserError if it makes no request or more than MOST_REQUESTS, or covers more than 31 days.
    """
    if not 0 < duration_s <= LONGEST_S:
        reason, fix = "a trace covers more than 0 seconds and 31 days at most", "write 3600, 90m or 24h"
        raise UserError(f"--duration {duration_s:g}: {reason}\nfix: {fix}")
    # Within a second the rate is constant; `cumulative` is what is expected up to each edge.
    edges = np.minimum(np.arange(math.ceil(duration_s) + 1), duration_s)
    widths = np.diff(edges)
    cumulative = np.concatenate([[0.0], np.cumsum(rate(edges[:-1] + widths / 2) * widths)])
    expected = float(cumulative[-1])
    if expected > MOST_REQUESTS:
        reason = f"that makes some {expected:,.0f} requests: more than {MOST_REQUESTS:,}, too many one by one"
        raise UserError(f"{reason}\nfix: lower the rate or the duration")
    rng = np.random.default_rng(seed)
    count = int(rng.poisson(expected))
    sums = np.cumsum(rng.standard_exponential(count + 1))
    times = np.interp(expected * sums[:-1] / sums[-1], cumulative, edges)
    prompts = draw(inputs, rng, count)
    answers = np.minimum(draw(outputs, rng, count), np.maximum(max_total_tokens - prompts, 1))
    return Trace(times, prompts, answers, duration_s)


def draw(tokens: Tokens, rng: np.random.Generator, count: int) -> Ints:
    """`count` independent numbers of tokens from a distribution; of a list, each entry is as likely as another."""
    if isinstance(tokens, TokenSpread):
        drawn = np.rint(rng.lognormal(*lognormal(tokens.mean, tokens.p95), count))
        return np.clip(drawn, 1, tokens.most).astype(np.int64)
    listed = np.array(tokens, ndmin=1)
    return listed[rng.integers(0, listed.size, count)]


def parse_lengths(text: str, column: str, most: int) -> Tokens:
    """The distribution that the option `column` names, cut at `most` tokens.

    `300` (always 300), `300:900` (lognormal, mean 300 and p95 900) or a file with one count a line. Raises UserError if
    the text is none of these, or a count is not between 1 and `most`.
    """
    where, not_whole = f"{column} {text}", f"it is not a whole number of 1 to {most} tokens"
    match [finite(part) for part in text.split(":")]:
        case [float(tokens)]:
            if not _whole(tokens, most):
                raise UserError(f"{where}: {not_whole}\nfix: use 1 to {most}")
            return int(tokens)
        case [float(mean), float(p95)]:
            if not 1 <= mean < p95 <= min(most, MOST_P95_TO_MEAN * mean):
                raise UserError(
                    f"{where}: no lognormal distribution within 1 and {most} tokens has this mean and p95\nfix: give a "
                    f"mean of 1 or more, and a p95 above it, {MOST_P95_TO_MEAN:.2f} times the mean at most"
                )
            # As checked; an environment's container may admit more tokens than a workload may plan for.
            return TokenSpread.model_construct(mean=mean, p95=p95, longest=most)
    file, counts = Path(text), []
    if not file.is_file():
        fix = "write 300, or 300:900 for a mean of 300 and a 95% quantile of 900, or a file with one count a line"
        raise UserError(f"{where}: it is neither a number of tokens, nor MEAN:P95, nor a file\nfix: {fix}")
    for number, line in numbered_lines(file):
        value = finite(line)
        if value is None or not _whole(value, most):
            raise UserError(f"{file}:{number}: {column} = {line[:40]}: {not_whole}\nfix: put one count in each line")
        counts.append(int(value))
    if not counts:
        raise UserError(f"{file}: {column} = {text}: the list is empty\nfix: put one count in each line")
    return counts


def _whole(value: float, most: int) -> bool:
    return 1 <= value <= most and value.is_integer()
