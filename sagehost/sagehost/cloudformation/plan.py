"""Change sets: what bringing a stack to a target would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sagehost.cloudformation import schema
from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.store import Deployed, Problem, Stack, Target
from sagehost.cloudformation.target_state import Difference, TargetState, difference, refuse_renaming
from sagehost.cloudformation.values import Json, has_unknown

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(frozen=True)
class Plan:
    """The changes to resources, and what stands against them."""

    changes: list[Mapping[str, Json]]
    problems: list[Problem]
    same: bool
    """Nothing at all would change."""


def plan(stack: Stack, target: Target) -> Plan:
    """Work out what bringing the stack to the target would do, without doing any of it.

    Raises:
        ValidationError: an expression in the template is wrong.
    """
    state = TargetState(stack, target)
    changes: list[Mapping[str, Json]] = []
    problems: list[Problem] = []
    for logical_id in state.order:
        properties = state.properties(logical_id)
        problems += (found := list(state.problems(logical_id, properties)))
        definition = target.template.resources[logical_id]
        have = stack.resources.get(logical_id)
        if have is not None and have.type != definition["Type"]:
            problems.append(_retyped(have, definition))
        elif found:
            continue
        elif have is None or have.failed:
            changes.append(_change("Add", logical_id, definition["Type"]))
        else:
            tagged = state.tagged(logical_id, properties)
            differs = difference(have, tagged, definition)
            if differs.replacement == "True" and not schema.load(have.type).deletes_first:
                problems += _renamed(have, tagged)
            if differs.changed or differs.definition:
                changes.append(_modification(have, differs))
            _settle(state, have, tagged, differs)
    removed = [have for name, have in stack.resources.items() if name not in state.active]
    changes += [_removal(have) for have in removed]
    outputs_change = list(stack.outputs) != state.outputs()
    same = not (changes or problems or outputs_change) and _same_settings(stack, target)
    return Plan(changes, problems, same)


def _settle(state: TargetState, have: Deployed, properties: Mapping[str, Json], differs: Difference) -> None:
    """What the resources after this one can know of it: nothing if it may be replaced."""
    if not differs.replacing and not has_unknown(properties):
        state.known[have.logical_id] = replace(have, properties=properties)
    elif not differs.replacing:
        state.known[have.logical_id] = have


def _same_settings(stack: Stack, target: Target) -> bool:
    present = stack.target
    return present is not None and present.tags == target.tags and not stack.journal


def _change(action: str, logical_id: str, resource_type: str, **more: Json) -> dict[str, Json]:
    change = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": resource_type, **more}
    return {"Type": "Resource", "ResourceChange": {"Scope": [], "Details": [], **change}}


def _removal(have: Deployed) -> dict[str, Json]:
    retained = have.definition.get("DeletionPolicy", "Delete") != "Delete"
    return _change(
        "Remove",
        have.logical_id,
        have.type,
        PhysicalResourceId=have.physical_id,
        PolicyAction="Retain" if retained else "Delete",
    )


def _modification(have: Deployed, differs: Difference) -> dict[str, Json]:
    tagging = schema.load(have.type).tagging
    tag_property = tagging.property if tagging else None
    details: list[dict[str, Json]] = []
    for name in sorted(differs.changed):
        target = (
            {"Attribute": "Tags", "RequiresRecreation": "Never"}
            if name == tag_property
            else {
                "Attribute": "Properties",
                "Name": name,
                "RequiresRecreation": "Always" if name in differs.replacing else "Never",
            }
        )
        evaluation = "Dynamic" if name in differs.uncertain else "Static"
        details.append({"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"})
    details += [
        {
            "Target": {"Attribute": part, "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
        for part in sorted(differs.definition)
    ]
    more: dict[str, Json] = {}
    if differs.replacing:
        retained = have.definition.get("UpdateReplacePolicy", "Delete") != "Delete"
        more["PolicyAction"] = "ReplaceAndRetain" if retained else "ReplaceAndDelete"
    return _change(
        "Modify",
        have.logical_id,
        have.type,
        PhysicalResourceId=have.physical_id,
        Replacement=differs.replacement,
        Scope=sorted({str(detail["Target"]["Attribute"]) for detail in details}),
        Details=details,
        **more,
    )


def _retyped(have: Deployed, definition: Mapping[str, Json]) -> Problem:
    return Problem(
        have.logical_id,
        str(definition["Type"]),
        f"/Resources/{have.logical_id}/Type",
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: "
        f"[{have.logical_id}]",
    )


def _renamed(have: Deployed, properties: Mapping[str, Json]) -> list[Problem]:
    try:
        refuse_renaming(have, properties)
    except ResourceFailure as error:
        name = PROVIDERS[have.type].name
        return [Problem(have.logical_id, have.type, f"/Resources/{have.logical_id}/Properties/{name}", str(error))]
    return []


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
