"""The status of stacks: whether they were ever deployed, and whether they are protected from removal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

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
        try:
            [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):  # a ValidationError like any other
                raise
        else:
            protected = bool(stack.get("EnableTerminationProtection"))
            yield StackState(name, stack["StackStatus"], stack.get("StackStatusReason", ""), protected)


def resources(cloudformation: Any, name: str) -> Iterator[Any]:
    """A stack's resources that are not deleted, as ListStackResources has them; none if there is no such stack.

    Raises ClientError.
    """
    try:
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name):
            yield from (one for one in page["StackResourceSummaries"] if one["ResourceStatus"] != "DELETE_COMPLETE")
    except ClientError as error:
        if "does not exist" not in str(error):  # a ValidationError like any other
            raise


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
