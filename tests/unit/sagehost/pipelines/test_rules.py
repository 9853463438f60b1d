"""What CodePipeline refuses of a pipeline, by its errors, and what is not emulated, by name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sagehost.pipelines.definition import InvalidDefinition
from sagehost.pipelines.rules import check
from tests.unit.sagehost.pipelines.structures import (
    BUCKET,
    action,
    approval,
    build,
    definition,
    deployment,
    pipeline,
    source,
    stage,
)

STORE = {"Type": "S3", "Location": BUCKET}
CODE = [{"Name": "Code"}]
UNNAMED = {key: value for key, value in deployment()["Configuration"].items() if key != "ChangeSetName"}


def project(**configuration: str) -> dict[str, Any]:
    """A build with this configuration besides its project."""
    return build(Configuration={"ProjectName": "p", **configuration})


STRUCTURE: dict[str, tuple[dict[str, Any], str]] = {
    "one stage": (
        {"Stages": [stage("Source", source())]},
        r"Pipeline has only 1 stage\(s\). There should be a minimum of 2 stages in a pipeline",
    ),
    "a first stage that does other things too": (
        {"Stages": [stage("Source", source(), approval()), stage("Build", build())]},
        "should start with a stage that only contains source actions",
    ),
    "a source in a later stage": (
        {"Stages": [stage("Source", source()), stage("More", source("Second", "Other"))]},
        "Only the first stage can contain source actions, which stage More does",
    ),
    "both kinds of artifact stores": (
        {"ArtifactStores": [{"Region": "us-east-1", "ArtifactStore": STORE}]},
        "either artifactStore or",
    ),
    "a store that is no bucket": ({"ArtifactStore": {"Type": "S3", "Location": "A"}}, "is not the name of an S3"),
    "a queue of type V1": ({"PipelineType": "V1", "ExecutionMode": "QUEUED"}, "requires the pipeline type V2"),
}

ACTIONS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "two actions of one name": ([build(), build()], "Build occurs more than once in Build"),
    "an input that nothing makes": (
        [build(inputs="Gone")],
        "Input Artifact Bundle Gone in action Build is not declared as Output Artifact Bundle in any of the preceding",
    ),
    "an input that is made beside it": (
        [build("First", outputs="Made"), build("Second", inputs="Made")],
        "Input Artifact Bundle Made in action Second",
    ),
    "an output that is made twice": (
        [build("First", outputs="Made"), build("Second", outputs="Made")],
        "must be unique within the pipeline. Made has been used more than once",
    ),
    "a build without input": (
        [build(inputs="")],
        r"has 0 input artifacts which is less than the minimum input artifact count \(1\)",
    ),
    "an approval with output": (
        [approval(OutputArtifacts=[{"Name": "Answer"}])],
        r"has 1 output artifacts which is more than the maximum output artifact count \(0\)",
    ),
    "missing configuration": ([build(Configuration={})], "is missing required configuration 'ProjectName'"),
    "unknown configuration": ([project(ProjectNmae="p")], "contains unknown configuration 'ProjectNmae'"),
    "two inputs and no primary one": (
        [
            build("First", outputs="B"),
            build(inputs="Code B", RunOrder=2, Configuration={"ProjectName": "p"}),
        ],
        "is missing required configuration 'PrimarySource'",
    ),
    "a primary source that is no input": ([project(PrimarySource="Gone")], "Gone of action Build is none of its input"),
    "environment variables that are no JSON": (
        [project(EnvironmentVariables="A=1")],
        "EnvironmentVariables of action Build is not valid JSON",
    ),
    "environment variables that are no list": (
        [project(EnvironmentVariables='{"A": "1"}')],
        "is not a list of objects with name and value",
    ),
    "a variable of no action": (
        [project(EnvironmentVariables='[{"name": "A", "value": "#{Gone.Value}"}]')],
        r"references the variable #\{Gone.Value\}, which no preceding action",
    ),
    "a region without store": ([build(Region="eu-west-1")], "runs in eu-west-1, for which"),
    "an unknown mode": ([deployment(ActionMode="CREATE")], "ActionMode CREATE of action Deploy is none"),
    "a change set without name": (
        [action("Deploy", "Deploy", "CloudFormation", Configuration=UNNAMED, InputArtifacts=CODE)],
        "is missing required configuration 'ChangeSetName'",
    ),
    "a template of no input artifact": (
        [deployment(TemplatePath="Gone::template.json")],
        "TemplatePath Gone::template.json of action Deploy is not InputArtifact::path",
    ),
}

NOT_HERE: dict[str, tuple[dict[str, Any], str]] = {
    "PARALLEL": ({"ExecutionMode": "PARALLEL"}, "executionMode PARALLEL"),
    "triggers": ({"Triggers": [{"ProviderType": "CodeStarSourceConnection"}]}, "Triggers of a pipeline"),
    "variables of the pipeline": ({"Variables": [{"Name": "colour"}]}, "Variables of a pipeline"),
    "a roll-back": (
        {"Stages": [stage("Source", source()), stage("Build", build(), OnFailure={"Result": "ROLLBACK"})]},
        "OnFailure of stage Build",
    ),
    **{
        title: ({"Stages": [stage("Source", source()), stage("Build", one)]}, message)
        for title, one, message in (
            ("another provider", action("Call", "Invoke", "Lambda"), "action Call of Invoke, AWS, Lambda, 1"),
            ("a batch build", project(BatchEnabled="true"), "BatchEnabled true of action Build"),
            ("a namespace", build(Namespace="N"), "Namespace of action Build"),
            ("a mode that uses no change set", deployment(ActionMode="CREATE_UPDATE"), "ActionMode CREATE_UPDATE"),
            ("parameter overrides", deployment(ParameterOverrides="{}"), "ParameterOverrides {} of action Deploy"),
            ("a topic of an approval", approval(Configuration={"NotificationArn": "arn"}), "NotificationArn arn"),
            (
                "a secret",
                project(EnvironmentVariables='[{"name": "A", "value": "b", "type": "SECRETS_MANAGER"}]'),
                "environment variable A of type SECRETS_MANAGER",
            ),
        )
    },
}


def assert_refused(declared: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(definition(declared))
    assert refused.value.code == code
    assert re.search(message, str(refused.value)), refused.value


@pytest.mark.parametrize("case", STRUCTURE)
def test_an_invalid_pipeline_structure_is_refused(case: str) -> None:
    members, message = STRUCTURE[case]
    assert_refused({**pipeline(), **members}, "InvalidStructureException", message)


def test_a_pipeline_needs_a_store_in_its_own_region() -> None:
    declared = pipeline(ArtifactStores=[{"Region": "eu-west-1", "ArtifactStore": STORE}])
    del declared["ArtifactStore"]
    assert_refused(declared, "InvalidStructureException", "region of the pipeline: us-east-1")


def test_two_stages_of_one_name_are_refused() -> None:
    declared = pipeline(stage("Build", build()), stage("Build", build("Again")))
    assert_refused(declared, "InvalidStageDeclarationException", "Build occurs more than once")


@pytest.mark.parametrize("case", ACTIONS)
def test_an_invalid_action_is_refused(case: str) -> None:
    actions, message = ACTIONS[case]
    assert_refused(pipeline(stage("Build", *actions)), "InvalidActionDeclarationException", message)


@pytest.mark.parametrize("case", NOT_HERE)
def test_what_is_not_emulated_is_refused_by_name(case: str) -> None:
    members, message = NOT_HERE[case]
    with pytest.raises(NotImplementedError, match=message):
        check(definition({**pipeline(), **members}))


def test_a_valid_pipeline_passes() -> None:
    deploys = [deployment(), deployment("Execute", ActionMode="CHANGE_SET_EXECUTE")]
    check(definition(pipeline(stage("Build", build(outputs="Made")), stage("Deploy", approval(), *deploys))))
