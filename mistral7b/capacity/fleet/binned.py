"""A trace as counts: requests per time bin and class of answer length. Its size does not depend on the requests'."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mistral7b.capacity.fleet.chunks import Chunk, Floats, Ints, Trace, TraceError

_MOST_BINS = 180_000
_CLASSES = 64
_LONGEST_ANSWER = 1 << 15
_SAMPLE = 8192


@dataclass(frozen=True, eq=False)
class BinnedTrace:
    """Counts of requests.

    Attributes:
        width_s: Seconds of a bin.
        duration_s: Seconds that the trace covers.
        counts: Requests by bin and class, shape (bins, classes).
        shortest: Fewest answer tokens of each class, shape (classes,).
        longest: Most answer tokens of each class, shape (classes,).
        mean: Mean answer tokens of each class, shape (classes,).
        sample: Requests spread evenly over the trace, in order, at most 8,192.
    """

    width_s: float
    duration_s: float
    counts: Floats
    shortest: Ints
    longest: Ints
    mean: Floats
    sample: Chunk


def bin_trace(trace: Trace, progress: Callable[[float], None] | None = None) -> BinnedTrace:
    """Counts a trace in one pass, chunk by chunk.

    Bins are of one second, or more beyond fifty hours; classes of answer length are 64 and evenly spaced in the
    logarithm (each within 13% of the next over the whole range), and single lengths where those are fewer.

    Args:
        trace: The requests.
        progress: Told how far it is.

    Raises:
        TraceError: the trace is empty or cannot be read.
    """
    trace_s = trace.duration_s
    width = max(1.0, trace_s / _MOST_BINS)
    bins = max(1, math.ceil(trace_s / width))
    class_of = _log_classes()
    classes = int(class_of[-1]) + 1
    counts = np.zeros(bins * classes)
    by_length = np.zeros(_LONGEST_ANSWER, dtype=np.int64)
    sample = _Sample()
    for chunk in trace.chunks():
        place = np.minimum((chunk.times / width).astype(np.int64), bins - 1)
        first = int(place[0])
        offset = place - first
        span = (int(offset[-1]) + 1) * classes
        counts[first * classes : first * classes + span] += np.bincount(
            offset * classes + class_of[chunk.outputs], minlength=span
        )
        by_length += np.bincount(chunk.outputs, minlength=_LONGEST_ANSWER)
        sample.add(chunk)
        if progress:
            progress(float(chunk.times[-1]) / trace_s)
    if not by_length.any():
        raise TraceError("the trace holds no request", "raise the rate or the duration")
    used, shortest, longest, mean = _used_classes(by_length, class_of)
    counts = np.ascontiguousarray(counts.reshape(bins, classes)[:, used])
    return BinnedTrace(width, trace_s, counts, shortest, longest, mean, sample.taken())


def _log_classes() -> Ints:
    """The class of each answer length, by length."""
    lengths = np.arange(1, _LONGEST_ANSWER)
    edges = np.unique(np.rint(np.geomspace(1, _LONGEST_ANSWER, 2 * _CLASSES)).astype(np.int64))
    return np.concatenate([[0], np.searchsorted(edges, lengths, side="right") - 1])


def _used_classes(by_length: Ints, class_of: Ints) -> tuple[Ints, Ints, Ints, Floats]:
    """The classes that hold requests, with the shortest, longest and mean length of each."""
    lengths = np.flatnonzero(by_length)
    weights = by_length[lengths].astype(np.float64)
    used, group = np.unique(class_of[lengths], return_inverse=True)
    total = np.bincount(group, weights)
    starts = np.searchsorted(group, np.arange(used.size))
    ends = np.append(starts[1:], lengths.size) - 1
    return used, lengths[starts], lengths[ends], np.bincount(group, weights * lengths) / total


class _Sample:
    """Every n-th request, n doubling as they become too many: evenly spread, whatever the trace's length."""

    def __init__(self) -> None:
        self._rows = np.empty((0, 2), dtype=np.int64)
        self._stride = 1
        self._seen = 0

    def add(self, chunk: Chunk) -> None:
        rows = np.column_stack([chunk.inputs, chunk.outputs])[(-self._seen) % self._stride :: self._stride]
        self._seen += chunk.times.size
        self._rows = np.concatenate([self._rows, rows])
        while len(self._rows) > _SAMPLE:
            self._rows = self._rows[::2]
            self._stride *= 2

    def taken(self) -> Chunk:
        return Chunk(np.zeros(len(self._rows)), self._rows[:, 0].copy(), self._rows[:, 1].copy())
