"""How one instance serves a workload, by its requests in flight, and how many of them an objective allows."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.full_load import FullLoad, full_load
from mistral7b.capacity.planner.lengths import Lengths
from mistral7b.workload import Objective

GRID = (1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 181, 256)
"""Requests in flight that are simulated; between them everything is interpolated."""

ANSWER_LIMIT = "the time limit"
SATURATION = "saturation"

# An instance is full where a step along GRID, a third more or so in flight, adds less than this to what it serves.
_LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True)
class Allowed:
    """How many requests in flight keep an objective: 0 if a single one breaks it.

    One more would break `bound_by`, a field of the objective or ANSWER_LIMIT; or only wait in the queue: SATURATION.
    """

    in_flight: int
    bound_by: str


class Service:
    """One instance at each load of GRID, simulated when first asked for.

    More in flight is taken to be no faster for anyone and no less in all: what a simulation's chance says otherwise is
    levelled, so that a looser objective never allows less.
    """

    def __init__(
        self, requests: Sequence[Lengths], parameters: PerformanceParameters, limits: RouterLimits, limit_s: float = 60
    ) -> None:
        self.requests = requests
        self.answer_limit_s = limit_s
        self.limits = limits
        self._parameters = parameters
        self.loads: list[FullLoad] = []
        self._rates: list[float] = [0.0]

    def load(self, place: int) -> FullLoad:
        """The load GRID[place]."""
        while len(self.loads) <= place:
            self.loads.append(full_load(GRID[len(self.loads)], self.requests, self._parameters, self.limits))
            self._rates.append(max(self._rates[-1], self.loads[-1].requests_per_s))
        return self.loads[place]

    def speed(self, in_flight: float) -> float:
        """Answers a second with so many in flight on average."""
        place = bisect_left(GRID, in_flight)
        self.load(place)
        below = GRID[place - 1] if place else 0
        share = (in_flight - below) / (GRID[place] - below)
        return self._rates[place] + share * (self._rates[place + 1] - self._rates[place])

    def saturated(self, place: int) -> bool:
        """Whether GRID[place] serves hardly more than the load before it."""
        self.load(place)
        return self._rates[place + 1] < (1 + _LEAST_GAIN) * self._rates[place]

    def allowed(self, objective: Objective) -> Allowed:
        """How many in flight keep the objective, whoever comes when, and SageMaker's limit to all but few."""
        held = figures(objective, self.answer_limit_s)
        before, below = dict.fromkeys(held, 0.0), 0
        for place, most in enumerate(GRID):
            if self.saturated(place):
                break
            here = self.at(place, objective)
            shares = {
                name: (limit - before[name]) / (here[name] - before[name])
                for name, (_, _, limit) in held.items()
                if here[name] > limit
            }
            if shares:
                first = min(shares, key=shares.__getitem__)
                return Allowed(int(below + shares[first] * (most - below)) if place else 0, first)
            before, below = here, most
        return Allowed(below, SATURATION)

    def at(self, place: int, objective: Objective) -> dict[str, float]:
        """The figures of the objective at GRID[place], none better than with fewer in flight."""
        self.load(place)
        return {
            name: max(quantile(getattr(load, times), share) for load in self.loads[: place + 1])
            for name, (times, share, _) in figures(objective, self.answer_limit_s).items()
        }

    def slowed_by(self, in_flight: int) -> str:
        """Whether `prefill` or `decode` adds more to a request's time with so many in flight than alone."""
        alone, full = self.load(0), self.load(bisect_left(GRID, in_flight))
        prefill, decode = (alone.prefill_s, alone.decode_s) if full is not alone else (0.0, 0.0)
        return "prefill" if full.prefill_s - prefill > full.decode_s - decode else "decode"

    def weights(self, in_flight: float) -> list[tuple[FullLoad, float]]:
        """The one or two loads that `in_flight`, at least 1, lies between, with the share of each."""
        place = bisect_left(GRID, in_flight)
        if not place:
            return [(self.load(0), 1.0)]
        share = (in_flight - GRID[place - 1]) / (GRID[place] - GRID[place - 1])
        return [(self.load(place - 1), 1 - share), (self.load(place), share)]


simulated = lru_cache(maxsize=32)(Service)
"""An instance, kept with what is simulated of it: for other rates and objectives, and a plan made once more.

`mistral7b plan` of a file with `auto` makes the plan twice: on loading the file, and to show it.
"""


def figures(objective: Objective, answer_limit_s: float) -> dict[str, tuple[str, float, float]]:
    """What is held against limits: which times of FullLoad, which quantile of them, and its limit.

    They are the objective's latencies, and the share that exceeds SageMaker's limit as a quantile.
    """
    held = {}
    for name, limit in objective.latencies().items():
        percent, times = name.removeprefix("p").split("_", 1)
        held[name] = (times, int(percent) / 100, limit)
    return held | {ANSWER_LIMIT: ("container_s", 1 - objective.lost_percent / 200, answer_limit_s)}


def quantile(ascending: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
