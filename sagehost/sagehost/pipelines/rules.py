"""What CodePipeline refuses of a pipeline's structure, and what it has and is not emulated.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-requirements.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sagehost.pipelines.action_rules import check_action, wrong_action
from sagehost.pipelines.definition import EXECUTION_ID, Definition, InvalidDefinition, Stage

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
        check_action(action, definition)
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
            raise wrong_action(
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
        raise wrong_action(
            f"Output Artifact Bundle name must be unique within the pipeline. {twice} has been used more than once."
        )
    made: set[str] = set()
    for stage in definition.stages:
        for action in stage.actions:
            before = {name for one in stage.actions if one.run_order < action.run_order for name in one.outputs}
            if missing := [name for name in action.inputs if name not in made | before]:
                raise wrong_action(
                    f"Input Artifact Bundle {missing[0]} in action {action.name} is not declared as Output Artifact "
                    "Bundle in any of the preceding actions"
                )
        made |= {name for action in stage.actions for name in action.outputs}


def _check_variables(definition: Definition) -> None:
    for action in definition.actions:
        found = {name for value in action.configuration.values() for name in _VARIABLE.findall(value)}
        if unknown := sorted(found - {EXECUTION_ID}):
            raise wrong_action(
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
