"""Outputs of stacks, and the exports by which stacks depend on each other."""

from __future__ import annotations

from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.steps import OperationError
from sagehost.cloudformation.store import Stack, store
from sagehost.cloudformation.target_state import TargetState


def settle_outputs(stack: Stack, state: TargetState) -> None:
    """Evaluate the outputs.

    Raises:
        OperationError: one is wrong, or an export is taken or in use.
    """
    try:
        outputs = state.outputs()
    except ValidationError as error:
        raise OperationError(error.message) from error
    exports = {output.export_name: output.value for output in outputs if output.export_name}
    stacks = store(stack.account, stack.region)
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
