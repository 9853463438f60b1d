"""A plan: the best option, what it costs, and what was looked at besides."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.candidates import Candidate, Pinned
from mistral7b.capacity.planner.queue import refused_share
from mistral7b.capacity.planner.search import Option, Settings, option, search
from mistral7b.capacity.planner.service import GRID, figures
from mistral7b.capacity.planner.sizing import climb
from mistral7b.workload import Workload

_FEWER = 0.75


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """Another configuration, and why it loses."""

    what: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What to run for a workload: the chosen option, its settings, and others, nearest first."""

    workload: Workload
    option: Option
    settings: Settings
    runners_up: list[RunnerUp]

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
    (best, *others), ruled_out = search(workload, parameters, pinned)
    runners_up = [RunnerUp(_name(one.candidate), _loses(one, best)) for one in others]
    runners_up += _other_limits(workload, best, pinned)
    runners_up += _one_instance_fewer(workload, best)
    for candidate in ruled_out:
        left = f"{candidate.limits.max_batch_total_tokens:,} tokens of KV cache"
        why = f"by the closed form it serves hardly more, and its prefills leave {left}"
        runners_up.append(RunnerUp(_name(candidate), why))
    return Plan(workload, best, best.settings, runners_up)


def _name(candidate: Candidate) -> str:
    return (
        f"MAX_INPUT_LENGTH {candidate.max_input_length}, MAX_TOTAL_TOKENS {candidate.max_total_tokens}, "
        f"MAX_BATCH_PREFILL_TOKENS {candidate.limits.max_batch_prefill_tokens}"
    )


def _costs_more(one: Option, best: Option) -> str:
    for name, when in (("min_instances", "at the average rate"), ("max_instances", "at the peak")):
        now, least = getattr(one.settings, name), getattr(best.settings, name)
        if now > least:
            return f"costs {100 * (now / least - 1):.0f}% more {when}: {now} instances, not {least}"
    return ""


def _loses(one: Option, best: Option) -> str:
    """The first criterion of the ranking in which it is worse."""
    if more := _costs_more(one, best):
        return more
    if one.candidate.too_long > best.candidate.too_long:
        return f"costs the same, and refuses {100 * one.candidate.too_long:.2f}% of the requests as too long"
    slower = one.at_peak.p95_ms_per_token - best.at_peak.p95_ms_per_token
    if slower >= 0.1:
        return f"costs the same, p95 per token at the peak {slower:.1f} ms slower"
    return f"costs the same, no faster, {one.candidate.limits.max_batch_total_tokens:,} tokens of KV cache"


def _other_limits(workload: Workload, best: Option, pinned: Pinned) -> Iterator[RunnerUp]:
    """The next larger limit breaks something when an instance is full; a smaller one refuses earlier."""
    place = min(bisect_right(GRID, best.limit), len(GRID) - 1)
    here = best.service.at(place, workload.objective)
    broken = ", ".join(
        f"{name} by {here[name] - limit:.3g} {'ms' if name.endswith('token') else 's'}"
        for name, (_, _, limit) in figures(workload.objective).items()
        if here[name] > limit
    )
    queues = "an instance serves no more with it: requests wait in its queue instead of being refused"
    why = f"breaks {broken} when an instance is full" if broken else queues
    yield RunnerUp(f"MAX_CONCURRENT_REQUESTS {GRID[place]}", why)
    limit = max(1, int(_FEWER * best.limit))
    if limit < best.limit:
        why = "needs more instances than there may be"
        if one := option(workload, best.candidate, best.service, limit, pinned):
            refused = 100 * one.at_peak.refused, 100 * best.at_peak.refused
            same = f"costs the same, refuses {refused[0]:.2g}% at the peak, not {refused[1]:.2f}%"
            why = _costs_more(one, best) or same
        yield RunnerUp(f"MAX_CONCURRENT_REQUESTS {limit}", why)


def _one_instance_fewer(workload: Workload, best: Option) -> Iterator[RunnerUp]:
    rate = workload.requests_per_second
    for name, count, load, when in (
        ("max_instances", best.settings.max_instances, rate.peak, "at the peak"),
        (
            "min_instances",
            best.settings.min_instances,
            rate.average + climb(workload),
            "before the climb's first new instance serves",
        ),
    ):
        if count > 1:
            refused = refused_share(load, count - 1, best.limit, best.service.speed)
            yield RunnerUp(f"{name} {count - 1}", f"refuses {100 * refused:.2g}% {when}")
