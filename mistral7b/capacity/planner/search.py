"""The search: for each candidate the requests in flight that keep the objective, then the fewest instances."""

import math
from dataclasses import dataclass

from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.candidates import Candidate, Pinned, candidates
from mistral7b.capacity.planner.queue import most_rate
from mistral7b.capacity.planner.service import ANSWER_LIMIT, GRID, Allowed, Service, simulated
from mistral7b.capacity.planner.sizing import MOST_INSTANCES, Expectation, expect, most_refused, size
from mistral7b.workload import Objective, Workload

# Of what the KV cache holds, the share from which on memory is what keeps requests waiting.
_MEMORY_FULL = 0.95
_MOST_LOST = 50.0


class InfeasibleError(ValueError):
    """No settings keep the objective: why, and what can be met."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason}\nfix: {fix}")
        self.reason, self.fix = reason, fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a plan sets in an environment file."""

    max_concurrent_requests: int
    max_input_length: int
    max_total_tokens: int
    max_batch_prefill_tokens: int
    target_concurrent_requests: float
    min_instances: int
    max_instances: int
    scale_out_cooldown_seconds: int


@dataclass(frozen=True)
class Option:
    """Settings that keep the objective, and what they come to.

    `limit` is MAX_CONCURRENT_REQUESTS; `allowed` the most requests in flight that keep the objective; `most_rate` what
    all instances bear, in requests per second.
    """

    candidate: Candidate
    service: Service
    allowed: Allowed
    limit: int
    settings: Settings
    at_average: Expectation
    at_peak: Expectation
    most_rate: float

    @property
    def rank(self) -> tuple[float, ...]:
        """Ascending: cost on average, cost at the peak; then requests refused for their length, latency, memory."""
        return (
            self.settings.min_instances,
            self.settings.max_instances,
            self.candidate.too_long,
            round(self.at_peak.latencies["p95_ms_per_token"], 1),
            round(self.at_peak.latencies["p95_seconds"], 1),
            self.candidate.limits.max_batch_prefill_tokens,
        )

    @property
    def memory(self) -> float:
        """What `limit` requests reserve on average over what the KV cache holds."""
        return self.limit * self.candidate.reserved_tokens / self.candidate.limits.max_batch_total_tokens

    @property
    def binds(self) -> str:
        """What keeps an instance from serving more: `memory`, `prefill` or `decode`."""
        return "memory" if self.memory >= _MEMORY_FULL else self.service.slowed_by(self.limit)


def option(workload: Workload, candidate: Candidate, service: Service, limit: int, pinned: Pinned) -> Option | None:
    """What instances that admit `limit` requests come to; None if there cannot be enough of them."""
    sized = size(workload, limit, service, pinned)
    if sized is None:
        return None
    low, high, target, bearable = sized
    settings = Settings(
        max_concurrent_requests=limit,
        max_input_length=candidate.max_input_length,
        max_total_tokens=candidate.max_total_tokens,
        max_batch_prefill_tokens=candidate.limits.max_batch_prefill_tokens,
        target_concurrent_requests=target,
        min_instances=low,
        max_instances=high,
        scale_out_cooldown_seconds=pinned.scale_out_cooldown_seconds,
    )
    average = expect(workload.requests_per_second.average, low, limit, service)
    peak = expect(workload.requests_per_second.peak, high, limit, service)
    allowed = service.allowed(workload.objective)
    return Option(candidate, service, allowed, limit, settings, average, peak, bearable)


def search(workload: Workload, parameters: PerformanceParameters, pinned: Pinned) -> list[Option]:
    """Every candidate with the limit that its objective allows, or the one that is pinned; best first.

    Raises InfeasibleError if none keeps the objective.
    """
    try:
        every = candidates(workload, pinned)
    except ValueError as error:
        raise InfeasibleError(str(error), "change the setting, or let it be planned") from None
    tried = [
        (one, simulated(tuple(one.requests), parameters, one.limits, workload.answer_limit_s))
        for one in every
        if one.requests and one.too_long <= workload.objective.lost_percent / 400
    ]
    if not tried:
        raise InfeasibleError(
            f"{100 * every[0].too_long:.1f}% of the requests are longer than MAX_INPUT_LENGTH "
            f"{every[0].max_input_length} or MAX_TOTAL_TOKENS {every[0].max_total_tokens} lets in",
            "raise them, or let them be planned",
        )
    options = []
    for candidate, service in tried:
        most = service.allowed(workload.objective).in_flight
        limit = most if pinned.max_concurrent_requests is None else pinned.max_concurrent_requests
        if 1 <= limit <= most and (found := option(workload, candidate, service, limit, pinned)):
            options.append(found)
    if not options:
        raise _infeasible(workload, [service for _, service in tried], pinned)
    return sorted(options, key=lambda found: found.rank)


def _infeasible(workload: Workload, services: list[Service], pinned: Pinned) -> InfeasibleError:
    service, objective = services[0], workload.objective
    allowed = service.allowed(objective)
    if pinned.max_concurrent_requests is not None and 1 <= allowed.in_flight < pinned.max_concurrent_requests:
        return InfeasibleError(
            f"with MAX_CONCURRENT_REQUESTS {pinned.max_concurrent_requests} in flight an instance breaks "
            f"{allowed.bound_by}",
            f"set it to {allowed.in_flight} or less, or to auto",
        )
    if allowed.in_flight:
        reason = (
            f"{pinned.max_instances or MOST_INSTANCES} instances are too few: each may have {allowed.in_flight} "
            f"requests in flight, as {allowed.bound_by} allows no more"
        )
    elif allowed.bound_by == ANSWER_LIMIT:
        late = f"{100 * _late(service, 0):.1f}% of the answers take over {service.answer_limit_s:g} s"
        reason = f"{late} even alone on an instance"
    else:
        here, asked = service.at(0, objective)[allowed.bound_by], objective.latencies()[allowed.bound_by]
        reason = f"{allowed.bound_by} {asked:g} is below {here:.4g}, which takes a request alone on an instance"
    if nearest := _nearest(workload, service, pinned):
        changed = ", ".join(f"{name}: {new:g}" for name, new in nearest if new != getattr(objective, name))
        return InfeasibleError(reason, f"the nearest objective that can be met is {changed}")
    if not allowed.in_flight:
        stream = "" if workload.streaming else ", or set streaming: true, for 8 minutes"
        fix = f"shorten the answers or the prompts{stream}: SageMaker waits for {service.answer_limit_s:g} s"
        return InfeasibleError(reason, fix)
    rates = (
        most_rate(MOST_INSTANCES, max(1, each.allowed(objective).in_flight), each.speed, most_refused(workload))
        for each in services
    )
    rate = math.floor(100 * max(rates) / (1 + workload.headroom_percent / 100)) / 100
    return InfeasibleError(reason, f"no latency makes up for it; lower the peak rate to {rate:g} a second")


def _nearest(workload: Workload, service: Service, pinned: Pinned) -> Objective | None:
    """The objective with each latency as much looser as the fewest requests in flight take that can be had."""
    for place, most in enumerate(GRID):
        objective = _loosened(workload.objective, service, place)
        seconds = max(objective.p50_seconds or 0, objective.p95_seconds or 0)
        if service.saturated(place) or seconds > service.answer_limit_s or objective.lost_percent > _MOST_LOST:
            return None
        loosened = workload.model_copy(update={"objective": objective})
        allowed = service.allowed(objective)
        limit = pinned.max_concurrent_requests or max(most, allowed.in_flight)
        if limit <= allowed.in_flight and size(loosened, limit, service, pinned) is not None:
            return objective
    return None


def _loosened(objective: Objective, service: Service, place: int) -> Objective:
    here = service.at(place, objective)
    changed = {name: max(limit, _rounded_up(here[name])) for name, limit in objective.latencies().items()}
    if here[ANSWER_LIMIT] > service.answer_limit_s:  # half of what may be lost; and one, as a quantile is a value
        lost = 200 * (_late(service, place) + 1 / len(service.requests))
        changed["lost_percent"] = max(objective.lost_percent, _rounded_up(lost))
    return objective.model_copy(update=changed)


def _late(service: Service, place: int) -> float:
    seconds = service.load(place).container_s
    return sum(value > service.answer_limit_s for value in seconds) / len(seconds)


def _rounded_up(value: float) -> float:
    """With three digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.ceil(value / unit) * unit:.6g}")
