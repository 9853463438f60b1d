"""The search: for each candidate the requests in flight that keep the objective, then the fewest instances."""

import math
from dataclasses import dataclass

from mistral7b.capacity.hosting import ANSWER_LIMIT_S
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.candidates import Candidate, Pinned, candidates, worth_simulating
from mistral7b.capacity.planner.expectation import Expectation, expect
from mistral7b.capacity.planner.queue import most_rate
from mistral7b.capacity.planner.service import ANSWER_LIMIT, GRID, SATURATION, Allowed, Service, figures, simulated
from mistral7b.capacity.planner.sizing import MOST_INSTANCES, Size, most_refused, size
from mistral7b.workload import Objective, Workload

# Of what the KV cache holds, the share from which on memory is what keeps requests waiting.
_MEMORY_FULL = 0.95
_PREFILLS_RULE = 0.5
_MOST_LOST = 50.0


class InfeasibleError(ValueError):
    """No settings keep the objective.

    Attributes:
        reason: why.
        fix: what can be met.
        nearest: the workload, changed as little as that takes; None where a given setting is in the way.
    """

    def __init__(self, reason: str, fix: str, nearest: Workload | None = None) -> None:
        super().__init__(f"{reason}\n    fix: {fix}")
        self.reason = reason
        self.fix = fix
        self.nearest = nearest


@dataclass(frozen=True)
class Option:
    """Settings that keep the objective, and what they come to.

    Attributes:
        candidate: lengths and prefill budget.
        service: an instance with them.
        allowed: the most requests in flight that keep the objective.
        limit: MAX_CONCURRENT_REQUESTS.
        size: instances and target.
        at_average: the fewest instances at the average rate.
        at_peak: the most at the peak.
    """

    candidate: Candidate
    service: Service
    allowed: Allowed
    limit: int
    size: Size
    at_average: Expectation
    at_peak: Expectation

    @property
    def rank(self) -> tuple[float, ...]:
        """Ascending: cost on average, cost at the peak; then requests refused for their length, latency, memory."""
        return (
            self.size.min_instances,
            self.size.max_instances,
            self.candidate.too_long,
            round(self.at_peak.p95_ms_per_token, 1),
            round(self.at_peak.p95_seconds, 1),
            self.candidate.max_batch_prefill_tokens,
        )

    @property
    def memory(self) -> float:
        """What `limit` requests reserve on average over what the KV cache holds."""
        return self.limit * self.candidate.reserved_tokens / self.candidate.limits.max_batch_total_tokens

    @property
    def binds(self) -> str:
        """What keeps an instance from serving more: `memory`, `prefill`, `latency`, `60 s limit` or `decode`."""
        if self.memory >= _MEMORY_FULL:
            return "memory"
        if self.allowed.bound_by == ANSWER_LIMIT:
            return ANSWER_LIMIT
        prefilling = sum(load.prefilling * share for load, share in self.service.weights(self.limit))
        if self.allowed.bound_by == SATURATION:
            return "prefill" if prefilling >= _PREFILLS_RULE else "decode"
        return "latency"


@dataclass(frozen=True)
class Instance:
    """A candidate, an instance with it, and the most requests in flight that keep the objective there."""

    candidate: Candidate
    service: Service
    allowed: Allowed


def option(workload: Workload, instance: Instance, limit: int, pinned: Pinned) -> Option | None:
    """What an instance that admits `limit` requests comes to; None if there cannot be enough of them."""
    candidate, service, allowed = instance.candidate, instance.service, instance.allowed
    sized = size(workload, limit, service, pinned)
    if sized is None:
        return None
    rate = workload.requests_per_second
    return Option(
        candidate, service, allowed, limit, sized,
        expect(rate.average, sized.min_instances, limit, service),
        expect(rate.peak, sized.max_instances, limit, service),
    )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The options, best first; candidates that the closed form rules out; and those that keep no objective."""

    options: list[Option]
    ruled_out: list[Candidate]


def search(workload: Workload, parameters: PerformanceParameters, pinned: Pinned) -> Found:
    """Every candidate with the limit that its objective allows, or the one that is pinned.

    Raises:
        InfeasibleError: none keeps the objective.
    """
    try:
        every = candidates(workload, pinned)
    except ValueError as error:
        raise InfeasibleError(str(error), "change the setting, or let it be planned") from None
    admitting = [c for c in every if _admits(c, workload)]
    least = {(c.max_input_length, c.max_total_tokens): c for c in reversed(admitting)}
    ruled_out = [
        c
        for c in admitting
        if c is not (first := least[c.max_input_length, c.max_total_tokens])
        and not worth_simulating(c, first, parameters)
    ]
    tried = [(c, simulated(tuple(c.requests), parameters, c.limits)) for c in admitting if c not in ruled_out]
    if not tried:
        raise InfeasibleError(
            f"{100 * every[0].too_long:.1f}% of the requests are longer than MAX_INPUT_LENGTH "
            f"{every[0].max_input_length} or MAX_TOTAL_TOKENS {every[0].max_total_tokens} lets in",
            "raise them, or let them be planned",
        )
    found = []
    for candidate, service in tried:
        allowed = service.allowed(workload.objective)
        limit = allowed.in_flight if pinned.max_concurrent_requests is None else pinned.max_concurrent_requests
        if 1 <= limit <= allowed.in_flight:
            found.append(option(workload, Instance(candidate, service, allowed), limit, pinned))
    options = sorted((one for one in found if one is not None), key=lambda one: one.rank)
    if not options:
        raise _infeasible(workload, tried, pinned)
    return Found(options, ruled_out)


def _admits(candidate: Candidate, workload: Workload) -> bool:
    return bool(candidate.requests) and candidate.too_long <= workload.objective.lost_percent / 400


def _infeasible(workload: Workload, tried: list[tuple[Candidate, Service]], pinned: Pinned) -> InfeasibleError:
    _, service = tried[0]
    allowed = service.allowed(workload.objective)
    if pinned.max_concurrent_requests is not None and 1 <= allowed.in_flight < pinned.max_concurrent_requests:
        return InfeasibleError(
            f"with MAX_CONCURRENT_REQUESTS {pinned.max_concurrent_requests} in flight an instance breaks "
            f"{allowed.bound_by}",
            f"set it to {allowed.in_flight} or less, or to auto",
        )
    if allowed.in_flight:
        most = pinned.max_instances or MOST_INSTANCES
        reason = (
            f"{most} instances are too few: each may have {allowed.in_flight} requests in flight, as "
            f"{allowed.bound_by} allows no more"
        )
    elif allowed.bound_by == ANSWER_LIMIT:
        reason = f"{100 * _late(service, 0):.1f}% of the answers take over 60 s even alone on an instance"
    else:
        here = service.at(0, workload.objective)[allowed.bound_by]
        asked = figures(workload.objective)[allowed.bound_by][1]
        reason = f"{allowed.bound_by} {asked:g} is below {here:.4g}, which takes a request alone on an instance"
    nearest = _nearest(workload, service, pinned)
    if nearest is None and not allowed.in_flight:
        return InfeasibleError(reason, "shorten the answers or the prompts: even 60 s are too few for them")
    if nearest is None:
        rate = math.floor(100 * max(_most_rate(workload, each) for _, each in tried)) / 100
        return InfeasibleError(reason, f"no latency makes up for it; lower the peak rate to {rate:g} a second")
    return InfeasibleError(reason, f"the nearest objective that can be met is {_changed(workload, nearest)}", nearest)


def _nearest(workload: Workload, service: Service, pinned: Pinned) -> Workload | None:
    """The workload with each latency as much looser as the fewest requests in flight take that can be had."""
    for place, most in enumerate(GRID):
        if service.saturated(place):
            return None
        objective = _loosened(workload.objective, service, place)
        if (
            max(objective.p50_seconds or 0, objective.p95_seconds or 0) > ANSWER_LIMIT_S
            or objective.lost_percent > _MOST_LOST
        ):
            return None
        loosened = workload.model_copy(update={"objective": objective})
        allowed = service.allowed(loosened.objective)
        limit = pinned.max_concurrent_requests or max(most, allowed.in_flight)
        if limit <= allowed.in_flight and size(loosened, limit, service, pinned) is not None:
            return loosened
    return None


def _loosened(objective: Objective, service: Service, place: int) -> Objective:
    here = service.at(place, objective)
    changed = {name: max(limit, _rounded_up(here[name])) for name, limit in objective.latencies().items()}
    if here[ANSWER_LIMIT] > ANSWER_LIMIT_S:  # half of what may be lost; one more, as a quantile is one of the values
        lost = 200 * (_late(service, place) + 1 / len(service.requests))
        changed["lost_percent"] = max(objective.lost_percent, _rounded_up(lost))
    return objective.model_copy(update=changed)


def _late(service: Service, place: int) -> float:
    seconds = service.load(place).container_s
    return sum(value > ANSWER_LIMIT_S for value in seconds) / len(seconds)


def _changed(before: Workload, after: Workload) -> str:
    old, new = before.objective.model_dump(), after.objective.model_dump()
    return ", ".join(f"{name}: {new[name]:g}" for name in new if new[name] != old[name])


def _rounded_up(value: float) -> float:
    """With three digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.ceil(value / unit) * unit:.6g}")


def _most_rate(workload: Workload, service: Service) -> float:
    limit = max(1, service.allowed(workload.objective).in_flight)
    return most_rate(MOST_INSTANCES, limit, service.speed, most_refused(workload))
