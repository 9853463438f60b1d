"""A plan: the best option, what it costs, and what was looked at besides."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.candidates import Candidate, Pinned
from mistral7b.capacity.planner.check import AVERAGE, CLIMB, Scenario, run
from mistral7b.capacity.planner.queue import refused_share
from mistral7b.capacity.planner.search import Option, Settings, search
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


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """Another configuration, and why it loses."""

    what: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What to run for a workload, others, nearest first, average and climb simulated, and what all that rests on."""

    workload: Workload
    option: Option
    runners_up: list[RunnerUp]
    scenarios: list[Scenario]
    pinned: Pinned
    parameters: PerformanceParameters

    @property
    def settings(self) -> Settings:
        """What goes into the environment file."""
        return self.option.settings

    @property
    def tokens_per_second(self) -> tuple[float, float]:
        """Tokens that are generated at the average rate and at the peak, without what is lost."""
        requests = self.option.candidate.requests
        mean = sum(one.output_tokens for one in requests) / len(requests) * (1 - self.option.candidate.too_long)
        average, peak = (
            at.requests_per_second * (1 - at.refused) * (1 - at.timed_out) * mean
            for at in (self.option.at_average, self.option.at_peak)
        )
        return average, peak


def plan(workload: Workload, parameters: PerformanceParameters, pinned: Pinned | None = None) -> Plan:
    """The cheapest settings that keep the workload's objective; of several, the fastest.

    Deterministic: it depends only on its arguments. Raises InfeasibleError if no settings keep the objective.
    """
    pinned = pinned or Pinned()
    parameters = parameters.sampled() if workload.sampling else parameters
    best, *others = search(workload, parameters, pinned)
    runners_up = [RunnerUp(_name(one.candidate), _loses(one, best)) for one in others]
    runners_up += [_larger_limit(workload, best), *_one_instance_fewer(workload, best)]
    best, scenarios, chance = _steadied(workload, best, parameters, pinned)
    runners_up += chance
    return Plan(workload, best, runners_up, scenarios, pinned, parameters)


def _steadied(
    workload: Workload, best: Option, parameters: PerformanceParameters, pinned: Pinned
) -> tuple[Option, list[Scenario], list[RunnerUp]]:
    """The option with a higher target where, at the average, chance alone would keep far more than the fewest running.

    As high as that takes, and as long as the simulated climb loses no more than half of what may be lost.
    """

    def simulated(one: Option) -> dict[str, Scenario]:
        ran = (run(name, workload, one, parameters, pinned) for name in (AVERAGE, CLIMB))
        return {scenario.name: scenario for scenario in ran if scenario is not None}

    found, before = simulated(best), list[RunnerUp]()
    while len(found) == 2 and found[AVERAGE].mean_instances > _FAR * best.settings.min_instances:
        now = best.settings.target_concurrent_requests
        target = min(best.limit, math.ceil(10 * _HIGHER * now) / 10)
        again = replace(best, settings=replace(best.settings, target_concurrent_requests=target))
        tried = simulated(again)
        mean, climbing = tried[AVERAGE].mean_instances, tried[CLIMB].summary
        lost = (climbing.refused + climbing.timed_out) / climbing.requests
        if target == now or lost > workload.objective.lost_percent / 200:
            break
        why = f"chance alone adds instances: {found[AVERAGE].mean_instances:.2f} at the average, not {mean:.2f}"
        before.append(RunnerUp(f"target_concurrent_requests {now:g}", why))
        best, found = again, tried
    return best, list(found.values()), before[:1]


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


def _one_instance_fewer(workload: Workload, best: Option) -> Iterator[RunnerUp]:
    rate, more = workload.requests_per_second, workload.headroom_percent
    for name, load, when in (
        ("max_instances", rate.peak * (1 + more / 100), f"at the peak and {more:g}% more"),
        ("min_instances", rate.average + climb(workload), "before the climb's first new instance serves"),
    ):
        if (count := getattr(best.settings, name)) > 1:
            refused = refused_share(load, count - 1, best.limit, best.service.speed)
            yield RunnerUp(f"{name} {count - 1}", f"refuses {100 * refused:.2f}% {when}")
