"""A list of rules across the fields of one schema, and how they are checked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from mistral7b.yamlfile.problem import FieldPath, Problem, overlap
from mistral7b.yamlfile.source import Source

Subject = TypeVar("Subject")
_OF_THE_FIELD = object()


@dataclass(frozen=True)
class Finding:
    """What a rule objects to."""

    field: str
    """The field to change, such as `network.vpc.cidr`; an entry of a list by its number, `environments.0.name`."""
    reason: str
    fix: str
    value: Any = _OF_THE_FIELD
    """What to show as its value. Default: that of the field."""

    @property
    def path(self) -> FieldPath:
        """The field's path."""
        return tuple(int(part) if part.isdigit() else part for part in self.field.split("."))

    def problem(self, source: Source, settings: BaseModel) -> Problem:
        """The finding with its place in the file that `settings` are from."""
        value = _shown(settings, self.path) if self.value is _OF_THE_FIELD else self.value
        return source.problem(self.path, value, self.reason, self.fix)


Rule = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True)
class Rulebook(Generic[Subject]):
    """Rules about one kind of subject."""

    rules: list[tuple[tuple[FieldPath, ...], Rule[Subject]]] = field(default_factory=list)
    """Every rule, with the fields that it reads."""

    def rule(self, *reads: str) -> Callable[[Rule[Subject]], Rule[Subject]]:
        """Adds a function to the rules, with the dotted names of the fields that it reads."""

        def register(function: Rule[Subject]) -> Rule[Subject]:
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


def _shown(node: Any, path: FieldPath) -> Any:
    """The value at `path`; None where there is none, or a section."""
    for part in path:
        if isinstance(node, BaseModel):
            fields = type(node).model_fields
            node = getattr(node, next(name for name in fields if part in (name, fields[name].alias)))
        elif isinstance(node, list) and isinstance(part, int):
            node = node[part]
    is_section = isinstance(node, BaseModel) or (isinstance(node, list) and any(isinstance(n, BaseModel) for n in node))
    return None if is_section else node
