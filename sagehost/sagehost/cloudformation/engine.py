"""Stack operations: create, update, roll back, delete.

An operation is a thread of its own, and one runs on a stack at a time. It works through the resources in the order of
their references and writes each step to the stack's journal; a roll-back undoes the journal from its end, and clearing
up comes last, so that whatever still refers to an old resource has been moved to the new one before it goes.
"""

import logging
import threading
from collections.abc import Callable

from sagehost import moto_app
from sagehost.cloudformation.convergence import converge, settle_outputs, undo
from sagehost.cloudformation.steps import DEFECT, OperationError, delete_all, failed_to
from sagehost.cloudformation.store import Deployed, Stack, Target, now
from sagehost.cloudformation.target_state import TargetState

LOG = logging.getLogger(__name__)

LINGER_S = 4.0
"""The CDK CLI looks at a stack at once after it has started an operation, and then only every five seconds."""


def start(operation: Callable[[], None], stack: Stack) -> None:
    """Run an operation on a stack in the background.

    The request that asked for it is answered when it is over, or after `LINGER_S`.
    """
    thread = threading.Thread(target=_guarded, args=(operation, stack), name=f"stack {stack.name}", daemon=True)
    thread.start()
    moto_app.before_answering(lambda: thread.join(LINGER_S))


def _guarded(operation: Callable[[], None], stack: Stack) -> None:
    """A defect of ours must not leave the stack in progress for ever."""
    try:
        operation()
    except Exception as error:
        LOG.exception("operation on stack %s", stack.name)
        what = stack.status.removesuffix("_IN_PROGRESS")
        after = what.removesuffix("_CLEANUP") if what.endswith("_CLEANUP") else f"{what}_FAILED"
        stack.move(after, f"{DEFECT}: {type(error).__name__}: {error}")
    finally:
        stack.role_arn = None


def _policy(name: str, *keeping: str) -> Callable[[Deployed], str]:
    """What becomes of a resource by the policy of this name, which keeps it if it is one of these."""
    return lambda resource: "Retain" if resource.definition.get(name) in keeping else "Delete"


_ON_REMOVAL = _policy("DeletionPolicy", "Retain", "RetainExceptOnCreate")
_ON_REPLACEMENT = _policy("UpdateReplacePolicy", "Retain")


def bring(stack: Stack, target: Target, kind: str) -> None:
    """Bring a stack that is `kind`_IN_PROGRESS, CREATE or UPDATE, to the target."""
    if kind == "CREATE":
        stack.target = target
    try:
        state = converge(stack, target)
        settle_outputs(stack, state)
    except OperationError as error:
        if stack.disable_rollback:
            stack.move(f"{kind}_FAILED", str(error))
        else:
            reason = f"{error}Rollback requested by user." if kind == "CREATE" else str(error)
            stack.move(f"{ROLLBACK[kind]}_IN_PROGRESS", reason)
            roll_back(stack, kind)
        return
    stack.target = target
    if kind == "UPDATE":
        stack.move("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        _clean_up(stack, state)
    stack.journal.clear()
    stack.move(f"{kind}_COMPLETE")


ROLLBACK = {"CREATE": "ROLLBACK", "UPDATE": "UPDATE_ROLLBACK"}
"""What failed -> the beginning of the statuses of its roll-back."""


def roll_back(stack: Stack, kind: str, skip: frozenset[str] = frozenset()) -> None:
    """Undo what a stack that is `ROLLBACK[kind]`_IN_PROGRESS was doing."""
    try:
        left_over = undo(stack, skip)
    except OperationError as failure:
        stack.move(f"{ROLLBACK[kind]}_FAILED", str(failure))
        return
    if kind == "UPDATE":
        stack.move("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    policy = _policy("DeletionPolicy", *(() if stack.retain_except_on_create else ("Retain",)))
    stuck = delete_all(stack, left_over, lambda one: "Retain" if one.imported else policy(one))
    if kind == "CREATE":
        stack.resources.update({resource.logical_id: resource for resource in stuck})
        if stuck:
            stack.move("ROLLBACK_FAILED", _failed_to_delete(stuck))
            return
        stack.outputs, stack.imports = (), frozenset()
    stack.move(f"{ROLLBACK[kind]}_COMPLETE")


def _clean_up(stack: Stack, state: TargetState) -> None:
    """Delete what the update has replaced or dropped. What cannot be deleted is only reported, as on AWS."""
    dropped = [resource for name, resource in stack.resources.items() if name not in state.active]

    def policy(resource: Deployed) -> str:
        successor = stack.resources.get(resource.logical_id)
        return _ON_REMOVAL(resource) if successor is None else _ON_REPLACEMENT(successor)

    orphans = _orphans(stack)
    for resource in dropped:
        stack.resources.pop(resource.logical_id)
    delete_all(stack, [*dropped, *orphans], policy)


def _orphans(stack: Stack) -> list[Deployed]:
    """Resources that exist because of the steps in the journal without being the stack's any more."""
    current = {(resource.logical_id, resource.physical_id) for resource in stack.resources.values()}
    found: dict[tuple[str, str], Deployed] = {}
    for step in stack.journal:
        if step.before and step.replaced and not step.before_deleted:
            found[step.before.logical_id, step.before.physical_id] = step.before
        if step.before is None or step.replaced:
            found[step.after.logical_id, step.after.physical_id] = step.after
    return [resource for key, resource in found.items() if key not in current]


def delete(stack: Stack, retain: frozenset[str] = frozenset()) -> None:
    """Delete a stack that is DELETE_IN_PROGRESS."""

    def policy(resource: Deployed) -> str:
        return "Retain" if resource.logical_id in retain else _ON_REMOVAL(resource)

    stuck = delete_all(stack, [*stack.resources.values(), *_orphans(stack)], policy)
    stack.journal.clear()
    stack.resources = {resource.logical_id: resource for resource in stuck}
    if stuck:
        stack.move("DELETE_FAILED", _failed_to_delete(stuck))
        return
    stack.outputs, stack.imports = (), frozenset()
    stack.change_sets.clear()
    stack.deleted = now()
    stack.move("DELETE_COMPLETE")


def _failed_to_delete(stuck: list[Deployed]) -> str:
    """Names those that were tried and failed, without those that had to stay because of them."""
    held = frozenset[str]().union(*(resource.dependencies for resource in stuck))
    failed = [resource.logical_id for resource in stuck if resource.logical_id not in held]
    return failed_to("delete", *failed)
