"""The policy statements of many environments, or pipelines, as one entry each, with placeholders for what differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tools.statement_cases import Case, cases_of_statement, cases_of_value
from tools.statement_subjects import Subject
from tools.statements import Statement, StatementFacts

STACKS = ("endpoint", "github", "pipeline", "pipeline-<region>")


class StatementsError(ValueError):
    """Statements that cannot be documented truthfully, one a line."""


@dataclass(frozen=True)
class Value:
    """A resource or condition, and in which case it is there."""

    text: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True)
class Entry(StatementFacts):
    """One statement, in whichever environments or pipelines it is."""

    reason: str
    trusted: dict[str, set[str]] = field(default_factory=dict)
    """Names of the environments that have it, by principal; in place of `principals`, which are none."""
    resources: dict[str, set[str]] = field(default_factory=dict)
    """The same by resource."""
    conditions: dict[str, set[str]] = field(default_factory=dict)
    """The same by condition, written as `Operator: key = value`."""
    environments: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.stack}/{self.path}, {self.policy}: {self.key}"

    @property
    def cases(self) -> tuple[Case, ...]:
        """In which case it is there; none: always."""
        return cases_of_statement(f"{self.stack}/{self.path}", self.key)

    def values(self, of: Mapping[str, set[str]]) -> list[Value]:
        """Its `trusted`, `resources` or `conditions`."""
        return [Value(text, cases_of_value(self.key, text)) for text in of]


def entries(statements: Iterable[Statement], subjects: Iterable[Subject]) -> list[Entry]:
    """Every statement once, by stack and resource.

    Args:
        statements: Those of all subjects.
        subjects: All environments, or all pipelines.

    Raises:
        StatementsError: if a statement has no reason, differs between environments in more than its resources and
            conditions, or is not there in exactly the cases that are kept for it.
    """
    found: dict[tuple[str, ...], Entry] = {}
    by_name = {subject.name: subject for subject in subjects}
    problems = []
    for statement in statements:
        if statement.reason is None:
            problems.append(f"{statement.name} has no reason: explain_statements beside the statement")
            continue
        entry = _entry(statement, by_name[statement.environment])
        known = found.setdefault((entry.stack, entry.path, entry.policy, entry.key), entry)
        if _fixed(entry) != _fixed(known):
            problems.append(f"{statement.name} differs from the one of {min(known.environments)}")
        _merge(known, entry)
    problems += [problem for entry in found.values() for problem in _wrong_cases(entry, by_name)]
    if problems:
        raise StatementsError("\n".join(problems))
    first = {(entry.stack, entry.path): index for index, entry in reversed(list(enumerate(found.values())))}
    return sorted(found.values(), key=lambda e: (STACKS.index(e.stack), first[e.stack, e.path]))


def _entry(statement: Statement, subject: Subject) -> Entry:
    [stack], [path], [policy] = (
        subject.readable([text]) for text in (statement.stack, statement.path, statement.policy)
    )
    conditions = [f"{operator}: {key} = {value}" for operator, key, value in statement.conditions]
    here = subject.name
    return Entry(
        stack=stack,
        resource_type=statement.resource_type,
        path=path,
        policy=policy,
        key=statement.key,
        effect=statement.effect,
        principals=(),
        actions=tuple(subject.readable(statement.actions)),
        reason=statement.reason or "",
        trusted={principal: {here} for principal in subject.readable(statement.principals)},
        resources={resource: {here} for resource in subject.readable(statement.resources)},
        conditions={condition: {here} for condition in subject.readable(conditions)},
        environments={here},
    )


def _fixed(entry: Entry) -> tuple[object, ...]:
    return entry.resource_type, entry.effect, entry.actions, entry.reason


def _merge(known: Entry, other: Entry) -> None:
    known.environments.update(other.environments)
    for mine, theirs in zip(_values(known), _values(other), strict=True):
        for value, environments in theirs.items():
            mine.setdefault(value, set()).update(environments)


def _values(entry: Entry) -> tuple[dict[str, set[str]], ...]:
    return entry.trusted, entry.resources, entry.conditions


def _wrong_cases(entry: Entry, environments: Mapping[str, Subject]) -> list[str]:
    """Where what is kept of an entry's and its values' cases is not what the templates show."""
    problems = _mismatch(entry.name, entry.cases, entry.environments, environments)
    there = {name: environments[name] for name in sorted(entry.environments)}
    for of in _values(entry):
        for value in entry.values(of):
            problems += _mismatch(f"{entry.name}, {value.text}", value.cases, of[value.text], there)
    return problems


def _mismatch(what: str, cases: tuple[Case, ...], found: set[str], environments: Mapping[str, Subject]) -> list[str]:
    expected = {name for name, environment in environments.items() if all(case.holds(environment) for case in cases)}
    wording = " and ".join(case.wording for case in cases) or "always"
    return [
        f"{what} is said to be there {wording}; wrong for {name}: see tools/statement_cases.py"
        for name in sorted(expected ^ found)
    ]
