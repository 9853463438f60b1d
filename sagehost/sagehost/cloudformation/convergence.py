"""Towards a target, step by step, and back."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation import schema, steps
from sagehost.cloudformation.desired import INVALID, Desired, difference, refuse_renaming
from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.steps import Failed
from sagehost.cloudformation.store import Created, Deployed, Replaced, Stack, Step, Target, Updated
from sagehost.cloudformation.values import Json


def converge(stack: Stack, target: Target) -> Desired:
    """Create and change what the target wants; nothing is deleted yet.

    Raises:
        Failed: a resource could not be brought to its properties.
    """
    try:
        desired = Desired(stack, target)
    except ValidationError as error:
        raise Failed(error.message) from error
    for logical_id in desired.order:
        _bring(stack, desired, logical_id)
    return desired


def _bring(stack: Stack, desired: Desired, logical_id: str) -> None:
    definition = desired.target.template.resources[logical_id]
    properties = _evaluated(stack, desired, logical_id)
    have = stack.resources.get(logical_id)
    if have is not None and have.failed:
        # It never was what it should be, so nothing depends on it.
        if not steps.delete(stack, have, "Delete"):
            raise Failed(f"The following resource(s) failed to delete: [{logical_id}]. ")
        stack.resources.pop(logical_id)
        stack.journal = [step for step in stack.journal if step.after != have]
        have = None
    if have is None:
        made = steps.create(stack, desired, logical_id, properties)
        stack.journal.append(Created(made))
    else:
        differs = difference(have, properties, definition)
        if differs.replacing:
            made = _replace(stack, desired, have, properties)
        else:
            made = desired.deployed(logical_id, have.physical_id, properties)
            if have != made:
                stack.journal.append(Updated(have, made))
            if differs.changed:
                steps.configure(stack, have, made)
    stack.resources[logical_id] = made
    desired.resources.known[logical_id] = made


def _evaluated(stack: Stack, desired: Desired, logical_id: str) -> dict[str, Json]:
    """The properties of a resource, checked against its schema now that all of them are known."""
    have = stack.resources.get(logical_id)
    resource_type = desired.target.template.resources[logical_id]["Type"]
    try:
        properties = desired.properties(logical_id)
        if problems := [problem.message for problem in desired.problems(logical_id, properties)]:
            shared = f"{INVALID} {logical_id} with message: "
            raise ResourceFailure(shared + "; ".join(problem.removeprefix(shared) for problem in problems))
        return desired.tagged(logical_id, properties)
    except (ValidationError, ResourceFailure) as error:
        kind = "UPDATE" if have else "CREATE"
        physical_id = have.physical_id if have else ""
        stack.event(logical_id, physical_id, resource_type, f"{kind}_FAILED", steps.reason(error))
        raise Failed(f"The following resource(s) failed to {kind.lower()}: [{logical_id}]. ") from error


def _replace(stack: Stack, desired: Desired, have: Deployed, properties: Mapping[str, Json]) -> Deployed:
    """Put a new resource in the place of one whose change the service cannot make."""
    names = (have.logical_id, have.physical_id, have.type)
    reason = "Requested update requires the creation of a new physical resource; hence creating one."
    stack.event(*names, "UPDATE_IN_PROGRESS", reason, properties)
    deletes_first = schema.load(have.type).deletes_first
    try:
        if not deletes_first:
            refuse_renaming(have, properties)
    except ResourceFailure as error:
        stack.event(*names, "UPDATE_FAILED", str(error), properties)
        raise Failed(f"The following resource(s) failed to update: [{have.logical_id}]. ") from error
    if deletes_first:
        if not steps.delete(stack, have, "Delete"):
            raise Failed(f"The following resource(s) failed to update: [{have.logical_id}]. ")
        stack.journal.append(Replaced(have, have, before_exists=False))
    made = steps.create(stack, desired, have.logical_id, properties, "UPDATE")
    if deletes_first:
        stack.journal.pop()
    stack.journal.append(Replaced(have, made, before_exists=not deletes_first))
    return made


def undo(stack: Stack, skip: frozenset[str] = frozenset()) -> list[Deployed]:
    """Undo the journal from its end. The resources that are then left over.

    Raises:
        Failed: a step could not be undone; it is still in the journal.
    """
    left_over = list[Deployed]()
    try:
        while stack.journal:
            _undo(stack, stack.journal[-1], skip, left_over)
            stack.journal.pop()
    except Failed:
        stack.journal[:0] = [Created(resource) for resource in left_over]
        raise
    return left_over


def _undo(stack: Stack, step: Step, skip: frozenset[str], left_over: list[Deployed]) -> None:
    logical_id = step.after.logical_id
    if isinstance(step, Created):
        left_over.append(step.after)
        if stack.resources.get(logical_id) == step.after:
            stack.resources.pop(logical_id)
        return
    before = step.before
    if isinstance(step, Updated) and step.before.properties != step.after.properties and logical_id not in skip:
        steps.configure(stack, step.after, before)
    elif isinstance(step, Replaced):
        if not step.before_exists:
            before = steps.recreate(stack, step)
        elif step.after != step.before:
            left_over.append(step.after)
        stack.event(logical_id, before.physical_id, before.type, "UPDATE_COMPLETE", properties=before.properties)
    stack.resources[logical_id] = before
