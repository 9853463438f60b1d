"""What CodePipeline refuses of a single action."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localaws.codepipeline.action_types import (
    ABSENT,
    CLOUDFORMATION_MODES,
    CLOUDFORMATION_MODES_ABSENT,
    EMULATED,
    ActionType,
)
from localaws.codepipeline.definition import Action, Definition
from localaws.codepipeline.errors import InvalidActionDeclaration

_OF_COMPUTE = ("commands", "environmentVariables", "outputVariables")


def check_action(action: Action, definition: Definition) -> None:
    """Check an action by itself.

    Raises:
        InvalidActionDeclaration: CodePipeline refuses it.
        NotImplementedError: CodePipeline has its type, and it does not run here.
    """
    kind = _kind(action, definition.region)
    _check_counts(action, kind)
    _check_configuration(action, kind)
    region = action.region or definition.region
    if region not in definition.stores:
        raise InvalidActionDeclaration(
            f"Action {action.name} runs in {region}, for which the pipeline has no artifact store in artifactStores"
        )
    if action.timeout_minutes is not None and action.category != "Approval":
        raise InvalidActionDeclaration(
            f"Action {action.name} has timeoutInMinutes, which only manual approvals can have"
        )
    if action.category == "Deploy":
        _check_cloudformation(action)
    if "EnvironmentVariables" in action.configuration:
        environment_variables(action.name, action.configuration["EnvironmentVariables"])


def _kind(action: Action, region: str) -> ActionType:
    if kind := EMULATED.get(action.type):
        return kind
    category, owner, provider, version = action.type
    if owner == "Custom" or provider in ABSENT.get(category, ()):
        raise NotImplementedError(f"action {action.name} of provider {provider}")
    raise InvalidActionDeclaration(
        f"ActionType (Category: '{category}', Provider: '{provider}', Owner: '{owner}', Version: '{version}') in "
        f"action '{action.name}' is not available in region {region.upper().replace('-', '_')}"
    )


def _check_counts(action: Action, kind: ActionType) -> None:
    for direction, names, allowed in (("input", action.inputs, kind.inputs), ("output", action.outputs, kind.outputs)):
        count, low, high = len(names), allowed.start, allowed.stop - 1
        if count < low or count > high:
            which, limit = ("less than the minimum", low) if count < low else ("more than the maximum", high)
            raise InvalidActionDeclaration(
                f"Action name of {action.name} has {count} {direction} artifacts which is {which} {direction} "
                f"artifact count ({limit})"
            )
        if len(set(names)) < count:
            raise InvalidActionDeclaration(f"Action {action.name} names an {direction} artifact twice")


def _check_configuration(action: Action, kind: ActionType) -> None:
    given = set(action.configuration)
    if missing := sorted(kind.required - given):
        raise _missing(action, missing[0])
    if unknown := sorted(given - kind.required - kind.optional):
        raise InvalidActionDeclaration(
            f"Action configuration for action '{action.name}' contains unknown configuration '{unknown[0]}'"
        )
    for key, harmless in kind.refused.items():
        if action.configuration.get(key, next(iter(harmless))) not in harmless:
            raise NotImplementedError(f"{key} {action.configuration[key]} of action {action.name}")
    primary = action.configuration.get("PrimarySource")
    if primary is not None and primary not in action.inputs:
        raise InvalidActionDeclaration(
            f"PrimarySource {primary} of action {action.name} is none of its input artifacts"
        )
    if "CodeBuild" in action.type and len(action.inputs) > 1 and primary is None:
        raise _missing(action, "PrimarySource")


def _missing(action: Action, key: str) -> InvalidActionDeclaration:
    return InvalidActionDeclaration(
        f"Action configuration for action '{action.name}' is missing required configuration '{key}'"
    )


def _check_cloudformation(action: Action) -> None:
    mode = action.configuration["ActionMode"]
    if mode in CLOUDFORMATION_MODES_ABSENT:
        raise NotImplementedError(f"ActionMode {mode} of action {action.name}")
    if mode not in CLOUDFORMATION_MODES:
        raise InvalidActionDeclaration(
            f"ActionMode {mode} of action {action.name} is none of {', '.join(CLOUDFORMATION_MODES)}"
        )
    if missing := sorted(CLOUDFORMATION_MODES[mode] - set(action.configuration)):
        raise _missing(action, missing[0])
    for key in ("TemplatePath", "TemplateConfiguration"):
        if key in action.configuration:
            artifact, _, path = action.configuration[key].partition("::")
            if not path or artifact not in action.inputs:
                raise InvalidActionDeclaration(
                    f"{key} {action.configuration[key]} of action {action.name} is not InputArtifact::path"
                )
    if ("OutputFileName" in action.configuration) != bool(action.outputs):
        raise InvalidActionDeclaration(f"Action {action.name} needs both OutputFileName and an output artifact")


def environment_variables(action: str, text: str) -> dict[str, str]:
    """EnvironmentVariables of a CodeBuild action, which is a JSON list in a text.

    Raises:
        InvalidActionDeclaration: it is none.
        NotImplementedError: a variable comes from Parameter Store or Secrets Manager.
    """
    try:
        variables: Any = json.loads(text)
    except ValueError as error:
        raise InvalidActionDeclaration(f"EnvironmentVariables of action {action} is not valid JSON: {error}") from error
    if not isinstance(variables, list) or not all(_is_variable(one) for one in variables):
        raise InvalidActionDeclaration(
            f"EnvironmentVariables of action {action} is not a list of objects with name and value, both text"
        )
    for variable in variables:
        if variable.get("type", "PLAINTEXT") != "PLAINTEXT":
            raise NotImplementedError(f"environment variable {variable['name']} of type {variable['type']}")
    return {variable["name"]: variable["value"] for variable in variables}


def _is_variable(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("value"), str)


def refuse_unemulated(declared: Mapping[str, Any]) -> None:
    """Refuse members of an action, as the API writes it, that belong to types that do not run here."""
    for member in _OF_COMPUTE:
        if declared.get(member):
            raise NotImplementedError(f"{member} of action {declared['name']}")
    if any(artifact.get("files") for artifact in declared["outputArtifacts"]):
        raise NotImplementedError(f"files of the output artifacts of action {declared['name']}")
