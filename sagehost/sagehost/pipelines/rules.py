"""What CodePipeline refuses of a pipeline's structure and of a single action, and what it has and is not emulated.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-requirements.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sagehost.pipelines.definition import EXECUTION_ID, Action, Definition, InvalidDefinition, Stage, TypeId

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_VARIABLE = re.compile(r"#\{[A-Za-z0-9@_-]+\.[A-Za-z0-9@_-]+\}")
_NOT_EMULATED = {
    "a pipeline": "Triggers Variables DisableInboundStageTransitions",
    "stage": "Blockers OnFailure OnSuccess BeforeEntry",
    "action": "Namespace Commands EnvironmentVariables OutputVariables TimeoutInMinutes",
    "the output artifacts of action": "Files",
}
"""Members that CodePipeline has."""


def check(definition: Definition) -> None:
    """Check a structure that keeps to the resource's schema.

    Raises:
        InvalidDefinition: CodePipeline refuses it.
        NotImplementedError: CodePipeline has it, and it is not emulated.
    """
    _refuse_unemulated(definition.declared)
    _check_stores(definition)
    _check_stages(definition.stages)
    for action in definition.actions:
        _check_action(action, definition)
    _check_artifacts(definition)
    _check_variables(definition)


def _wrong(message: str) -> InvalidDefinition:
    return InvalidDefinition("InvalidStructureException", message)


def _check_stores(definition: Definition) -> None:
    declared = definition.declared
    if ("ArtifactStore" in declared) == ("ArtifactStores" in declared):
        raise _wrong("The pipeline must contain either artifactStore or artifactStores, but not both")
    if definition.region not in definition.stores:
        raise _wrong(
            f"The pipeline does not contain an artifact store for the region of the pipeline: {definition.region}"
        )
    for store in definition.stores.values():
        if not _BUCKET.fullmatch(store.bucket):
            raise _wrong(f"The artifact store {store.bucket} is not the name of an S3 bucket")
    if declared.get("ExecutionMode") == "QUEUED" and declared.get("PipelineType") != "V2":
        raise _wrong("The execution mode QUEUED requires the pipeline type V2")


def _check_stages(stages: tuple[Stage, ...]) -> None:
    if len(stages) < 2:
        raise _wrong(f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline")
    if twice := _repeated(stage.name for stage in stages):
        message = f"Stage names must be unique within a pipeline: {twice} occurs more than once"
        raise InvalidDefinition("InvalidStageDeclarationException", message)
    for index, stage in enumerate(stages):
        if not stage.actions:
            message = f"Stage {stage.name} must have at least one action"
            raise InvalidDefinition("InvalidStageDeclarationException", message)
        if twice := _repeated(action.name for action in stage.actions):
            raise _wrong_action(
                f"Action names must be unique within a stage: {twice} occurs more than once in {stage.name}"
            )
        sources = [action.category == "Source" for action in stage.actions]
        if index == 0 and not all(sources):
            raise _wrong("Pipeline should start with a stage that only contains source actions")
        if index > 0 and any(sources):
            raise _wrong(f"Only the first stage can contain source actions, which stage {stage.name} does")


def _check_artifacts(definition: Definition) -> None:
    """Artifacts are produced once, and consumed by later stages or, in a stage, by actions of a higher run order."""
    if twice := _repeated(name for action in definition.actions for name in action.outputs):
        raise _wrong_action(
            f"Output Artifact Bundle name must be unique within the pipeline. {twice} has been used more than once."
        )
    made: set[str] = set()
    for stage in definition.stages:
        for action in stage.actions:
            before = {name for one in stage.actions if one.run_order < action.run_order for name in one.outputs}
            if missing := [name for name in action.inputs if name not in made | before]:
                raise _wrong_action(
                    f"Input Artifact Bundle {missing[0]} in action {action.name} is not declared as Output Artifact "
                    "Bundle in any of the preceding actions"
                )
        made |= {name for action in stage.actions for name in action.outputs}


def _check_variables(definition: Definition) -> None:
    for action in definition.actions:
        found = {name for value in action.configuration.values() for name in _VARIABLE.findall(value)}
        if unknown := sorted(found - {EXECUTION_ID}):
            raise _wrong_action(
                f"Action {action.name} references the variable {unknown[0]}, which no preceding action and no variable "
                "of the pipeline provides"
            )


def _refuse_unemulated(declared: Mapping[str, Any]) -> None:
    if declared.get("ExecutionMode") == "PARALLEL":
        raise NotImplementedError("executionMode PARALLEL")
    actions = [action for stage in declared["Stages"] for action in stage["Actions"]]
    artifacts = [(action["Name"], one) for action in actions for one in action.get("OutputArtifacts", ())]
    for kind, name, part in (
        ("a pipeline", "", declared),
        *(("stage", stage["Name"], stage) for stage in declared["Stages"]),
        *(("action", action["Name"], action) for action in actions),
        *(("the output artifacts of action", *artifact) for artifact in artifacts),
    ):
        for member in _NOT_EMULATED[kind].split():
            if part.get(member):
                raise NotImplementedError(f"{member} of {kind} {name}".rstrip())


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


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


def _wrong_action(message: str) -> InvalidDefinition:
    """An action is refused."""
    return InvalidDefinition("InvalidActionDeclarationException", message)


def _check_action(action: Action, definition: Definition) -> None:
    """Check an action by itself."""
    kind = _TYPES.get(action.type)
    if kind is None:
        raise NotImplementedError(f"action {action.name} of {', '.join(action.type)}")
    _check_counts(action, kind)
    _check_configuration(action, kind)
    if action.region not in definition.stores:
        raise _wrong_action(
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
            raise _wrong_action(
                f"Action name of {action.name} has {count} {direction} artifacts which is {which} {direction} "
                f"artifact count ({limit})"
            )
        if len(set(names)) < count:
            raise _wrong_action(f"Action {action.name} names an {direction} artifact twice")


def _check_configuration(action: Action, kind: _ActionType) -> None:
    _require(action, kind.required)
    known = f"{kind.required} {kind.optional} {kind.not_emulated}".split()
    if unknown := sorted(set(action.configuration).difference(known)):
        raise _wrong_action(
            f"Action configuration for action '{action.name}' contains unknown configuration '{unknown[0]}'"
        )
    for key in sorted(set(action.configuration).intersection(kind.not_emulated.split())):
        raise NotImplementedError(f"{key} {action.configuration[key]} of action {action.name}")
    primary = action.configuration.get("PrimarySource")
    if primary is not None and primary not in action.inputs:
        raise _wrong_action(f"PrimarySource {primary} of action {action.name} is none of its input artifacts")
    if "CodeBuild" in action.type and len(action.inputs) > 1:
        _require(action, "PrimarySource")


def _require(action: Action, keys: str) -> None:
    if missing := sorted(set(keys.split()).difference(action.configuration)):
        raise _wrong_action(
            f"Action configuration for action '{action.name}' is missing required configuration '{missing[0]}'"
        )


def _check_cloudformation(action: Action) -> None:
    mode = action.configuration["ActionMode"]
    if mode not in _MODES:
        emulated = [name for name, keys in _MODES.items() if keys]
        raise _wrong_action(f"ActionMode {mode} of action {action.name} is none of {', '.join(emulated)}")
    if (keys := _MODES[mode]) is None:
        raise NotImplementedError(f"ActionMode {mode} of action {action.name}")
    _require(action, keys)
    template = action.configuration.get("TemplatePath", "")
    artifact, _, path = template.partition("::")
    if template and (not path or artifact not in action.inputs):
        raise _wrong_action(f"TemplatePath {template} of action {action.name} is not InputArtifact::path")


def _check_environment_variables(action: Action) -> None:
    try:
        variables: Any = json.loads(action.configuration.get("EnvironmentVariables", "[]"))
    except ValueError as error:
        raise _wrong_action(f"EnvironmentVariables of action {action.name} is not valid JSON: {error}") from error
    if not isinstance(variables, list) or not all(_is_variable(one) for one in variables):
        raise _wrong_action(
            f"EnvironmentVariables of action {action.name} is not a list of objects with name and value, both text"
        )
    for variable in variables:
        if variable.get("type", "PLAINTEXT") != "PLAINTEXT":
            raise NotImplementedError(f"environment variable {variable['name']} of type {variable['type']}")


def _is_variable(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("value"), str)
