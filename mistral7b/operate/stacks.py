"""The status of stacks: whether they were ever deployed, and whether they are protected from removal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mistral7b.operate.calls import ask

_ABSENT = "does not exist"  # the error's code is ValidationError, as of any other mistake
# A stack that a change set awaits, that failed its first deployment, or that is being deleted (CloudFormation user
# guide, "Stack status codes"). It has to be deletable, or it could be neither deployed again nor removed.
_NEVER_DEPLOYED = ("REVIEW_", "CREATE_FAILED", "CREATE_IN_PROGRESS", "ROLLBACK_", "DELETE_")


@dataclass(frozen=True)
class StackState:
    """A stack that exists."""

    name: str
    status: str
    """CloudFormation's StackStatus."""
    reason: str
    """Its StackStatusReason; empty if there is none."""
    protected: bool
    """Whether termination protection is on."""
    outputs: dict[str, str]

    @property
    def deployed(self) -> bool:
        """Whether its first deployment has succeeded."""
        return not self.status.startswith(_NEVER_DEPLOYED)

    @property
    def busy(self) -> bool:
        """Whether an operation on it is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


def find(cloudformation: Any, names: Iterable[str]) -> Iterator[StackState]:
    """Those of the stacks that exist. It takes cloudformation:DescribeStacks. Raises ClientError."""
    for name in names:
        answer = ask(cloudformation.describe_stacks, _ABSENT, StackName=name)
        for stack in answer["Stacks"] if answer else ():
            protected = bool(stack.get("EnableTerminationProtection"))
            outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}
            yield StackState(name, stack["StackStatus"], stack.get("StackStatusReason", ""), protected, outputs)


def resources(cloudformation: Any, name: str) -> Iterator[Any]:
    """A stack's resources that are not deleted, as ListStackResources has them; none if there is no such stack.

    Raises ClientError.
    """
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    made = (ask(pages.build_full_result, _ABSENT) or {}).get("StackResourceSummaries", ())
    return (one for one in made if one["ResourceStatus"] != "DELETE_COMPLETE")


def protect(cloudformation: Any, found: StackState, *, wanted: bool) -> bool:
    """Protects a deployed stack from removal, or ends that; whether it was otherwise before.

    A stack that was never deployed is not protected, whatever is wanted. It takes
    cloudformation:UpdateTerminationProtection. Raises ClientError.
    """
    changed = found.protected != (wanted and found.deployed)
    if changed:
        cloudformation.update_termination_protection(
            StackName=found.name, EnableTerminationProtection=not found.protected
        )
    return changed
