"""What CodePipeline refuses of a pipeline, by its exceptions, and what does not run here, by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.localaws.codepipeline.structures import (
    BUCKET,
    action,
    approval,
    build,
    deployment,
    pipeline,
    source,
    stage,
)

if TYPE_CHECKING:
    from tests.unit.localaws.codepipeline.accounts import Account, Actions

STORE = {"type": "S3", "location": BUCKET}
CODE = [{"name": "Code"}]
UNNAMED = {key: value for key, value in deployment()["configuration"].items() if key != "ChangeSetName"}
VARIABLES = '[{"name": "A", "value": "#{Gone.Value}"}]'

STRUCTURE: dict[str, tuple[dict[str, Any], str]] = {
    "one stage": (
        {"stages": [stage("Source", source())]},
        r"Pipeline has only 1 stage\(s\). There should be a minimum of 2 stages in a pipeline",
    ),
    "a first stage that does other things too": (
        {"stages": [stage("Source", source(), approval()), stage("Build", build())]},
        "should start with a stage that only contains source actions",
    ),
    "a source in a later stage": (
        {"stages": [stage("Source", source()), stage("More", source("Second", "Other"))]},
        "Only the first stage can contain source actions, which stage More does",
    ),
    "both kinds of artifact stores": ({"artifactStores": {"us-east-1": STORE}}, "either artifactStore or"),
    "no store in the pipeline's region": (
        {"artifactStore": None, "artifactStores": {"eu-west-1": STORE}},
        "region of the pipeline: us-east-1",
    ),
    "a queue of type V1": ({"pipelineType": "V1", "executionMode": "QUEUED"}, "requires the pipeline type V2"),
    "a role that does not exist": (
        {"roleArn": "arn:aws:iam::111111111111:role/gone"},
        "CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::111111111111:role/gone",
    ),
}

STAGES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "two stages of one name": (
        [stage("Build", build()), stage("Build", build("Again"))],
        "Build occurs more than once",
    ),
}

ACTIONS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "two actions of one name": ([stage("Build", build(), build())], "Build occurs more than once in Build"),
    "an input that nothing makes": (
        [stage("Build", build(inputs="Gone"))],
        "Input Artifact Bundle Gone in action Build is not declared as Output Artifact Bundle in any of the preceding",
    ),
    "an input that is made beside it": (
        [stage("Build", build("First", outputs="Made"), build("Second", inputs="Made"))],
        "Input Artifact Bundle Made in action Second",
    ),
    "an output that is made twice": (
        [stage("Build", build("First", outputs="Made"), build("Second", outputs="Made"))],
        "must be unique within the pipeline. Made has been used more than once",
    ),
    "an unknown type": (
        [stage("Build", action("Build", "Build", "CodeBulid"))],
        r"Provider: 'CodeBulid', Owner: 'AWS', Version: '1'\) in action 'Build' is not available in region US_EAST_1",
    ),
    "a build without input": (
        [stage("Build", build(inputs=""))],
        r"has 0 input artifacts which is less than the minimum input artifact count \(1\)",
    ),
    "an approval with output": (
        [stage("Gate", approval(outputArtifacts=[{"name": "Answer"}]))],
        r"has 1 output artifacts which is more than the maximum output artifact count \(0\)",
    ),
    "missing configuration": (
        [stage("Build", build(configuration={}))],
        "Action configuration for action 'Build' is missing required configuration 'ProjectName'",
    ),
    "unknown configuration": (
        [stage("Build", build(configuration={"ProjectName": "p", "ProjectNmae": "p"}))],
        "Action configuration for action 'Build' contains unknown configuration 'ProjectNmae'",
    ),
    "two inputs and no primary one": (
        [
            stage(
                "Build",
                build("First", outputs="B"),
                build(inputs="Code B", runOrder=2, configuration={"ProjectName": "p"}),
            )
        ],
        "is missing required configuration 'PrimarySource'",
    ),
    "a primary source that is no input": (
        [stage("Build", build(configuration={"ProjectName": "p", "PrimarySource": "Gone"}))],
        "PrimarySource Gone of action Build is none of its input artifacts",
    ),
    "environment variables that are no JSON": (
        [stage("Build", build(configuration={"ProjectName": "p", "EnvironmentVariables": "A=1"}))],
        "EnvironmentVariables of action Build is not valid JSON",
    ),
    "environment variables that are no list": (
        [stage("Build", build(configuration={"ProjectName": "p", "EnvironmentVariables": '{"A": "1"}'}))],
        "is not a list of objects with name and value",
    ),
    "a namespace used twice": (
        [stage("Build", build("First", namespace="N"), build("Second", namespace="N"))],
        r"occur more than once in the pipeline.\nStageName=\[Build\], ActionName=\[First\], Namespace=\[N\]",
    ),
    "a variable of no action": (
        [stage("Build", build(configuration={"ProjectName": "p", "EnvironmentVariables": VARIABLES}))],
        r"references the variable #\{Gone.Value\}, which no preceding action",
    ),
    "a time limit of a build": ([stage("Build", build(timeoutInMinutes=10))], "which only manual approvals can have"),
    "a region without store": ([stage("Build", build(region="eu-west-1"))], "runs in eu-west-1, for which"),
    "an unknown mode": (
        [stage("Deploy", deployment(ActionMode="CREATE"))],
        "ActionMode CREATE of action Deploy is none",
    ),
    "a change set without name": (
        [stage("Deploy", action("Deploy", "Deploy", "CloudFormation", configuration=UNNAMED, inputArtifacts=CODE))],
        "is missing required configuration 'ChangeSetName'",
    ),
    "a template of no input artifact": (
        [stage("Deploy", deployment(TemplatePath="Gone::template.json"))],
        "TemplatePath Gone::template.json of action Deploy is not InputArtifact::path",
    ),
    "an output artifact without a file": (
        [stage("Deploy", {**deployment(), "outputArtifacts": [{"name": "Outputs"}]})],
        "needs both OutputFileName and an output artifact",
    ),
}

CONDITION = {"conditions": [{"result": "FAIL"}]}
NOT_HERE: dict[str, tuple[dict[str, Any], str]] = {
    "PARALLEL": ({"executionMode": "PARALLEL"}, "executionMode PARALLEL"),
    "triggers": (
        {
            "triggers": [
                {
                    "providerType": "CodeStarSourceConnection",
                    "gitConfiguration": {"sourceActionName": "Source", "push": [{"branches": {"includes": ["main"]}}]},
                }
            ]
        },
        "triggers of a pipeline",
    ),
    "variables of the pipeline": ({"variables": [{"name": "colour"}]}, "variables of a pipeline"),
    **{
        f"{key} of a deployment": (
            {"stages": [stage("Source", source()), stage("Deploy", deployment(**{key: value}))]},
            f"{key} {value} of action Deploy",
        )
        for key, value in {
            "ActionMode": "CREATE_UPDATE",
            "ParameterOverrides": '{"A": "B"}',
            "OutputFileName": "outputs.json",
        }.items()
    },
    "a topic of an approval": (
        {"stages": [stage("Source", source()), stage("Gate", approval(configuration={"NotificationArn": "arn"}))]},
        "NotificationArn arn of action Approve",
    ),
    "conditions": (
        {"stages": [stage("Source", source()), stage("Build", build(), beforeEntry=CONDITION)]},
        "beforeEntry of stage Build",
    ),
    "a roll-back": (
        {"stages": [stage("Source", source()), stage("Build", build(), onFailure={"result": "ROLLBACK"})]},
        "onFailure of stage Build",
    ),
    "another provider": (
        {"stages": [stage("Source", source()), stage("Build", action("Call", "Invoke", "Lambda"))]},
        "action Call of provider Lambda",
    ),
    "a batch build": (
        {
            "stages": [
                stage("Source", source()),
                stage("Build", build(configuration={"ProjectName": "p", "BatchEnabled": "true"})),
            ]
        },
        "BatchEnabled true of action Build",
    ),
    "a full clone": (
        {
            "stages": [
                stage(
                    "Source",
                    source(configuration=source()["configuration"] | {"OutputArtifactFormat": "CODEBUILD_CLONE_REF"}),
                ),
                stage("Build", build()),
            ]
        },
        "OutputArtifactFormat CODEBUILD_CLONE_REF of action Source",
    ),
    "a secret": (
        {
            "stages": [
                stage("Source", source()),
                stage(
                    "Build",
                    build(
                        configuration={
                            "ProjectName": "p",
                            "EnvironmentVariables": '[{"name": "A", "value": "b", "type": "SECRETS_MANAGER"}]',
                        }
                    ),
                ),
            ]
        },
        "environment variable A of type SECRETS_MANAGER",
    ),
}


def refused(account: Account, declared: dict[str, Any]) -> ClientError:
    """What creating it is refused with; updating a good pipeline to it is refused alike."""
    complete = {
        key: value for key, value in {"roleArn": account.pipeline_role, **declared}.items() if value is not None
    }
    with pytest.raises(ClientError) as created:
        account.codepipeline.create_pipeline(pipeline=complete)
    account.create()
    with pytest.raises(ClientError) as updated:
        account.codepipeline.update_pipeline(pipeline=complete)
    assert str(updated.value).partition(":")[2] == str(created.value).partition(":")[2]
    assert account.codepipeline.get_pipeline(name="pipeline")["pipeline"]["version"] == 1
    error: ClientError = created.value
    return error


def assert_refused(error: ClientError, code: str, message: str) -> None:
    assert error.response["Error"]["Code"] == code
    assert re.search(message, error.response["Error"]["Message"]), error


@pytest.mark.parametrize("case", STRUCTURE)
def test_a_wrong_structure_is_refused(account: Account, actions: Actions, case: str) -> None:
    members, message = STRUCTURE[case]
    declared = {**pipeline(), "roleArn": account.pipeline_role, **members}
    assert_refused(refused(account, declared), "InvalidStructureException", message)


@pytest.mark.parametrize("case", STAGES)
def test_a_wrong_stage_is_refused(account: Account, actions: Actions, case: str) -> None:
    stages, message = STAGES[case]
    declared = pipeline(*stages, roleArn=account.pipeline_role)
    assert_refused(refused(account, declared), "InvalidStageDeclarationException", message)


@pytest.mark.parametrize("case", ACTIONS)
def test_a_wrong_action_is_refused(account: Account, actions: Actions, case: str) -> None:
    stages, message = ACTIONS[case]
    declared = pipeline(*stages, roleArn=account.pipeline_role)
    assert_refused(refused(account, declared), "InvalidActionDeclarationException", message)


@pytest.mark.filterwarnings("ignore:Exception._Failure. with code NotImplemented does not match")
@pytest.mark.parametrize("case", NOT_HERE)
def test_what_does_not_run_here_is_refused_by_name(account: Account, actions: Actions, case: str) -> None:
    members, message = NOT_HERE[case]
    declared = {**pipeline(), "roleArn": account.pipeline_role, **members}
    assert_refused(refused(account, declared), "NotImplemented", rf"{message} \(not emulated\)")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"name": "no spaces"}, "Value 'no spaces' at 'pipeline.name' failed to satisfy constraint"),
        ({"roleArn": "role"}, "Value 'role' at 'pipeline.roleArn' failed to satisfy constraint"),
        ({"executionMode": "FAST"}, "Member must satisfy enum value set: "),
    ],
)
def test_what_breaks_the_services_model_is_refused(
    account: Account, actions: Actions, members: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError) as refusal:
        account.create(**members)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert message in refusal.value.response["Error"]["Message"]


def test_a_name_is_given_once(account: Account, actions: Actions) -> None:
    account.create()
    with pytest.raises(ClientError) as refusal:
        account.create()
    assert refusal.value.response["Error"]["Code"] == "PipelineNameInUseException"


def test_what_is_not_said_has_codepipelines_defaults(account: Account, actions: Actions) -> None:
    account.create()
    shown = account.codepipeline.get_pipeline(name="pipeline")
    assert shown["pipeline"]["executionMode"] == "SUPERSEDED"
    assert shown["pipeline"]["stages"][1]["actions"][0]["runOrder"] == 1
    assert shown["metadata"]["pipelineArn"] == f"arn:aws:codepipeline:us-east-1:{account.id}:pipeline"


def test_earlier_versions_can_be_shown(account: Account, actions: Actions) -> None:
    account.create()
    account.update(stage("Other", build("Other")))
    shown = account.codepipeline.get_pipeline
    names = [shown(name="pipeline", version=number)["pipeline"]["stages"][1]["name"] for number in (1, 2)]
    assert names == ["Build", "Other"]
    with pytest.raises(ClientError) as refusal:
        shown(name="pipeline", version=3)
    assert refusal.value.response["Error"]["Code"] == "PipelineVersionNotFoundException"


def test_tags_are_kept_changed_and_limited(account: Account, actions: Actions) -> None:
    account.create()
    named = {"resourceArn": f"arn:aws:codepipeline:us-east-1:{account.id}:pipeline"}
    client = account.codepipeline
    client.tag_resource(**named, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    client.untag_resource(**named, tagKeys=["a"])
    assert client.list_tags_for_resource(**named)["tags"] == [{"key": "b", "value": "2"}]
    with pytest.raises(ClientError) as refusal:
        client.tag_resource(**named, tags=[{"key": "aws:own", "value": "1"}])
    assert refusal.value.response["Error"]["Code"] == "InvalidTagsException"
    with pytest.raises(ClientError) as refusal:
        client.tag_resource(**named, tags=[{"key": f"k{number}", "value": ""} for number in range(50)])
    assert refusal.value.response["Error"]["Code"] == "TooManyTagsException"
    with pytest.raises(ClientError) as refusal:
        client.list_tags_for_resource(resourceArn=named["resourceArn"] + "s")
    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"
