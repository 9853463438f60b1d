"""A list of rules across the fields of one schema, and how they are checked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from mistral7b.environment.problem import FieldPath, overlap

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Finding:
    """What a rule objects to: the field to change, its value, why and how."""

    field: FieldPath
    value: Any
    reason: str
    fix: str


@dataclass(frozen=True)
class Rulebook(Generic[Subject]):
    """Rules about one kind of subject."""

    rules: list[tuple[tuple[FieldPath, ...], Callable[[Subject], Iterator[Finding]]]] = field(default_factory=list)
    """Every rule, with the fields that it reads."""

    def rule(
        self, *reads: str
    ) -> Callable[[Callable[[Subject], Iterator[Finding]]], Callable[[Subject], Iterator[Finding]]]:
        """Adds a function to the rules, with the dotted names of the fields that it reads."""

        def register(function: Callable[[Subject], Iterator[Finding]]) -> Callable[[Subject], Iterator[Finding]]:
            self.rules.append((tuple(tuple(read.split(".")) for read in reads), function))
            return function

        return register

    def check(self, subject: Subject, wrong: Iterable[FieldPath] = ()) -> Iterator[Finding]:
        """Everything the rules object to, leaving out rules that read a field of `wrong` (or one in or around it).

        A rule that reads a field of a list's entries reads it of all of them: `environments.name`.
        """
        wrong = [tuple(part for part in bad if isinstance(part, str)) for bad in wrong]
        for reads, function in self.rules:
            if not any(overlap(read, bad) for read in reads for bad in wrong):
                yield from function(subject)
