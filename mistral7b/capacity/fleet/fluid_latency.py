"""Latencies of a flow: when each class of each bin got its first token and its last, and the quantiles of that."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mistral7b.capacity.fleet.binned import BinnedTrace
from mistral7b.capacity.fleet.chunks import Floats, Ints
from mistral7b.capacity.fleet.cohort import Cohort
from mistral7b.capacity.fleet.result import QUANTILES, LatencyOverTime, windows
from mistral7b.capacity.fleet.service import SPREAD, ServiceCurve
from mistral7b.capacity.hosting import ANSWER_LIMIT_S

# Logarithmic histogram: 0.5% wide classes from a millisecond to eleven days (or the same in milliseconds a token).
_LOW, _WIDTH, _CLASSES = 1e-3, 0.005, 4200


@dataclass(frozen=True, eq=False)
class FlowLatencies:
    """Quantiles over all answered requests, how many were timed out, and latency over time."""

    latency_s: tuple[float, ...]
    per_token_ms: tuple[float, ...]
    timed_out: float
    over_time: LatencyOverTime


def flow_latencies(trace: BinnedTrace, curve: ServiceCurve, cohorts: list[Cohort], round_trip: float) -> FlowLatencies:
    """Works out the latencies of what was accepted by `cohorts`, which have drained.

    Each class of each bin is taken at one of SPREAD levels of the time to the first token, and of the length between
    the class's shortest and longest. The levels take turns from bin to bin, so that every pair of them has its share.
    """
    edges = windows(trace.duration_s)
    window_of = np.searchsorted(edges, (np.arange(len(trace.counts)) + 0.5) * trace.width_s, side="right") - 1
    seconds = np.zeros((edges.size - 1) * _CLASSES)
    per_token = np.zeros(_CLASSES)
    timed_out = 0.0
    for cohort in cohorts:
        for sample in _samples(trace, curve, cohort):
            late = sample.seconds > ANSWER_LIMIT_S
            timed_out += float(sample.weights[late].sum())
            answered = np.where(late, 0.0, sample.weights)
            shown = sample.seconds + round_trip
            place = window_of[sample.bins] * _CLASSES + _class(shown)
            low, high = int(place.min()), int(place.max()) + 1
            seconds[low:high] += np.bincount(place - low, answered, high - low)
            per_token += np.bincount(_class(1000 * shown / sample.lengths), answered, _CLASSES)
    by_window = seconds.reshape(-1, _CLASSES)
    totals = trace.counts.sum(axis=1)
    p50, p95 = np.array([_quantiles(window, (0.5, 0.95)) for window in by_window]).T
    return FlowLatencies(
        latency_s=_quantiles(by_window.sum(axis=0), QUANTILES),
        per_token_ms=_quantiles(per_token, QUANTILES),
        timed_out=timed_out,
        over_time=LatencyOverTime(
            edges[:-1] + np.diff(edges) / 2,
            p50,
            p95,
            np.bincount(window_of, totals, edges.size - 1) / np.diff(edges),
        ),
    )


@dataclass(frozen=True, eq=False)
class _Sample:
    """Requests of one class: bins, answer tokens, container seconds and weights, each of shape (bins,)."""

    bins: Ints
    lengths: Floats
    seconds: Floats
    weights: Floats


def _samples(trace: BinnedTrace, curve: ServiceCurve, cohort: Cohort) -> Iterator[_Sample]:
    """A cohort's requests, a class at a time."""
    accepted = cohort.accepted
    used = np.flatnonzero(accepted.any(axis=1))
    if not used.size:
        return
    times = cohort.times()
    arrival = (times[used] + times[used + 1]) / 2
    order = (cohort.arrived[used] + cohort.arrived[used + 1]) / 2
    wait = np.maximum(np.interp(order, cohort.admitted, times) - arrival, 0.0)
    load = np.interp(arrival, times, cohort.load)
    spreads = np.array([np.interp(load, curve.in_flight, level) for level in curve.spread.T])
    for place in range(accepted.shape[1]):
        level = (used + place) % SPREAD
        first = arrival + wait * spreads[level, np.arange(used.size)]
        share = ((used // SPREAD + 2 * place) % SPREAD + 0.5) / SPREAD
        lengths = trace.shortest[place] + share * (trace.longest[place] - trace.shortest[place])
        finished = np.interp(np.interp(first, times, cohort.clock) + lengths - 1, cohort.clock, times)
        weights = accepted[used, place].astype(np.float64)
        yield _Sample(used + cohort.first_bin, lengths, finished - arrival, weights)


def _class(values: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.clip(np.log(values / _LOW) / _WIDTH, 0, _CLASSES - 1).astype(np.int64)


def _quantiles(counts: Floats, levels: tuple[float, ...]) -> tuple[float, ...]:
    total = counts.sum()
    if total <= 0:
        return tuple(float("nan") for _ in levels)
    edges = _LOW * np.exp(_WIDTH * np.arange(_CLASSES + 1))
    cumulative = np.concatenate([[0.0], np.cumsum(counts)]) / total
    return tuple(float(np.interp(level, cumulative, edges)) for level in levels)
