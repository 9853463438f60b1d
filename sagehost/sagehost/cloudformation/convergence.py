"""Towards a target, step by step, and back."""

from sagehost.cloudformation import schema, steps
from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.steps import OperationError
from sagehost.cloudformation.store import STORES, Deployed, Stack, Step, Target
from sagehost.cloudformation.target_state import INVALID, TargetState, difference, refuse_renaming


def converge(stack: Stack, target: Target) -> TargetState:
    """Create and change what the target wants; nothing is deleted yet.

    Raises:
        OperationError: a resource could not be brought to its properties.
    """
    try:
        state = TargetState(stack, target)
    except ValidationError as error:
        raise OperationError(error.message) from error
    for logical_id in state.order:
        state.known[logical_id] = stack.resources[logical_id] = _brought(stack, state, logical_id)
    return state


def _brought(stack: Stack, state: TargetState, logical_id: str) -> Deployed:
    """A resource, created or changed as the target wants it."""
    present = stack.resources.get(logical_id)
    wanted = _wanted(stack, state, logical_id, present)
    if present is not None and present.failed:
        # It never was what it should be, so nothing depends on it.
        if not steps.delete(stack, present):
            raise OperationError(steps.failed_to("delete", logical_id))
        stack.resources.pop(logical_id)
        stack.journal = [step for step in stack.journal if step.after != present]
        present = None
    if present is None and logical_id in state.target.imports:
        return steps.import_existing(stack, wanted, state.properties(logical_id))
    if present is None:
        made = steps.create(stack, wanted)
        stack.journal.append(Step(None, made))
        return made
    differs = difference(present, wanted.properties, wanted.definition)
    if differs.replacing:
        return _replace(stack, present, wanted)
    if present != wanted:
        stack.journal.append(Step(present, wanted))
    if differs.changed:
        steps.configure(stack, present, wanted)
    return wanted


def _wanted(stack: Stack, state: TargetState, logical_id: str, present: Deployed | None) -> Deployed:
    """What a resource is to be, checked against its schema now that all of its properties are known."""
    physical_id = present.physical_id if present else ""
    try:
        properties = state.properties(logical_id)
        if problems := [problem.message for problem in state.problems(logical_id, properties)]:
            shared = f"{INVALID} {logical_id} with message: "
            raise ResourceFailure(shared + "; ".join(problem.removeprefix(shared) for problem in problems))
        return state.deployed(logical_id, physical_id, state.tagged(logical_id, properties))
    except (ValidationError, ResourceFailure) as error:
        unevaluated = state.deployed(logical_id, physical_id, {})
        raise steps.fail(stack, unevaluated, "UPDATE" if present else "CREATE", error) from error


def _replace(stack: Stack, present: Deployed, wanted: Deployed) -> Deployed:
    """Put a new resource in the place of one whose change the service cannot make."""
    reason = "Requested update requires the creation of a new physical resource; hence creating one."
    stack.event(wanted, "UPDATE_IN_PROGRESS", reason)
    deletes_first = schema.load(present.type).deletes_first
    if deletes_first:
        if not steps.delete(stack, present):
            raise OperationError(steps.failed_to("update", present.logical_id))
        stack.journal.append(Step(present, present, replaced=True, before_deleted=True))
    else:
        try:
            refuse_renaming(present, wanted.properties)
        except ResourceFailure as error:
            raise steps.fail(stack, wanted, "UPDATE", error) from error
    made = steps.create(stack, wanted, "UPDATE")
    if deletes_first:
        stack.journal.pop()
    stack.journal.append(Step(present, made, replaced=True, before_deleted=deletes_first))
    return made


def settle_outputs(stack: Stack, state: TargetState) -> None:
    """Evaluate the outputs. Raises OperationError: one is wrong, or an export is taken or in use."""
    try:
        outputs = state.outputs()
    except ValidationError as error:
        raise OperationError(error.message) from error
    exports = {output.export_name: output.value for output in outputs if output.export_name}
    stacks = STORES[stack.account, stack.region]
    for name in exports:
        exporter = stacks.exporter(name)
        if exporter is not None and exporter is not stack:
            raise OperationError(f"Export with name {name} is already exported by stack {exporter.name}. ")
    for name, value in stack.exports().items():
        if exports.get(name) != value and (users := stacks.importers(name)):
            raise OperationError(f"Update canceled. Cannot update export {name} as it is in use by {listed(users)}. ")
    stack.outputs = outputs
    stack.imports = frozenset(state.imports)


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def undo(stack: Stack, skip: frozenset[str] = frozenset()) -> list[Deployed]:
    """Undo the journal from its end. The resources that are then left over.

    Raises:
        OperationError: a step could not be undone; it is still in the journal.
    """
    left_over = list[Deployed]()
    try:
        while stack.journal:
            _undo(stack, stack.journal[-1], skip, left_over)
            stack.journal.pop()
    except OperationError:
        stack.journal[:0] = [Step(None, resource) for resource in left_over]
        raise
    return left_over


def _undo(stack: Stack, step: Step, skip: frozenset[str], left_over: list[Deployed]) -> None:
    before, after = step.before, step.after
    if before is None:
        left_over.append(after)
        if stack.resources.get(after.logical_id) == after:
            stack.resources.pop(after.logical_id)
        return
    if not step.replaced:
        failed = stack.latest[after.logical_id]["ResourceStatus"] == "UPDATE_FAILED"
        if (failed or before.properties != after.properties) and after.logical_id not in skip:
            steps.configure(stack, after, before)
    else:
        if step.before_deleted:
            if after != before:
                steps.delete(stack, after)
            before = steps.create(stack, before)
        else:
            left_over.append(after)
        stack.event(before, "UPDATE_COMPLETE")
    stack.resources[before.logical_id] = before
