"""What CodePipeline refuses of a pipeline's structure, and what it takes but does not run here.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-requirements.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localaws.codepipeline.action_rules import check_action, refuse_unemulated
from localaws.codepipeline.definition import Action, Definition, Stage
from localaws.codepipeline.errors import InvalidActionDeclaration, InvalidStageDeclaration, InvalidStructure
from localaws.codepipeline.variables import OWN_NAMESPACE, references

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_STAGE_CONDITIONS = ("blockers", "onFailure", "onSuccess", "beforeEntry")


def check(definition: Definition) -> None:
    """Check a structure that keeps to the constraints of the service's model.

    Raises:
        InvalidStructure: the pipeline as a whole is wrong.
        InvalidStageDeclaration: a stage is.
        InvalidActionDeclaration: an action is.
        NotImplementedError: CodePipeline has it, and it does not run here.
    """
    _check_stores(definition)
    _check_stages(definition.stages)
    for action in _actions(definition):
        check_action(action, definition)
    _check_artifacts(definition)
    _check_namespaces(definition)
    _refuse_unemulated(definition)


def _actions(definition: Definition) -> Iterator[Action]:
    return (action for stage in definition.stages for action in stage.actions)


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
    if twice := _repeated(name for action in _actions(definition) for name in action.outputs):
        raise InvalidActionDeclaration(
            f"Output Artifact Bundle name must be unique within the pipeline. {twice} has been used more than once."
        )
    for action, earlier in _with_predecessors(definition):
        produced = {name for before in earlier for name in before.outputs}
        if missing := [name for name in action.inputs if name not in produced]:
            raise InvalidActionDeclaration(
                f"Input Artifact Bundle {missing[0]} in action {action.name} is not declared as Output Artifact Bundle "
                "in any of the preceding actions"
            )


def _check_namespaces(definition: Definition) -> None:
    named = [action for action in _actions(definition) if action.namespace]
    if twice := _repeated(str(action.namespace) for action in named):
        places = [
            f"StageName=[{action.stage}], ActionName=[{action.name}], Namespace=[{twice}]"
            for action in named
            if action.namespace == twice
        ]
        raise InvalidActionDeclaration(
            "Namespaces must be unique across the pipeline definition. The following occur more than once in the "
            "pipeline.\n" + "\n".join(places)
        )
    for action, earlier in _with_predecessors(definition):
        known = {before.namespace for before in earlier} | {OWN_NAMESPACE}
        for namespace, key in references(action.configuration.values()):
            if namespace not in known:
                raise InvalidActionDeclaration(
                    f"Action {action.name} references the variable #{{{namespace}.{key}}}, which no preceding action "
                    "provides"
                )


def _with_predecessors(definition: Definition) -> Iterator[tuple[Action, list[Action]]]:
    """Each action, and those that have succeeded when it starts."""
    before: list[Action] = []
    for stage in definition.stages:
        for action in stage.actions:
            yield action, before + [other for other in stage.actions if other.run_order < action.run_order]
        before += stage.actions


def _refuse_unemulated(definition: Definition) -> None:
    declared: Mapping[str, Any] = definition.declared
    if definition.mode == "PARALLEL":
        raise NotImplementedError("executionMode PARALLEL")
    if definition.mode == "QUEUED" and declared["pipelineType"] != "V2":
        raise InvalidStructure("The execution mode QUEUED requires the pipeline type V2")
    for member in ("triggers", "variables"):
        if declared.get(member):
            raise NotImplementedError(f"{member} of a pipeline")
    for stage in declared["stages"]:
        for member in _STAGE_CONDITIONS:
            if stage.get(member):
                raise NotImplementedError(f"{member} of stage {stage['name']}")
        for action in stage["actions"]:
            refuse_unemulated(action)


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
