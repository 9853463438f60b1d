"""Runs of a benchmark on the scheduler, of which the file has means only.

How lengths vary, and how many requests a client has in flight, comes from the file itself, by Little's law: see
docs/performance-model.md, "What was wrong".
"""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from math import log
from typing import TYPE_CHECKING

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.measurements import Run
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance

if TYPE_CHECKING:
    from numpy.random import Generator

_DRAWS = 32
"""Batches for each run, fewer of large ones. Four times as many move predictions by 3% at most, mostly by 0.5%."""

_CANDIDATES = 2000
"""Batches that are drawn to take those from whose means are closest."""

_MOST_REQUESTS = 512
"""Of a run, simulated: by then its requests have long fallen into step."""


class Runs:
    """The runs of one file, as the scheduler would have served them."""

    def __init__(
        self, runs: Sequence[Run], parameters: PerformanceParameters, limits: RouterLimits, *, samples: bool = True
    ) -> None:
        """`parameters` need only be about right. Raises ValueError for a request that the router would refuse."""
        self.runs = tuple(runs)
        self._samples = samples
        self._limits = limits
        self._batches = list(_batches(self.runs))
        measured = any(run.completion_tokens_per_s for run in self.runs)
        self.tells_in_flight = measured and any((run.requests or run.concurrency) == 1 for run in self.runs)
        """Whether throughputs say how many were in flight: that takes runs of one request, of which lengths vary."""
        self.in_flight = self._most_in_flight(parameters)
        """Requests that the client has in flight at most: what explains the throughput best, or all that it is told."""

    def latencies(self, parameters: PerformanceParameters) -> list[float]:
        """Seconds of a request of each run, on average. Raises ValueError as at the start."""
        return [self._simulated(number, parameters, self.in_flight)[0] for number in range(len(self.runs))]

    def _simulated(self, number: int, parameters: PerformanceParameters, in_flight: int) -> tuple[float, float]:
        """Seconds of a request, and requests in flight, on average."""
        run, waited, elapsed = self.runs[number], 0.0, 0.0
        if (most := min(in_flight, run.concurrency)) > self._limits.max_concurrent_requests:
            raise ValueError(f"more than MAX_CONCURRENT_REQUESTS, {self._limits.max_concurrent_requests}, at once")
        for batch in self._batches[number]:
            instance, unsent, end = TgiInstance(parameters, self._limits), batch[::-1], 0.0
            due = [0.0] * most
            while (event := instance.next_event()) is not None or unsent:
                if event is None or (unsent and due and due[0] <= event):
                    now = heappop(due)
                    instance.offer(Request(now, *unsent.pop(), samples=self._samples), now)
                    continue
                for request in instance.advance(event):
                    end = request.finished + parameters.round_trip
                    waited += end - request.arrival
                    heappush(due, end)
            elapsed += end
        return waited / sum(map(len, self._batches[number])), waited / elapsed

    def _most_in_flight(self, parameters: PerformanceParameters) -> int:
        def miss(limit: int) -> float:
            """Of the requests in flight, which hardly depend on the parameters: they are a ratio of two times."""
            total = 0.0
            for number, run in enumerate(self.runs):
                if tokens_per_s := run.completion_tokens_per_s:
                    measured = run.latency_mean_s * tokens_per_s / run.completion_tokens_mean
                    total += abs(log(self._simulated(number, parameters, limit)[1] / measured))
            return total

        most: int = max(run.concurrency for run in self.runs)
        pools: list[int] = [most, *range(1, min(most, 33) if self.tells_in_flight else 1)]  # 32 threads at most
        return min(pools, key=miss)


def _batches(runs: tuple[Run, ...]) -> Iterator[list[list[tuple[int, int]]]]:
    """For each run, batches of (prompt tokens, answer tokens) that it may have sent. Deterministic."""
    import numpy as np  # noqa: PLC0415 - loads slowly

    alone = [run for run in runs if (run.requests or run.concurrency) == 1]
    answers = sorted(run.completion_tokens_mean for run in alone)  # the order of a file does not matter
    for run in runs:
        size, chance = min(run.requests or run.concurrency, _MOST_REQUESTS), np.random.default_rng(1)
        same = sorted(one.prompt_tokens_mean for one in alone if one.payload == run.payload)
        prompts = _drawn(same, run.prompt_tokens_mean, size, chance)
        drawn = zip(prompts, _drawn(answers, run.completion_tokens_mean, size, chance), strict=True)
        yield [list(zip(*lengths, strict=True)) for lengths in drawn]


def _drawn(lengths: list[float], mean: float, size: int, chance: "Generator") -> list[list[int]]:
    """Batches of so many of these lengths with this mean, or as close to it as they come and then changed to it."""
    import numpy as np  # noqa: PLC0415

    draws = 1 if size == 1 else max(1, min(_DRAWS, 1024 // size))
    if size == 1 or not lengths:
        return [[max(1, round(mean))] * size] * draws
    drawn = chance.choice(lengths, (_CANDIDATES, size))
    off = mean - drawn.mean(axis=1)
    nearest = np.argsort(abs(off), kind="stable")[:draws]
    drawn, off = drawn[nearest], off[nearest, np.newaxis]
    shorter = 1 + (drawn - 1) * (mean - 1) / np.maximum(mean - off - 1, 1e-9)  # none has less than a token
    return [[max(1, int(length)) for length in batch] for batch in np.rint(np.where(off < 0, shorter, drawn + off))]
