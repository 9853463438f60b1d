"""Scaling policies as users write them on one line."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mistral7b.capacity.fleet.chunks import TraceError
from mistral7b.capacity.fleet.durations import parse_duration
from mistral7b.capacity.scaling_policy import METRIC_RULES, Metric, Policy, ScheduledAction

MOST_INSTANCES = 10_000

_FIX = (
    "write fixed:4, or concurrency:16,min=1,max=8 (requests in flight per instance), or invocations:120,min=1,max=8 "
    "(requests a minute per instance); also out=60 and in=300 (cool-downs), start=2, min@7h=4 and max@20h=8"
)


@dataclass
class _Spec:
    numbers: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    schedule: list[ScheduledAction] = field(default_factory=list)


def parse_policy(text: str, defaults: Policy) -> Policy:
    """The policy that a line such as `concurrency:16,min=1,max=8,out=60,in=300` describes.

    Args:
        text: The line: `fixed:N`, or a metric with its target and then settings.
        defaults: Bounds and cool-downs of what the line leaves out.

    Raises:
        TraceError: it describes none.
    """
    head, *settings = text.split(",")
    kind, _, value = head.partition(":")
    if kind == "fixed":
        count = _count(value, text)
        if settings:
            raise _error(text, "a fixed number of instances has no settings")
        return Policy(name=text, min_capacity=count, max_capacity=count)
    metrics: dict[str, Metric] = {name: name for name in METRIC_RULES}
    if kind not in metrics:
        raise _error(text, f"{kind or 'nothing'} is no kind of policy")
    spec = _Spec()
    for setting in settings:
        _read(setting, text, spec)
    policy = replace(
        defaults,
        name=text,
        metric=metrics[kind],
        target=_number(value, text),
        min_capacity=spec.numbers.get("min", defaults.min_capacity),
        max_capacity=spec.numbers.get("max", defaults.max_capacity),
        initial_capacity=spec.numbers.get("start"),
        scale_out_cooldown_s=spec.seconds.get("out", defaults.scale_out_cooldown_s),
        scale_in_cooldown_s=spec.seconds.get("in", defaults.scale_in_cooldown_s),
        schedule=tuple(sorted(spec.schedule, key=lambda action: action.at_s)),
    )
    _check_bounds(policy, text)
    return policy


def _read(setting: str, text: str, spec: _Spec) -> None:
    key, equals, value = setting.partition("=")
    key, at, time = key.strip().partition("@")
    if not equals or key not in {"min", "max", "start", "out", "in"} or (at and key not in {"min", "max"}):
        raise _error(text, f"{setting or 'nothing'} is no setting")
    if key in {"out", "in"}:
        spec.seconds[key] = parse_duration(value, "policy")
    elif at:
        when, count = parse_duration(time, "policy"), _count(value, text)
        bounds: dict[str, Callable[[], ScheduledAction]] = {
            "min": lambda: ScheduledAction(when, min_capacity=count),
            "max": lambda: ScheduledAction(when, max_capacity=count),
        }
        spec.schedule.append(bounds[key]())
    else:
        spec.numbers[key] = _count(value, text)


def _check_bounds(policy: Policy, text: str) -> None:
    """Bounds in order, at the start and after each scheduled action."""
    low, high = policy.min_capacity, policy.max_capacity
    initial = policy.initial_capacity
    if low > high:
        raise _error(text, f"min {low} is above max {high}")
    if initial is not None and not low <= initial <= high:
        raise _error(text, f"start {initial} is not between min {low} and max {high}")
    for when in sorted({action.at_s for action in policy.schedule}):
        for action in policy.schedule:
            if action.at_s == when:
                low = low if action.min_capacity is None else action.min_capacity
                high = high if action.max_capacity is None else action.max_capacity
        if low > high:
            raise _error(text, f"from {when:g} s on, min {low} is above max {high}")


def _count(text: str, policy: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST_INSTANCES):
        raise _error(policy, f"{text or 'nothing'} is no number of instances from 1 to {MOST_INSTANCES}")
    return int(text)


def _number(text: str, policy: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise _error(policy, f"{text or 'nothing'} is no target above 0")
    return value


def _error(text: str, reason: str) -> TraceError:
    return TraceError(reason, _FIX, column="policy", value=text[:80])
