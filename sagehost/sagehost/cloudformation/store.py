"""What CloudFormation remembers: stacks, their resources, change sets and events."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sagehost.aws_errors import Refused
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.parameters import Parameters
from sagehost.cloudformation.template import Template
from sagehost.cloudformation.values import Json

STACK_TYPE = "AWS::CloudFormation::Stack"

USER_INITIATED = "User Initiated"

_OPERATIONS = {
    "REVIEW_IN_PROGRESS": "CREATE_CHANGESET",
    "CREATE_IN_PROGRESS": "CREATE_STACK",
    "UPDATE_IN_PROGRESS": "UPDATE_STACK",
    "DELETE_IN_PROGRESS": "DELETE_STACK",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK",
    "UPDATE_ROLLBACK_IN_PROGRESS": "ROLLBACK",
}
"""Statuses with which an operation begins. A roll-back is one of its own, on which the CDK CLI relies."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deployed:
    """A resource as it was last brought to its properties."""

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Json]
    """All known, with the tags of the stack."""
    definition: Mapping[str, Json]
    """The resource's part of the template."""
    dependencies: frozenset[str]
    failed: bool = False
    """It was created, but never became what it should be."""
    imported: bool = False
    """It existed before the stack did: a roll-back leaves it alone."""


@dataclass(frozen=True)
class Output:
    """An output of a stack, whose fields moto shows by their names."""

    key: str
    value: str
    description: str | None
    export_name: str | None


@dataclass(frozen=True)
class Problem:
    """Why a change set cannot be executed."""

    logical_id: str | None
    type: str | None
    path: str
    message: str

    @classmethod
    def of(cls, logical_id: str, resource_type: str, place: str, message: str) -> "Problem":
        """A problem of a resource, at a place in its definition."""
        return cls(logical_id, resource_type, f"/Resources/{logical_id}/{place}", message)


@dataclass(frozen=True)
class Target:
    """What a stack is to become."""

    template: Template
    parameters: Parameters
    tags: Mapping[str, str]
    capabilities: Sequence[str]
    role_arn: str | None
    imports: frozenset[str] = frozenset()
    """Logical ids of the new resources that exist already."""


@dataclass
class ChangeSet:
    """A proposed change of a stack."""

    name: str
    id: str
    kind: str
    target: Target
    description: str | None
    changes: Sequence[Mapping[str, Json]]
    problems: Sequence[Problem]
    reason: str
    """Why it cannot be executed; empty if it can."""
    created: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Step:
    """What was done to a resource: it was created, changed in place (or only its definition was), or replaced."""

    before: Deployed | None
    """None: the resource was created."""
    after: Deployed
    replaced: bool = False
    """A new physical resource has taken the place of the old one, which exists until the clean-up."""
    before_deleted: bool = False
    """The old one had to go first, and has; `after` is the same until the new one exists."""


@dataclass
class Stack:
    """A stack. Deleted ones are kept, and found by their id alone."""

    name: str
    id: str
    account: str
    region: str
    status: str = ""
    reason: str | None = None
    target: Target | None = None
    """What it was last brought to; None before the first change set is executed."""
    resources: dict[str, Deployed] = field(default_factory=dict)
    outputs: Sequence[Output] = ()
    imports: frozenset[str] = frozenset()
    events: list[dict[str, Json]] = field(default_factory=list)
    """As DescribeStackEvents shows them, oldest first."""
    latest: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Logical id -> the resource's newest event, which shows its state."""
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    journal: list[Step] = field(default_factory=list)
    """What was done since the stack was last as it should be: what a roll-back has to undo."""
    role_arn: str | None = None
    """What the operation under way acts as; None: the account's administrator, as whom changes are planned."""
    termination_protection: bool = False
    disable_rollback: bool = False
    retain_except_on_create: bool = False
    """Whether a roll-back deletes new resources that their policy would keep."""
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    token: str | None = None
    """Token of the operation under way."""
    operations: dict[str, str] = field(default_factory=dict)
    """Ids of the stack's operations -> their types, oldest first."""

    @property
    def operation(self) -> str | None:
        """The id of the last operation."""
        return next(reversed(self.operations), None)

    def start(self, status: str, token: str | None) -> None:
        """Begin an operation, whose events have the token. Raises Refused: an earlier operation had it."""
        if token and any(event["ClientRequestToken"] == token for event in self.events):
            raise Refused("TokenAlreadyExistsException", f"The client request token {token} already exists.")
        self.token = token
        self.move(status, USER_INITIATED)

    def move(self, status: str, reason: str | None = None) -> None:
        """Change the stack's status, with an event."""
        if status != self.status and (kind := _OPERATIONS.get(status)):
            resumed = kind == "ROLLBACK" and self.status == "UPDATE_ROLLBACK_FAILED"
            self.operations[str(uuid.uuid4())] = "CONTINUE_ROLLBACK" if resumed else kind
        self._record((self.name, self.id, STACK_TYPE), status, reason, {})
        self.status, self.reason = status, reason

    def event(self, resource: Deployed, status: str, reason: str | None = None) -> None:
        """Record a change of state of a resource."""
        named = (resource.logical_id, resource.physical_id, resource.type)
        event = self._record(named, status, reason, resource.properties)
        current = self.resources.get(resource.logical_id)
        predecessor = current is not None and current.physical_id != resource.physical_id
        if not (predecessor and status.startswith("DELETE")):
            self.latest[resource.logical_id] = event

    def _record(
        self, named: tuple[str, str, str], status: str, reason: str | None, properties: Mapping[str, Json]
    ) -> dict[str, Json]:
        """Add an event of what has this logical id, physical id and type."""
        time, (logical_id, physical_id, resource_type) = now(), named
        event = {
            "StackId": self.id,
            "StackName": self.name,
            "EventId": str(uuid.uuid4()),
            "OperationId": self.operation,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": resource_type,
            "Timestamp": time,
            "LastUpdatedTimestamp": time,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ResourceProperties": json.dumps(properties) if properties else None,
            "ClientRequestToken": self.token,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
        self.events.append(event)
        return event

    def exports(self) -> Mapping[str, str]:
        """Names of exports -> their values."""
        return {output.export_name: output.value for output in self.outputs if output.export_name}


class Store:
    """The stacks of one account and region."""

    def __init__(self) -> None:
        self._stacks: dict[str, Stack] = {}

    def add(self, stack: Stack) -> None:
        """Remember a stack."""
        self._stacks[stack.id] = stack

    def __iter__(self) -> Iterator[Stack]:
        """The stacks that are not deleted, newest first."""
        return (stack for stack in reversed(list(self._stacks.values())) if stack.deleted is None)

    def all(self) -> Iterator[Stack]:
        """Every stack, deleted ones too, newest first."""
        return reversed(list(self._stacks.values()))

    def find(self, name_or_id: str) -> Stack | None:
        """A stack by its name, or, also when deleted, by its id."""
        return self._stacks.get(name_or_id) or next((stack for stack in self if stack.name == name_or_id), None)

    def living(self, name_or_id: str) -> Stack | None:
        """As `find`, without the deleted ones."""
        found = self.find(name_or_id)
        return found if found and found.deleted is None else None

    def get(self, name_or_id: str) -> Stack:
        """As `find`. Raises ValidationError: there is none."""
        stack = self.find(name_or_id)
        if stack is None:
            raise ValidationError(f"Stack with id {name_or_id} does not exist")
        return stack

    def exporter(self, name: str) -> Stack | None:
        """The stack that exports `name`."""
        return next((stack for stack in self if name in stack.exports()), None)

    def importers(self, name: str) -> list[str]:
        """Names of the stacks that import the export `name`."""
        return sorted(stack.name for stack in self if name in stack.imports)


STORES = defaultdict[tuple[str, str], Store](Store)
"""The stacks of an account and region."""
