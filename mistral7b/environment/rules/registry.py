"""The list of rules, and how they are checked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mistral7b.environment.problem import FieldPath
from mistral7b.environment.schema import Environment


@dataclass(frozen=True)
class Finding:
    """What a rule objects to: the field to change, its value, why and how."""

    field: FieldPath
    value: Any
    reason: str
    fix: str


Rule = Callable[[Environment], Iterator[Finding]]
RULES: list[tuple[tuple[FieldPath, ...], Rule]] = []
"""Every rule, with the fields that it reads."""


def rule(*reads: str) -> Callable[[Rule], Rule]:
    """Adds a function to the rules, with the dotted names of the fields that it reads."""

    def register(function: Rule) -> Rule:
        RULES.append((tuple(tuple(r.split(".")) for r in reads), function))
        return function

    return register


def check(environment: Environment, wrong: Iterable[FieldPath] = ()) -> Iterator[Finding]:
    """Everything the rules object to, leaving out rules that read a field of `wrong` (or one inside, or around it)."""
    wrong = tuple(wrong)
    for reads, function in RULES:
        if not any(_overlap(read, bad) for read in reads for bad in wrong):
            yield from function(environment)


def _overlap(a: FieldPath, b: FieldPath) -> bool:
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]
