"""Outputs of stacks, and the exports by which stacks depend on each other."""

from __future__ import annotations

from sagehost.cloudformation.desired import Desired
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.steps import Failed
from sagehost.cloudformation.store import Output, Stack, store
from sagehost.cloudformation.values import as_text


def settle_outputs(stack: Stack, desired: Desired) -> None:
    """Evaluate the outputs.

    Raises:
        Failed: one is wrong, or an export is taken or in use.
    """
    outputs = list[Output]()
    try:
        for key, output in desired.target.template.section("Outputs").items():
            if desired.evaluator.holds(output):
                value = desired.evaluator.value(output["Value"])
                export = desired.evaluator.value(output.get("Export", {})).get("Name")
                outputs.append(Output(key, as_text(value), output.get("Description"), export))
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


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
