"""A plan: the best option, what it costs, and what was looked at besides."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.candidates import Candidate, Pinned
from mistral7b.capacity.planner.check import AVERAGE, BURST, CLIMB, Scenario, run
from mistral7b.capacity.planner.queue import refused_share
from mistral7b.capacity.planner.search import Option, Settings, option, search
from mistral7b.capacity.planner.service import GRID, figures
from mistral7b.capacity.planner.sizing import climb
from mistral7b.workload import Workload

# Of Option.rank.
_CRITERIA = (
    "instances at the average", "instances at the peak", "share of requests too long", "p95 ms per token at the peak",
    "p95 seconds at the peak", "tokens of a prefill, which take KV cache",
)  # fmt: skip
# Instances that the average takes by simulation over the fewest: with more, it is planned again, this much higher.
_FAR, _HIGHER = 1.1, 1.25
_TARGET, _COOLDOWN, _COOLDOWNS = "target_concurrent_requests", "scale_out_cooldown_seconds", (300, 900, 1800)
_SCENARIOS = (AVERAGE, CLIMB, BURST)


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """Another configuration, and why it loses."""

    what: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What to run for a workload, others, nearest first, average, climb and burst simulated, and what it rests on.

    A scenario that has too many requests is missing.
    """

    workload: Workload
    option: Option
    runners_up: list[RunnerUp]
    scenarios: dict[str, Scenario]
    pinned: Pinned
    parameters: PerformanceParameters

    @property
    def settings(self) -> Settings:
        """What goes into the environment file."""
        return self.option.settings

    @property
    def flaps(self) -> int:
        """How often the burst adds instances soon after some were removed."""
        return self.scenarios[BURST].summary.flaps if BURST in self.scenarios else 0

    def served_without_a_zone(self, zones: int) -> tuple[float, float]:
        """Shares of the average and of the peak that are served while one of the zones has failed.

        SageMaker spreads instances evenly over zones: the failed one has a zone's share of them, rounded up.
        """
        rate, least, most = self.workload.requests_per_second, self.settings.min_instances, self.settings.max_instances
        left = ((load, count - math.ceil(count / zones)) for load, count in ((rate.average, least), (rate.peak, most)))
        average, peak = (
            1 - refused_share(load, count, self.option.limit, self.option.service.speed) if count else 0.0
            for load, count in left
        )
        return average, peak

    @property
    def tokens_per_second(self) -> tuple[float, float]:
        """Tokens that are generated at the average rate and at the peak, without what is lost."""
        one, average, peak = self.option.candidate, self.option.at_average, self.option.at_peak
        mean = sum(request.output_tokens for request in one.requests) / len(one.requests) * (1 - one.too_long)
        return average.answered_per_second * mean, peak.answered_per_second * mean


def plan(workload: Workload, parameters: PerformanceParameters, pinned: Pinned | None = None) -> Plan:
    """The cheapest settings that keep the workload's objective; of several, the fastest.

    Deterministic: it depends only on its arguments. Raises InfeasibleError if no settings keep the objective.
    """
    pinned = pinned or Pinned()
    parameters = parameters.sampled() if workload.sampling else parameters
    best, *others = search(workload, parameters, pinned)
    runners_up = [RunnerUp(_name(one.candidate), _loses(one, best)) for one in others]
    runners_up += [_larger_limit(workload, best), *_smaller_limit(workload, best, pinned)]
    runners_up += _one_instance_fewer(workload, best)
    first = _simulated(Plan(workload, best, runners_up, {}, pinned, parameters))
    return _calmed(_steadied(first))


def _simulated(one: Plan, *names: str, **changed: Any) -> Plan:
    """The plan with a changed target or cool-down, and what its scenarios come to, or only those that are named."""
    changed_option = replace(one.option, settings=replace(one.settings, **changed))
    ran = (run(name, one.workload, changed_option, one.parameters, one.pinned) for name in names or _SCENARIOS)
    scenarios = {scenario.name: scenario for scenario in ran if scenario is not None}
    return replace(one, option=changed_option, scenarios=scenarios)


def _higher(one: Plan, factor: float = _HIGHER) -> float:
    """The next target: the limit at most."""
    target = math.ceil(10 * factor * one.settings.target_concurrent_requests) / 10
    return min(max(0.1, target), one.option.limit)


def _steadied(best: Plan) -> Plan:
    """The plan with a higher target where, at the average, chance alone would keep far more than the fewest running.

    As high as that takes, and as long as the simulated climb loses no more than half of what may be lost.
    """
    first, most = best, _FAR * best.settings.min_instances
    while {AVERAGE, CLIMB} <= best.scenarios.keys() and best.scenarios[AVERAGE].mean_instances > most:
        tried = _simulated(best, **{_TARGET: _higher(best)})
        allowed = tried.scenarios[CLIMB].lost <= best.workload.objective.lost_percent / 200
        if tried.settings == best.settings or not allowed:
            break
        best = tried
    if best is first:
        return best
    before, now = (one.scenarios[AVERAGE].mean_instances for one in (first, best))
    why = f"chance alone adds instances: {before:.2f} at the average, not {now:.2f}"
    lower = RunnerUp(f"{_TARGET} {first.settings.target_concurrent_requests:g}", why)
    return replace(best, runners_up=[*best.runners_up, lower])


def _calmed(first: Plan) -> Plan:
    """The plan with another cool-down or target, where that ends flapping within the burst or makes it rarer."""
    found = first
    changes: list[tuple[str, float]] = [
        (_COOLDOWN, seconds) for seconds in _COOLDOWNS if seconds > first.settings.scale_out_cooldown_seconds
    ]
    changes += [(_TARGET, _higher(first, _HIGHER**step)) for step in (-1, 1, -2, 2)]
    for name, value in changes if first.flaps else ():
        tried = _simulated(first, BURST, **{name: value})
        if tried.flaps >= found.flaps or not _no_worse(tried, first):
            continue
        tried = _simulated(first, **{name: value})
        if _no_worse(tried, first):
            why = f"flaps {first.flaps} times in half an hour of the peak, not {tried.flaps}"
            flapping = RunnerUp(f"{name} {getattr(first.settings, name):g}", why)
            found = replace(tried, runners_up=[*first.runners_up, flapping])
        if found.flaps == 0:
            break
    return found


def _no_worse(tried: Plan, first: Plan) -> bool:
    """Whether no more is lost than may be or was, and no far more instances run at the average."""
    may_be_lost = first.workload.objective.lost_percent / 200
    pairs = [(now, first.scenarios[name]) for name, now in tried.scenarios.items()]
    return all(
        now.lost <= max(before.lost, may_be_lost)
        and (now.name != AVERAGE or now.mean_instances <= _FAR * before.mean_instances)
        for now, before in pairs
    )


def _name(candidate: Candidate) -> str:
    return (
        f"MAX_INPUT_LENGTH {candidate.max_input_length}, MAX_TOTAL_TOKENS {candidate.max_total_tokens}, "
        f"MAX_BATCH_PREFILL_TOKENS {candidate.limits.max_batch_prefill_tokens}"
    )


def _loses(one: Option, best: Option) -> str:
    """The first criterion of the ranking in which it is worse."""
    ranks = zip(_CRITERIA, one.rank, best.rank, strict=True)
    return next((f"{what}: {worse:.4g}, not {better:.4g}" for what, worse, better in ranks if worse != better), "equal")


def _larger_limit(workload: Workload, best: Option) -> RunnerUp:
    """The next larger limit, which breaks something when an instance is full."""
    place = min(bisect_right(GRID, best.limit), len(GRID) - 1)
    here = best.service.at(place, workload.objective)
    broken = ", ".join(
        f"{name} by {here[name] - limit:.3g} {'ms' if name.endswith('token') else 's'}"
        for name, (_, _, limit) in figures(workload.objective, best.service.answer_limit_s).items()
        if here[name] > limit
    )
    queues = "an instance serves no more with it: requests wait in its queue instead of being refused"
    why = f"breaks {broken} when an instance is full" if broken else queues
    return RunnerUp(f"MAX_CONCURRENT_REQUESTS {GRID[place]}", why)


def _smaller_limit(workload: Workload, best: Option, pinned: Pinned) -> Iterator[RunnerUp]:
    """The next smaller limit, which refuses more or takes more instances."""
    limit = max((one for one in GRID if one < best.limit), default=0)
    if limit:
        peak, settings = workload.requests_per_second.peak, best.settings
        shares = [refused_share(peak, settings.max_instances, n, best.service.speed) for n in (limit, best.limit)]
        loses = "refuses {:.2%} at the peak, not {:.2%}".format(*shares)
        other = option(workload, best.candidate, best.service, limit, pinned)
        took = f"{other.settings.max_instances} instances at most" if other else "too many instances"
        yield RunnerUp(f"MAX_CONCURRENT_REQUESTS {limit}", f"{loses}; to refuse as little, takes {took}")


def _one_instance_fewer(workload: Workload, best: Option) -> Iterator[RunnerUp]:
    rate, more = workload.requests_per_second, workload.headroom_percent
    for name, load, when in (
        ("max_instances", rate.peak * (1 + more / 100), f"at the peak and {more:g}% more"),
        ("min_instances", rate.average + climb(workload), "before the climb's first new instance serves"),
    ):
        if (count := getattr(best.settings, name)) > 1:
            refused = refused_share(load, count - 1, best.limit, best.service.speed)
            yield RunnerUp(f"{name} {count - 1}", f"refuses {100 * refused:.2f}% {when}")
