"""What CodePipeline refuses of a pipeline's structure, and what it has and is not emulated.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-requirements.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from localaws.pipelines.action_rules import check_action
from localaws.pipelines.definition import EXECUTION_ID, Definition, Stage
from localaws.pipelines.errors import InvalidActionDeclaration, InvalidStageDeclaration, InvalidStructure

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_VARIABLE = re.compile(r"#\{[A-Za-z0-9@_-]+\.[A-Za-z0-9@_-]+\}")
_OF_STAGES = ("blockers", "onFailure", "onSuccess", "beforeEntry")
_OF_ACTIONS = ("namespace", "commands", "environmentVariables", "outputVariables")


def check(definition: Definition) -> None:
    """Check a structure that keeps to the constraints of the service's model.

    Raises:
        InvalidStructure: the pipeline as a whole is wrong.
        InvalidStageDeclaration: a stage is.
        InvalidActionDeclaration: an action is.
        NotImplementedError: CodePipeline has it, and it is not emulated.
    """
    _refuse_unemulated(definition)
    _check_stores(definition)
    _check_stages(definition.stages)
    for action in definition.actions:
        check_action(action, definition)
    _check_artifacts(definition)
    _check_variables(definition)


def _check_stores(definition: Definition) -> None:
    declared = definition.declared
    if ("artifactStore" in declared) == ("artifactStores" in declared):
        raise InvalidStructure("The pipeline must contain either artifactStore or artifactStores, but not both")
    if definition.region not in definition.stores:
        raise InvalidStructure(
            f"The pipeline does not contain an artifact store for the region of the pipeline: {definition.region}"
        )
    for store in definition.stores.values():
        if not _BUCKET.fullmatch(store.bucket):
            raise InvalidStructure(f"The artifact store {store.bucket} is not the name of an S3 bucket")


def _check_stages(stages: tuple[Stage, ...]) -> None:
    if len(stages) < 2:
        raise InvalidStructure(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if twice := _repeated(stage.name for stage in stages):
        raise InvalidStageDeclaration(f"Stage names must be unique within a pipeline: {twice} occurs more than once")
    for index, stage in enumerate(stages):
        if not stage.actions:
            raise InvalidStageDeclaration(f"Stage {stage.name} must have at least one action")
        if twice := _repeated(action.name for action in stage.actions):
            raise InvalidActionDeclaration(
                f"Action names must be unique within a stage: {twice} occurs more than once in {stage.name}"
            )
        sources = [action.category == "Source" for action in stage.actions]
        if index == 0 and not all(sources):
            raise InvalidStructure("Pipeline should start with a stage that only contains source actions")
        if index > 0 and any(sources):
            raise InvalidStructure(f"Only the first stage can contain source actions, which stage {stage.name} does")


def _check_artifacts(definition: Definition) -> None:
    """Artifacts are produced once, and consumed by later stages or, in a stage, by actions of a higher run order."""
    if twice := _repeated(name for action in definition.actions for name in action.outputs):
        raise InvalidActionDeclaration(
            f"Output Artifact Bundle name must be unique within the pipeline. {twice} has been used more than once."
        )
    produced: set[str] = set()
    for stage in definition.stages:
        for action in stage.actions:
            beside = {name for other in stage.actions if other.run_order < action.run_order for name in other.outputs}
            if missing := [name for name in action.inputs if name not in produced | beside]:
                raise InvalidActionDeclaration(
                    f"Input Artifact Bundle {missing[0]} in action {action.name} is not declared as Output Artifact "
                    "Bundle in any of the preceding actions"
                )
        produced |= {name for action in stage.actions for name in action.outputs}


def _check_variables(definition: Definition) -> None:
    for action in definition.actions:
        found = {name for value in action.configuration.values() for name in _VARIABLE.findall(value)}
        if unknown := sorted(found - {EXECUTION_ID}):
            raise InvalidActionDeclaration(
                f"Action {action.name} references the variable {unknown[0]}, which no preceding action and no variable "
                "of the pipeline provides"
            )


def _refuse_unemulated(definition: Definition) -> None:
    declared: Mapping[str, Any] = definition.declared
    if declared.get("executionMode", "SUPERSEDED") == "PARALLEL":
        raise NotImplementedError("executionMode PARALLEL")
    if declared.get("executionMode") == "QUEUED" and declared.get("pipelineType") != "V2":
        raise InvalidStructure("The execution mode QUEUED requires the pipeline type V2")
    for member in ("triggers", "variables"):
        if declared.get(member):
            raise NotImplementedError(f"{member} of a pipeline")
    for stage in declared["stages"]:
        for member in _OF_STAGES:
            if stage.get(member):
                raise NotImplementedError(f"{member} of stage {stage['name']}")
        for action in stage["actions"]:
            for member in _OF_ACTIONS:
                if action.get(member):
                    raise NotImplementedError(f"{member} of action {action['name']}")
            if any(artifact.get("files") for artifact in action.get("outputArtifacts", ())):
                raise NotImplementedError(f"files of the output artifacts of action {action['name']}")


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
