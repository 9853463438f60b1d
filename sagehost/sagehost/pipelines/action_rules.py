"""The action types that can be rehearsed, and what CodePipeline refuses of a single action.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagehost.pipelines.definition import Action, Definition, InvalidDefinition, TypeId


@dataclass(frozen=True)
class _ActionType:
    inputs: range
    """How many input artifacts it can have."""
    outputs: range
    required: str = ""
    """Keys that its configuration must have."""
    optional: str = ""
    not_emulated: str = ""
    """Keys that CodePipeline has besides."""


_CODEBUILD = _ActionType(
    range(1, 6),
    range(2),
    "ProjectName",
    optional="PrimarySource EnvironmentVariables",
    not_emulated="BatchEnabled CombineArtifacts",
)

_TYPES: Mapping[TypeId, _ActionType] = {
    ("Source", "AWS", "CodeStarSourceConnection", "1"): _ActionType(
        range(1),
        range(1, 2),
        "ConnectionArn FullRepositoryId BranchName",
        optional="DetectChanges",
        not_emulated="OutputArtifactFormat",
    ),
    ("Build", "AWS", "CodeBuild", "1"): _CODEBUILD,
    ("Test", "AWS", "CodeBuild", "1"): _CODEBUILD,
    ("Approval", "AWS", "Manual", "1"): _ActionType(
        range(1), range(1), optional="CustomData ExternalEntityLink", not_emulated="NotificationArn"
    ),
    ("Deploy", "AWS", "CloudFormation", "1"): _ActionType(
        range(11),
        range(1),
        "ActionMode StackName",
        optional="ChangeSetName TemplatePath Capabilities RoleArn",
        not_emulated="TemplateConfiguration ParameterOverrides OutputFileName",
    ),
}

_MODES: Mapping[str, str | None] = {
    "CHANGE_SET_REPLACE": "TemplatePath RoleArn ChangeSetName",
    "CHANGE_SET_EXECUTE": "ChangeSetName",
    "CREATE_UPDATE": None,
    "DELETE_ONLY": None,
    "REPLACE_ON_FAILURE": None,
}
"""ActionMode -> the further keys that it requires; None: not emulated."""


def wrong_action(message: str) -> InvalidDefinition:
    """An action is refused."""
    return InvalidDefinition("InvalidActionDeclarationException", message)


def check_action(action: Action, definition: Definition) -> None:
    """Check an action by itself.

    Raises:
        InvalidDefinition: CodePipeline refuses it.
        NotImplementedError: CodePipeline has it, and it is not emulated.
    """
    kind = _TYPES.get(action.type)
    if kind is None:
        raise NotImplementedError(f"action {action.name} of {', '.join(action.type)}")
    _check_counts(action, kind)
    _check_configuration(action, kind)
    if action.region not in definition.stores:
        raise wrong_action(
            f"Action {action.name} runs in {action.region}, for which the pipeline has no artifact store in "
            "artifactStores"
        )
    if action.category == "Deploy":
        _check_cloudformation(action)
    _check_environment_variables(action)


def _check_counts(action: Action, kind: _ActionType) -> None:
    for direction, names, allowed in (("input", action.inputs, kind.inputs), ("output", action.outputs, kind.outputs)):
        count, low, high = len(names), allowed.start, allowed.stop - 1
        if count not in allowed:
            which, limit = ("less than the minimum", low) if count < low else ("more than the maximum", high)
            raise wrong_action(
                f"Action name of {action.name} has {count} {direction} artifacts which is {which} {direction} "
                f"artifact count ({limit})"
            )
        if len(set(names)) < count:
            raise wrong_action(f"Action {action.name} names an {direction} artifact twice")


def _check_configuration(action: Action, kind: _ActionType) -> None:
    _require(action, kind.required)
    known = f"{kind.required} {kind.optional} {kind.not_emulated}".split()
    if unknown := sorted(set(action.configuration).difference(known)):
        raise wrong_action(
            f"Action configuration for action '{action.name}' contains unknown configuration '{unknown[0]}'"
        )
    for key in sorted(set(action.configuration).intersection(kind.not_emulated.split())):
        raise NotImplementedError(f"{key} {action.configuration[key]} of action {action.name}")
    primary = action.configuration.get("PrimarySource")
    if primary is not None and primary not in action.inputs:
        raise wrong_action(f"PrimarySource {primary} of action {action.name} is none of its input artifacts")
    if "CodeBuild" in action.type and len(action.inputs) > 1:
        _require(action, "PrimarySource")


def _require(action: Action, keys: str) -> None:
    if missing := sorted(set(keys.split()).difference(action.configuration)):
        raise wrong_action(
            f"Action configuration for action '{action.name}' is missing required configuration '{missing[0]}'"
        )


def _check_cloudformation(action: Action) -> None:
    mode = action.configuration["ActionMode"]
    if mode not in _MODES:
        emulated = [name for name, keys in _MODES.items() if keys]
        raise wrong_action(f"ActionMode {mode} of action {action.name} is none of {', '.join(emulated)}")
    if (keys := _MODES[mode]) is None:
        raise NotImplementedError(f"ActionMode {mode} of action {action.name}")
    _require(action, keys)
    template = action.configuration.get("TemplatePath", "")
    artifact, _, path = template.partition("::")
    if template and (not path or artifact not in action.inputs):
        raise wrong_action(f"TemplatePath {template} of action {action.name} is not InputArtifact::path")


def _check_environment_variables(action: Action) -> None:
    try:
        variables: Any = json.loads(action.configuration.get("EnvironmentVariables", "[]"))
    except ValueError as error:
        raise wrong_action(f"EnvironmentVariables of action {action.name} is not valid JSON: {error}") from error
    if not isinstance(variables, list) or not all(_is_variable(one) for one in variables):
        raise wrong_action(
            f"EnvironmentVariables of action {action.name} is not a list of objects with name and value, both text"
        )
    for variable in variables:
        if variable.get("type", "PLAINTEXT") != "PLAINTEXT":
            raise NotImplementedError(f"environment variable {variable['name']} of type {variable['type']}")


def _is_variable(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("value"), str)
