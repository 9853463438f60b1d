"""Change sets: what bringing a stack to a target would do."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sagehost.cloudformation import schema
from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.store import STORES, Deployed, Problem, Stack, Target
from sagehost.cloudformation.target_state import Difference, TargetState, difference, refuse_renaming, resource_of
from sagehost.cloudformation.values import UNKNOWN, Json, has_unknown

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."

_NEEDS_RETAIN = (
    "CloudFormation is attempting to import some resources because they already exist in your account. The resources "
    "must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template for successful "
    "import. The affected resources are "
)


@dataclass(frozen=True)
class Plan:
    """The changes to resources, and what stands against them."""

    changes: list[Mapping[str, Json]]
    problems: list[Problem]
    same: bool
    """Nothing at all would change."""
    target: Target
    """With its imports."""


def plan(stack: Stack, target: Target, *, importing: bool = False) -> Plan:
    """Work out what bringing the stack to the target would do, without doing any of it.

    Raises:
        ValidationError: an expression in the template is wrong.
    """
    state = TargetState(stack, target)
    changes: list[Mapping[str, Json]] = []
    problems: list[Problem] = []
    imports: dict[str, Deployed] = {}
    for logical_id in state.order:
        properties = state.properties(logical_id)
        problems += (found := list(state.problems(logical_id, properties)))
        definition = target.template.resources[logical_id]
        have = stack.resources.get(logical_id)
        if have is not None and have.type != definition["Type"]:
            message = "Update of resource type is not permitted. The new template modifies resource type of the"
            told = f"{message} following resources: [{logical_id}]"
            problems.append(Problem.of(logical_id, definition["Type"], "Type", told))
        elif found:
            continue
        elif importing and have is None and (existing := _existing(stack, state, logical_id, properties)):
            state.known[logical_id] = imports[logical_id] = existing
            changes.append(_change("Import", logical_id, existing.type, PhysicalResourceId=existing.physical_id))
        elif have is None or have.failed:
            changes.append(_change("Add", logical_id, definition["Type"]))
        else:
            tagged = state.tagged(logical_id, properties)
            differs = difference(have, tagged, definition)
            if differs.replacement == "True" and not schema.load(have.type).deletes_first:
                try:
                    refuse_renaming(have, tagged)
                except ResourceFailure as error:
                    place = f"Properties/{PROVIDERS[have.type].name}"
                    problems.append(Problem.of(logical_id, have.type, place, str(error)))
            if differs.changed or differs.definition:
                changes.append(_modification(have, differs))
            if not differs.replacing:  # what may be replaced, the resources after it know nothing of
                state.known[logical_id] = have if has_unknown(tagged) else replace(have, properties=tagged)
    if lost := [one for one in imports.values() if "Retain" not in one.definition.get("DeletionPolicy", "")]:
        named = ", ".join(f"{one.logical_id} ({{{PROVIDERS[one.type].name}={one.physical_id}}})" for one in lost)
        problems.append(Problem(None, None, "", _NEEDS_RETAIN + named))
    removed = [have for name, have in stack.resources.items() if name not in state.active]
    for have in removed:
        policy = "Delete" if have.definition.get("DeletionPolicy", "Delete") == "Delete" else "Retain"
        changes.append(
            _change("Remove", have.logical_id, have.type, PhysicalResourceId=have.physical_id, PolicyAction=policy)
        )
    outputs_change = list(stack.outputs) != state.outputs()
    settled = stack.target is not None and stack.target.tags == target.tags and not stack.journal
    same = settled and not (changes or problems or outputs_change)
    return Plan(changes, problems, same, replace(target, imports=frozenset(imports)))


def _existing(stack: Stack, state: TargetState, logical_id: str, properties: Mapping[str, Json]) -> Deployed | None:
    """The resource that a new one would duplicate, if the template alone identifies it and no stack has it."""
    wanted = state.deployed(logical_id, "", properties)
    provider, identifiers = PROVIDERS[wanted.type], schema.load(wanted.type).identifier
    if not provider.find_with or has_unknown([properties.get(name, UNKNOWN) for name in identifiers]):
        return None
    with contextlib.suppress(ResourceFailure):
        found = replace(wanted, physical_id=provider.find(resource_of(stack, wanted), properties))
        everyones = [state.known, *(other.resources for other in STORES[stack.account, stack.region])]
        owned = {(one.type, one.physical_id) for resources in everyones for one in resources.values()}
        return None if (found.type, found.physical_id) in owned else found
    return None


def _change(action: str, logical_id: str, resource_type: str, **more: Json) -> dict[str, Json]:
    change = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": resource_type, **more}
    return {"Type": "Resource", "ResourceChange": {"Scope": [], "Details": [], **change}}


def _modification(have: Deployed, differs: Difference) -> dict[str, Json]:
    tagging = schema.load(have.type).tagging
    details = [
        _detail(
            "Tags" if tagging and name == tagging.property else "Properties",
            name,
            recreation="Always" if name in differs.replacing else "Never",
            evaluation="Dynamic" if name in differs.uncertain else "Static",
        )
        for name in sorted(differs.changed)
    ]
    details += [_detail(part) for part in sorted(differs.definition)]
    retained = have.definition.get("UpdateReplacePolicy", "Delete") != "Delete"
    replacing = {"PolicyAction": "ReplaceAndRetain" if retained else "ReplaceAndDelete"} if differs.replacing else {}
    return _change(
        "Modify",
        have.logical_id,
        have.type,
        PhysicalResourceId=have.physical_id,
        Replacement=differs.replacement,
        Scope=sorted({str(detail["Target"]["Attribute"]) for detail in details}),
        Details=details,
        **replacing,
    )


def _detail(part: str, name: str = "", *, recreation: str = "Never", evaluation: str = "Static") -> dict[str, Json]:
    named = {"Name": name} if part == "Properties" else {}
    target = {"Attribute": part, **named, "RequiresRecreation": recreation if named else "Never"}
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"}


def check_rules(state: TargetState) -> None:
    """Check the assertions of the template's Rules, such as the version of the CDK's bootstrap stack.

    Raises:
        ValidationError: with the description of the first that does not hold.
    """
    for name, rule in state.target.template.section("Rules").items():
        if "RuleCondition" in rule and not state.evaluator.truth(rule["RuleCondition"]):
            continue
        for assertion in rule.get("Assertions", []):
            if not state.evaluator.truth(assertion["Assert"]):
                described = assertion.get("AssertDescription", "an assertion does not hold")
                raise ValidationError(f"Template validation error: rule {name}: {described}")
