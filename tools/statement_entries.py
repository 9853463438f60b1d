"""The policy statements of many environments as one entry each, with placeholders for what differs between them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mistral7b.environment import Environment
from sagemaker_tgi import EcrImage, ModelArtifact
from stacks.statements import Statement, StatementFacts
from tools.statement_cases import Case, cases_of_statement, cases_of_value

STACKS = ("network", "endpoint")


class StatementsError(ValueError):
    """Statements that cannot be documented truthfully, one a line."""


@dataclass(frozen=True)
class Value:
    """A resource or condition, and in which case it is there."""

    text: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True)
class Entry(StatementFacts):
    """One statement, in whichever environments it is."""

    reason: str
    resources: dict[str, set[str]] = field(default_factory=dict)
    """Names of the environments that have it, by resource."""
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
        """Its `resources` or `conditions`."""
        return [Value(text, cases_of_value(self.key, text)) for text in of]


def entries(statements: Iterable[Statement], environments: Mapping[str, Environment]) -> list[Entry]:
    """Every statement once, by stack and resource.

    Args:
        statements: Those of all environments.
        environments: The environments, by name.

    Raises:
        StatementsError: if a statement has no reason, differs between environments in more than its resources and
            conditions, or is not there in exactly the cases that are kept for it.
    """
    found: dict[tuple[str, ...], Entry] = {}
    problems = []
    for statement in statements:
        if statement.reason is None:
            problems.append(f"{statement.name} has no reason: explain_statements beside the statement")
            continue
        entry = _entry(statement, environments[statement.environment])
        known = found.setdefault((entry.stack, entry.path, entry.policy, entry.key), entry)
        if _fixed(entry) != _fixed(known):
            problems.append(f"{statement.name} differs from the one of {min(known.environments)}")
        _merge(known, entry)
    problems += [problem for entry in found.values() for problem in _wrong_cases(entry, environments)]
    if problems:
        raise StatementsError("\n".join(problems))
    first = {(entry.stack, entry.path): index for index, entry in reversed(list(enumerate(found.values())))}
    return sorted(found.values(), key=lambda e: (STACKS.index(e.stack), first[e.stack, e.path]))


def _entry(statement: Statement, environment: Environment) -> Entry:
    path, policy, *principals = _readable([statement.path, statement.policy, *statement.principals], environment)
    conditions = [f"{operator}: {key} = {value}" for operator, key, value in statement.conditions]
    here = environment.name
    return Entry(
        stack=statement.stack,
        resource_type=statement.resource_type,
        path=path,
        policy=policy,
        key=statement.key,
        effect=statement.effect,
        principals=tuple(principals),
        actions=statement.actions,
        reason=statement.reason or "",
        resources={resource: {here} for resource in _readable(statement.resources, environment)},
        conditions={condition: {here} for condition in _readable(conditions, environment)},
        environments={here},
    )


def _fixed(entry: Entry) -> tuple[object, ...]:
    return entry.resource_type, entry.effect, entry.principals, entry.actions, entry.reason


def _merge(known: Entry, other: Entry) -> None:
    known.environments.update(other.environments)
    for mine, theirs in ((known.resources, other.resources), (known.conditions, other.conditions)):
        for value, environments in theirs.items():
            mine.setdefault(value, set()).update(environments)


def _wrong_cases(entry: Entry, environments: Mapping[str, Environment]) -> list[str]:
    """Where what is kept of an entry's and its values' cases is not what the templates show."""
    problems = _mismatch(entry.name, entry.cases, entry.environments, environments)
    there = {name: environments[name] for name in sorted(entry.environments)}
    for of in (entry.resources, entry.conditions):
        for value in entry.values(of):
            problems += _mismatch(f"{entry.name}, {value.text}", value.cases, of[value.text], there)
    return problems


def _mismatch(
    what: str, cases: tuple[Case, ...], found: set[str], environments: Mapping[str, Environment]
) -> list[str]:
    expected = {name for name, environment in environments.items() if all(case.holds(environment) for case in cases)}
    wording = " and ".join(case.wording for case in cases) or "always"
    return [
        f"{what} is said to be there {wording}; wrong for {name}: see tools/statement_cases.py"
        for name in sorted(expected ^ found)
    ]


def _readable(values: Iterable[str], environment: Environment) -> list[str]:
    """`values` with placeholders for what is one environment's; each once."""
    patterns = _placeholders(environment)
    readable = []
    for value in values:
        text = value
        for pattern, placeholder in patterns:
            text = re.sub(pattern, placeholder, text)
        readable.append(text)
    return list(dict.fromkeys(readable))


def _placeholders(environment: Environment) -> list[tuple[str, str]]:
    """Patterns and what stands for them; those that hold others come first."""
    existing = environment.network.existing_vpc
    artifact = ModelArtifact.from_uri(environment.artifact_uri)
    image = EcrImage.from_uri(environment.image_uri)
    endpoint = environment.resolved_endpoint_name
    return [
        (r"/Policy\w+$", "/Policy"),  # the CDK's name for what a grant adds to a role
        (r"^Policy\w+$", "PolicyDocument"),
        *((_word(f"Caller-{role}"), "Caller-<role>") for role in environment.callers.role_names),
        *([(_word(environment.encryption.kms_key_arn), "<key ARN>")] if environment.encryption.kms_key_arn else []),
        (r"<Arn of endpoint/(DataCapture)?Key>", "<key ARN>"),
        ("<Arn of endpoint/DataCapture/Bucket>", "arn:<partition>:s3:::<capture bucket>"),
        ("<Arn of endpoint/DataCapture/AccessLog>", "arn:<partition>:s3:::<access log bucket>"),
        ("<GroupId of network/Model>", "<security group>"),
        (r"<network/Vpc/Subnet\d+/Subnet>", "<subnet>"),
        ("<network/Vpc>", "<vpc>"),
        *((_word(subnet), "<subnet>") for subnet in (existing.subnet_ids if existing else [])),
        *([(_word(existing.vpc_id), "<vpc>")] if existing else []),
        (_word(artifact.key.rstrip("/")), "<weights>"),
        (_word(artifact.bucket_name), "<weights bucket>"),
        (_word(f"{image.account}:repository/{image.repository}"), "<registry account>:repository/<image>"),
        (_word(f"/mistral7b/{environment.name}/"), "/mistral7b/<environment>/"),
        (_word(endpoint), "<endpoint>"),
        (_word(endpoint.lower()), "<endpoint>"),  # SageMaker writes ARNs in lower case
        (_word(environment.region), "<region>"),
        *([(_word(environment.account), "<account>")] if environment.account else []),
        (r"\barn:aws(-[a-z-]+)?:", "arn:<partition>:"),
    ]


def _word(literal: str) -> str:
    """Matches `literal` where it is not part of a longer name."""
    before = r"(?<![\w-])" if literal[0].isalnum() else ""
    after = r"(?![\w-])" if literal[-1].isalnum() else ""
    return f"{before}{re.escape(literal)}{after}"
