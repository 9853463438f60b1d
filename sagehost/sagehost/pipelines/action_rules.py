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


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class _ActionType:
    inputs: range
    """How many input artifacts it can have."""
    outputs: range
    required: frozenset[str] = frozenset()
    """Keys that its configuration must have."""
    optional: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    """Keys that CodePipeline has and that are not emulated."""


_CODEBUILD = _ActionType(
    inputs=range(1, 6),
    outputs=range(2),
    required=_names("ProjectName"),
    optional=_names("PrimarySource EnvironmentVariables"),
    absent=_names("BatchEnabled CombineArtifacts"),
)

_TYPES: Mapping[TypeId, _ActionType] = {
    ("Source", "AWS", "CodeStarSourceConnection", "1"): _ActionType(
        inputs=range(1),
        outputs=range(1, 2),
        required=_names("ConnectionArn FullRepositoryId BranchName"),
        optional=_names("DetectChanges"),
        absent=_names("OutputArtifactFormat"),
    ),
    ("Build", "AWS", "CodeBuild", "1"): _CODEBUILD,
    ("Test", "AWS", "CodeBuild", "1"): _CODEBUILD,
    ("Approval", "AWS", "Manual", "1"): _ActionType(
        inputs=range(1),
        outputs=range(1),
        optional=_names("CustomData ExternalEntityLink"),
        absent=_names("NotificationArn"),
    ),
    ("Deploy", "AWS", "CloudFormation", "1"): _ActionType(
        inputs=range(11),
        outputs=range(1),
        required=_names("ActionMode StackName"),
        optional=_names("ChangeSetName TemplatePath Capabilities RoleArn"),
        absent=_names("TemplateConfiguration ParameterOverrides OutputFileName"),
    ),
}

_MODES: Mapping[str, frozenset[str]] = {
    "CHANGE_SET_REPLACE": _names("TemplatePath RoleArn ChangeSetName"),
    "CHANGE_SET_EXECUTE": _names("ChangeSetName"),
}
"""ActionMode -> the further keys that it requires."""

_MODES_ABSENT = _names("CREATE_UPDATE DELETE_ONLY REPLACE_ON_FAILURE")


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
    given = set(action.configuration)
    _require(action, kind.required)
    if unknown := sorted(given - kind.required - kind.optional - kind.absent):
        raise wrong_action(
            f"Action configuration for action '{action.name}' contains unknown configuration '{unknown[0]}'"
        )
    for key in sorted(kind.absent & given):
        raise NotImplementedError(f"{key} {action.configuration[key]} of action {action.name}")
    primary = action.configuration.get("PrimarySource")
    if primary is not None and primary not in action.inputs:
        raise wrong_action(f"PrimarySource {primary} of action {action.name} is none of its input artifacts")
    if "CodeBuild" in action.type and len(action.inputs) > 1:
        _require(action, {"PrimarySource"})


def _require(action: Action, keys: frozenset[str] | set[str]) -> None:
    if missing := sorted(keys - set(action.configuration)):
        raise wrong_action(
            f"Action configuration for action '{action.name}' is missing required configuration '{missing[0]}'"
        )


def _check_cloudformation(action: Action) -> None:
    mode = action.configuration["ActionMode"]
    if mode in _MODES_ABSENT:
        raise NotImplementedError(f"ActionMode {mode} of action {action.name}")
    if mode not in _MODES:
        raise wrong_action(f"ActionMode {mode} of action {action.name} is none of {', '.join(_MODES)}")
    _require(action, _MODES[mode])
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
