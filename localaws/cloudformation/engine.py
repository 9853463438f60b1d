"""Stack operations: create, update, roll back, delete.

An operation is a thread of its own, and one runs on a stack at a time. It works through the resources in the order of
their references and writes each step to the stack's journal; a roll-back undoes the journal from its end, and clearing
up comes last, so that whatever still refers to an old resource has been moved to the new one before it goes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from localaws import moto_app
from localaws.cloudformation import schema
from localaws.cloudformation.desired import INVALID, Desired, context, difference, refuse_renaming
from localaws.cloudformation.errors import ResourceFailure, ValidationError
from localaws.cloudformation.providers import PROVIDERS
from localaws.cloudformation.store import (
    Created,
    Deployed,
    Output,
    Replaced,
    Stack,
    Step,
    Target,
    Updated,
    now,
    store,
)
from localaws.cloudformation.template import dependants_first
from localaws.cloudformation.values import Json

LOG = logging.getLogger(__name__)

LINGER_S = 4.0
"""The CDK CLI looks at a stack at once after it has started an operation, and then only every five seconds."""

USER_INITIATED = "User Initiated"
NOT_EMULATED_FAILURE = "Internal error of the embedded AWS"


class Failed(Exception):
    """The operation cannot go on; the text is the stack's status reason."""


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
        ending = stack.status.removesuffix("_IN_PROGRESS")
        failed = {"UPDATE_COMPLETE_CLEANUP": "UPDATE_COMPLETE"}.get(ending, f"{ending}_FAILED")
        stack.move(failed, f"{NOT_EMULATED_FAILURE}: {type(error).__name__}: {error}")


class Operation:
    """Something that is being done to a stack."""

    def __init__(self, stack: Stack, token: str | None = None) -> None:
        self.stack = stack
        stack.token = token

    # --- single resources -------------------------------------------------------------------------------------------

    def _create(
        self, desired: Desired, logical_id: str, properties: Mapping[str, Json], verb: str = "CREATE"
    ) -> Deployed:
        """Create a resource; it is in the journal from the moment it exists. `verb` is UPDATE for a replacement."""
        resource_type = desired.target.template.resources[logical_id]["Type"]
        provider, where = PROVIDERS[resource_type], context(self.stack, logical_id, resource_type)
        physical_id = ""

        def event(status: str, reason: str | None = None) -> None:
            self.stack.event(logical_id, physical_id, resource_type, f"{verb}_{status}", reason, properties)

        if verb == "CREATE":
            event("IN_PROGRESS")
        try:
            physical_id = provider.create(where, properties)
            event("IN_PROGRESS", "Resource creation Initiated")
            provider.configure(where, physical_id, properties, {})
        except Exception as error:
            event("FAILED", _reason(error))
            if physical_id:
                partial = replace(desired.deployed(logical_id, physical_id, properties), failed=True)
                self.stack.journal.append(Created(partial))
                self.stack.resources.setdefault(logical_id, partial)
            raise Failed(f"The following resource(s) failed to {verb.lower()}: [{logical_id}]. ") from error
        event("COMPLETE")
        return desired.deployed(logical_id, physical_id, properties)

    def _configure(self, before: Deployed, after: Deployed) -> None:
        """Change a resource in place."""
        stack, provider = self.stack, PROVIDERS[after.type]
        where = context(stack, after.logical_id, after.type)
        names = (after.logical_id, after.physical_id, after.type)
        stack.event(*names, "UPDATE_IN_PROGRESS", properties=after.properties)
        try:
            provider.configure(where, after.physical_id, after.properties, before.properties)
        except Exception as error:
            stack.event(*names, "UPDATE_FAILED", _reason(error), after.properties)
            raise Failed(f"The following resource(s) failed to update: [{after.logical_id}]. ") from error
        stack.event(*names, "UPDATE_COMPLETE", properties=after.properties)

    def _delete(self, resource: Deployed, policy: str) -> bool:
        """Delete a resource unless its policy keeps it. Whether it worked."""
        stack = self.stack
        names = (resource.logical_id, resource.physical_id, resource.type)
        if policy == "Retain":
            stack.event(*names, "DELETE_SKIPPED", properties=resource.properties)
            return True
        stack.event(*names, "DELETE_IN_PROGRESS", properties=resource.properties)
        try:
            where = context(stack, resource.logical_id, resource.type)
            PROVIDERS[resource.type].remove(where, resource.physical_id, resource.properties)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the resource's status reason
            stack.event(*names, "DELETE_FAILED", _reason(error), resource.properties)
            return False
        stack.event(*names, "DELETE_COMPLETE", properties=resource.properties)
        return True

    def delete_all(self, resources: Iterable[Deployed], policy: Callable[[Deployed], str]) -> list[Deployed]:
        """Delete resources, dependants first, and give those left: the failed ones and what they depend on."""
        remaining = list(resources)
        order = dependants_first({one.logical_id: one.dependencies for one in remaining})
        stuck: list[Deployed] = []
        for resource in sorted(remaining, key=lambda one: order.index(one.logical_id)):
            blocked = any(resource.logical_id in other.dependencies for other in stuck)
            if blocked or not self._delete(resource, policy(resource)):
                stuck.append(resource)
        return stuck

    # --- towards a target -------------------------------------------------------------------------------------------

    def converge(self, target: Target) -> Desired:
        """Create and change what the target wants; nothing is deleted yet.

        Raises:
            Failed: a resource could not be brought to its properties.
        """
        try:
            desired = Desired(self.stack, target)
        except ValidationError as error:
            raise Failed(error.message) from error
        for logical_id in desired.order:
            self._bring(desired, logical_id)
        return desired

    def _bring(self, desired: Desired, logical_id: str) -> None:
        stack = self.stack
        definition = desired.target.template.resources[logical_id]
        properties = self._evaluated(desired, logical_id)
        have = stack.resources.get(logical_id)
        if have is not None and have.failed:
            # It never was what it should be, so nothing depends on it.
            if not self._delete(have, "Delete"):
                raise Failed(f"The following resource(s) failed to delete: [{logical_id}]. ")
            stack.resources.pop(logical_id)
            stack.journal = [step for step in stack.journal if step.after != have]
            have = None
        if have is None:
            made = self._create(desired, logical_id, properties)
            stack.journal.append(Created(made))
        else:
            differs = difference(have, properties, definition)
            if differs.replacing:
                made = self._replace(desired, have, properties)
            else:
                made = desired.deployed(logical_id, have.physical_id, properties)
                if have != made:
                    stack.journal.append(Updated(have, made))
                if differs.changed:
                    self._configure(have, made)
        stack.resources[logical_id] = made
        desired.resources.known[logical_id] = made

    def _evaluated(self, desired: Desired, logical_id: str) -> dict[str, Json]:
        """The properties of a resource, checked against its schema now that all of them are known."""
        have = self.stack.resources.get(logical_id)
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
            self.stack.event(logical_id, physical_id, resource_type, f"{kind}_FAILED", _reason(error))
            raise Failed(f"The following resource(s) failed to {kind.lower()}: [{logical_id}]. ") from error

    def _replace(self, desired: Desired, have: Deployed, properties: Mapping[str, Json]) -> Deployed:
        """Put a new resource in the place of one whose change the service cannot make."""
        stack, names = self.stack, (have.logical_id, have.physical_id, have.type)
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
            if not self._delete(have, "Delete"):
                raise Failed(f"The following resource(s) failed to update: [{have.logical_id}]. ")
            stack.journal.append(Replaced(have, have, before_exists=False))
        made = self._create(desired, have.logical_id, properties, "UPDATE")
        if deletes_first:
            stack.journal.pop()
        stack.journal.append(Replaced(have, made, before_exists=not deletes_first))
        return made

    def settle_outputs(self, desired: Desired) -> None:
        """Evaluate the outputs.

        Raises:
            Failed: one is wrong, or an export is taken or in use.
        """
        stack, outputs = self.stack, list[Output]()
        try:
            for key, output in desired.target.template.section("Outputs").items():
                if desired.evaluator.holds(output):
                    value = desired.evaluator.value(output["Value"])
                    export = desired.evaluator.value(output.get("Export", {})).get("Name")
                    outputs.append(Output(key, _text(value), output.get("Description"), export))
        except ValidationError as error:
            raise Failed(error.message) from error
        exports = {output.export: output.value for output in outputs if output.export}
        stacks = store(stack.account, stack.region)
        for name in exports:
            exporter = stacks.exporter(name)
            if exporter is not None and exporter is not stack:
                raise Failed(f"Export with name {name} is already exported by stack {exporter.name}. ")
        for name, value in stack.exports().items():
            if exports.get(name) != value and (users := stacks.importers(name)):
                raise Failed(f"Update canceled. Cannot update export {name} as it is in use by {listed(users)}. ")
        stack.outputs = outputs
        stack.imports = frozenset(desired.resources.imports)

    # --- undoing ----------------------------------------------------------------------------------------------------

    def undo(self, skip: frozenset[str] = frozenset()) -> list[Deployed]:
        """Undo the journal from its end. The resources that are then left over.

        Raises:
            Failed: a step could not be undone; it is still in the journal.
        """
        stack, left_over = self.stack, list[Deployed]()
        try:
            while stack.journal:
                self._undo(stack.journal[-1], skip, left_over)
                stack.journal.pop()
        except Failed:
            stack.journal[:0] = [Created(resource) for resource in left_over]
            raise
        return left_over

    def _undo(self, step: Step, skip: frozenset[str], left_over: list[Deployed]) -> None:
        stack, logical_id = self.stack, step.after.logical_id
        if isinstance(step, Created):
            left_over.append(step.after)
            if stack.resources.get(logical_id) == step.after:
                stack.resources.pop(logical_id)
            return
        before = step.before
        if isinstance(step, Updated) and step.before.properties != step.after.properties and logical_id not in skip:
            self._configure(step.after, before)
        elif isinstance(step, Replaced):
            if not step.before_exists:
                before = self._recreate(step)
            elif step.after != step.before:
                left_over.append(step.after)
            stack.event(logical_id, before.physical_id, before.type, "UPDATE_COMPLETE", properties=before.properties)
        stack.resources[logical_id] = before

    def _recreate(self, step: Replaced) -> Deployed:
        """Bring back a resource that had to be deleted before its replacement could be created."""
        stack, before = self.stack, step.before
        where = context(stack, before.logical_id, before.type)
        if step.after != before:
            self._delete(step.after, "Delete")
        stack.event(before.logical_id, "", before.type, "CREATE_IN_PROGRESS", properties=before.properties)
        try:
            physical_id = PROVIDERS[before.type].create(where, before.properties)
            PROVIDERS[before.type].configure(where, physical_id, before.properties, {})
        except Exception as error:
            stack.event(before.logical_id, "", before.type, "CREATE_FAILED", _reason(error), before.properties)
            raise Failed(f"The following resource(s) failed to create: [{before.logical_id}]. ") from error
        stack.event(before.logical_id, physical_id, before.type, "CREATE_COMPLETE", properties=before.properties)
        return replace(before, physical_id=physical_id)


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _text(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: Exception) -> str:
    """A resource's status reason."""
    if isinstance(error, ValidationError):
        return str(error.message)
    if isinstance(error, ResourceFailure):
        return str(error)
    LOG.error("provider failed", exc_info=error)
    return f"{NOT_EMULATED_FAILURE}: {type(error).__name__}: {error}"


def _kept_after_failure(resource: Deployed) -> str:
    """What becomes of a new resource when the operation that created it fails."""
    return "Retain" if resource.definition.get("DeletionPolicy") == "Retain" else "Delete"


def _policy(name: str) -> Callable[[Deployed], str]:
    def policy(resource: Deployed) -> str:
        kept = resource.definition.get(name, "Delete") in ("Retain", "RetainExceptOnCreate")
        return "Retain" if kept else "Delete"

    return policy


def create(stack: Stack, target: Target) -> None:
    """Create a stack that is CREATE_IN_PROGRESS."""
    operation = Operation(stack, target.token)
    stack.target = target
    try:
        operation.settle_outputs(operation.converge(target))
    except Failed as failure:
        if stack.disable_rollback:
            stack.move("CREATE_FAILED", str(failure))
            return
        stack.move("ROLLBACK_IN_PROGRESS", f"{failure}Rollback requested by user.")
        roll_back_creation(operation)
        return
    stack.journal.clear()
    stack.move("CREATE_COMPLETE")


def roll_back_creation(operation: Operation) -> None:
    """Undo the creation of a stack that is ROLLBACK_IN_PROGRESS."""
    stack = operation.stack
    try:
        left_over = operation.undo()
    except Failed as failure:
        stack.move("ROLLBACK_FAILED", str(failure))
        return
    if stuck := operation.delete_all(left_over, _kept_after_failure):
        stack.resources.update({resource.logical_id: resource for resource in stuck})
        stack.move("ROLLBACK_FAILED", _failed_to_delete(stuck))
        return
    stack.outputs, stack.imports = (), frozenset()
    stack.move("ROLLBACK_COMPLETE")


def update(stack: Stack, target: Target) -> None:
    """Update a stack that is UPDATE_IN_PROGRESS."""
    operation = Operation(stack, target.token)
    try:
        desired = operation.converge(target)
        operation.settle_outputs(desired)
    except Failed as failure:
        if stack.disable_rollback:
            stack.move("UPDATE_FAILED", str(failure))
            return
        stack.move("UPDATE_ROLLBACK_IN_PROGRESS", str(failure))
        roll_back_update(operation)
        return
    stack.target = target
    stack.move("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    _clean_up(operation, desired)
    stack.journal.clear()
    stack.move("UPDATE_COMPLETE")


def _clean_up(operation: Operation, desired: Desired) -> None:
    """Delete what the update has replaced or dropped. What cannot be deleted is only reported, as on AWS."""
    stack = operation.stack
    dropped = [resource for name, resource in stack.resources.items() if name not in desired.active]
    on_removal, on_replacement = _policy("DeletionPolicy"), _policy("UpdateReplacePolicy")

    def policy(resource: Deployed) -> str:
        successor = stack.resources.get(resource.logical_id)
        return on_removal(resource) if successor is None else on_replacement(successor)

    strays = _strays(stack)
    for resource in dropped:
        stack.resources.pop(resource.logical_id)
    operation.delete_all([*dropped, *strays], policy)


def _strays(stack: Stack) -> list[Deployed]:
    """Resources that exist because of the steps in the journal without being the stack's any more."""
    current = {(resource.logical_id, resource.physical_id) for resource in stack.resources.values()}
    found: dict[tuple[str, str], Deployed] = {}
    for step in stack.journal:
        if isinstance(step, Replaced) and step.before_exists:
            found[step.before.logical_id, step.before.physical_id] = step.before
        if not isinstance(step, Updated):
            found[step.after.logical_id, step.after.physical_id] = step.after
    return [resource for key, resource in found.items() if key not in current]


def roll_back_update(operation: Operation, skip: frozenset[str] = frozenset()) -> None:
    """Undo the update of a stack that is UPDATE_ROLLBACK_IN_PROGRESS."""
    stack = operation.stack
    try:
        left_over = operation.undo(skip)
    except Failed as failure:
        stack.move("UPDATE_ROLLBACK_FAILED", str(failure))
        return
    stack.move("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    operation.delete_all(left_over, _kept_after_failure)
    stack.move("UPDATE_ROLLBACK_COMPLETE")


def delete(stack: Stack, retain: frozenset[str] = frozenset(), token: str | None = None) -> None:
    """Delete a stack that is DELETE_IN_PROGRESS."""
    operation, on_removal = Operation(stack, token), _policy("DeletionPolicy")

    def policy(resource: Deployed) -> str:
        return "Retain" if resource.logical_id in retain else on_removal(resource)

    stuck = operation.delete_all([*stack.resources.values(), *_strays(stack)], policy)
    stack.journal.clear()
    stack.resources = {resource.logical_id: resource for resource in stuck}
    if stuck:
        stack.move("DELETE_FAILED", _failed_to_delete(stuck))
        return
    stack.outputs, stack.imports = (), frozenset()
    stack.change_sets.clear()
    stack.deleted = now()
    stack.move("DELETE_COMPLETE")


def _failed_to_delete(resources: list[Deployed]) -> str:
    return f"The following resource(s) failed to delete: [{', '.join(resource.logical_id for resource in resources)}]. "
