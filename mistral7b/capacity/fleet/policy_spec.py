"""Scaling policies as users write them on one line."""

from dataclasses import replace
from itertools import groupby
from typing import Any

from mistral7b.capacity.fleet.trace import finite, parse_duration
from mistral7b.errors import UserError
from scaling_rules import METRIC_RULES, Policy, ScheduledAction

MOST_INSTANCES = 10_000

_FIX = (
    "write fixed:4, or concurrency:16,min=1,max=8 (requests in flight per instance), or invocations:120,min=1,max=8 "
    "(requests a minute per instance); also out=60 and in=300 (cool-downs), start=2, min@7h=4 and max@20h=8"
)
_BOUNDS = {"min": "min_capacity", "max": "max_capacity"}
_COOLDOWNS = {"out": "scale_out_cooldown_s", "in": "scale_in_cooldown_s"}
_FIELDS = {**_BOUNDS, **_COOLDOWNS, "start": "initial_capacity"}


def parse_policy(text: str, defaults: Policy) -> Policy:
    """The policy that a line such as `fixed:4` or `concurrency:16,min=1,max=8,out=60,in=300` describes.

    Bounds and cool-downs that it leaves out are those of `defaults`. Raises UserError if it describes none.
    """
    head, *settings = text.split(",")
    kind, _, value = head.partition(":")
    if kind == "fixed":
        count = _count(value, text)
        if settings:
            raise _error(text, "a fixed number of instances has no settings")
        return Policy(name=text, min_capacity=count, max_capacity=count)
    if kind not in METRIC_RULES:
        raise _error(text, f"{kind or 'nothing'} is no kind of policy")
    values: dict[str, Any] = {"name": text, "metric": kind, "target": _target(value, text), "initial_capacity": None}
    schedule = []
    for setting in settings:
        key, equals, value = setting.partition("=")
        name, at, time = key.strip().partition("@")
        if not equals or name not in (_BOUNDS if at else _FIELDS):
            raise _error(text, f"{setting or 'nothing'} is no setting")
        amount = parse_duration(value, "--policy") if name in _COOLDOWNS else _count(value, text)
        if at:
            when: dict[str, Any] = {_BOUNDS[name]: amount}
            schedule.append(ScheduledAction(parse_duration(time, "--policy"), **when))
        else:
            values[_FIELDS[name]] = amount
    policy = replace(defaults, **values, schedule=tuple(sorted(schedule, key=lambda action: action.at_s)))
    _check_bounds(policy, text)
    return policy


def _check_bounds(policy: Policy, text: str) -> None:
    """Bounds in order, at the start and after each scheduled action."""
    low, high, initial = policy.min_capacity, policy.max_capacity, policy.initial_capacity
    if low > high:
        raise _error(text, f"min {low} is above max {high}")
    if initial is not None and not low <= initial <= high:
        raise _error(text, f"start {initial} is not between min {low} and max {high}")
    for when, actions in groupby(policy.schedule, lambda action: action.at_s):
        for action in actions:
            low = low if action.min_capacity is None else action.min_capacity
            high = high if action.max_capacity is None else action.max_capacity
        if low > high:
            raise _error(text, f"from {when:g} s on, min {low} is above max {high}")


def _count(text: str, policy: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST_INSTANCES):
        reason = f"it needs a number of instances from 1 to {MOST_INSTANCES}, not {repr(text) if text else 'nothing'}"
        raise _error(policy, reason)
    return int(text)


def _target(text: str, policy: str) -> float:
    value = finite(text)
    if value is None or value <= 0:
        raise _error(policy, f"it needs a target above 0, not {repr(text) if text else 'nothing'}")
    return value


def _error(text: str, reason: str) -> UserError:
    return UserError(f"--policy {text[:80]}: {reason}\nfix: {_FIX}")
