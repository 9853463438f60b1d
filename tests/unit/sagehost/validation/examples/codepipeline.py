"""What CodePipeline refuses of a pipeline, by its errors, and what is not emulated, by name."""

from collections.abc import Mapping
from typing import Any

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
from tests.unit.sagehost.validation.examples import Cases, Json, of

_STORE = {"Type": "S3", "Location": BUCKET}
_CODE = [{"Name": "Code"}]
_UNNAMED = {key: value for key, value in deployment()["Configuration"].items() if key != "ChangeSetName"}


def _project(**configuration: str) -> Json:
    """A build with this configuration besides its project."""
    return build(Configuration={"ProjectName": "p", **configuration})


_STRUCTURE: Mapping[str, tuple[Json, str]] = {
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
        {"ArtifactStores": [{"Region": "us-east-1", "ArtifactStore": _STORE}]},
        "either artifactStore or",
    ),
    "a store that is no bucket": ({"ArtifactStore": {"Type": "S3", "Location": "A"}}, "is not the name of an S3"),
    "no store in its own region": (
        {"ArtifactStore": None, "ArtifactStores": [{"Region": "eu-west-1", "ArtifactStore": _STORE}]},
        "region of the pipeline: us-east-1",
    ),
    "a role that does not trust CodePipeline": ({"RoleArn": "$role"}, "not authorized to perform AssumeRole on role"),
    "two stages of one name": (
        {"Stages": [stage("Source", source()), stage("Build", build()), stage("Build", build("Again"))]},
        "Build occurs more than once",
    ),
    "a stage without actions": (
        {"Stages": [stage("Source", source()), stage("Build")]},
        "Stage Build must have at least one action",
    ),
    "a queue of type V1": ({"PipelineType": "V1", "ExecutionMode": "QUEUED"}, "requires the pipeline type V2"),
}

_ACTIONS: Mapping[str, tuple[list[Json], str]] = {
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
    "a build with six inputs": (
        [build(inputs="A B C D E F")],
        r"has 6 input artifacts which is more than the maximum input artifact count \(5\)",
    ),
    "an artifact twice": ([build(inputs="Code Code")], "Action Build names an artifact twice"),
    "an approval with output": (
        [approval(OutputArtifacts=[{"Name": "Answer"}])],
        r"has 1 output artifacts which is more than the maximum output artifact count \(0\)",
    ),
    "missing configuration": ([build(Configuration={})], "is missing required configuration 'ProjectName'"),
    "unknown configuration": ([_project(ProjectNmae="p")], "contains unknown configuration 'ProjectNmae'"),
    "two inputs and no primary one": (
        [
            build("First", outputs="B"),
            build(inputs="Code B", RunOrder=2, Configuration={"ProjectName": "p"}),
        ],
        "is missing required configuration 'PrimarySource'",
    ),
    "a primary source that is no input": (
        [_project(PrimarySource="Gone")],
        "Gone of action Build is none",
    ),
    "environment variables that are no JSON": (
        [_project(EnvironmentVariables="A=1")],
        "EnvironmentVariables of action Build is not valid JSON",
    ),
    "environment variables that are no list": (
        [_project(EnvironmentVariables='{"A": "1"}')],
        "is not a list of objects with name and value",
    ),
    "a variable of no action": (
        [_project(EnvironmentVariables='[{"name": "A", "value": "#{Gone.Value}"}]')],
        r"references the variable #\{Gone.Value\}, which no preceding action",
    ),
    "a region without store": ([build(Region="eu-west-1")], "runs in eu-west-1, for which"),
    "an unknown mode": ([deployment(ActionMode="CREATE")], "ActionMode CREATE of action Deploy is none"),
    "a change set without name": (
        [action("Deploy", "Deploy", "CloudFormation", Configuration=_UNNAMED, InputArtifacts=_CODE)],
        "is missing required configuration 'ChangeSetName'",
    ),
    "a template of no input artifact": (
        [deployment(TemplatePath="Gone::template.json")],
        "TemplatePath Gone::template.json of action Deploy is not InputArtifact::path",
    ),
}

_NOT_EMULATED: Mapping[str, tuple[Json, str]] = {
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
            ("a batch build", _project(BatchEnabled="true"), "BatchEnabled in the configuration of action Build"),
            (
                "files of an output",
                build(OutputArtifacts=[{"Name": "Made", "Files": ["a"]}]),
                "Files of the output artifacts of action Build",
            ),
            ("a namespace", build(Namespace="N"), "Namespace of action Build"),
            ("a mode that uses no change set", deployment(ActionMode="CREATE_UPDATE"), "ActionMode CREATE_UPDATE"),
            (
                "parameter overrides",
                deployment(ParameterOverrides="{}"),
                "ParameterOverrides in the configuration",
            ),
            (
                "a topic of an approval",
                approval(Configuration={"NotificationArn": "arn"}),
                "NotificationArn in the configuration",
            ),
            (
                "a secret",
                _project(EnvironmentVariables='[{"name": "A", "value": "b", "type": "SECRETS_MANAGER"}]'),
                "environment variable A of type SECRETS_MANAGER",
            ),
        )
    },
}


def _request(**members: Any) -> Json:
    declared = {**pipeline(RoleArn="$pipeline_role"), **members}
    request = definition({name: one for name, one in declared.items() if one is not None}).request
    return {**dict.fromkeys(declared), **request}


_SOURCES: Mapping[str, tuple[Json, str]] = {
    "a source without output": (
        {"Stages": [stage("Source", source(OutputArtifacts=[])), stage("Approve", approval())]},
        r"has 0 output artifacts which is less than the minimum output artifact count \(1\)",
    )
}
_OF_STAGE = {
    name: ({"Stages": [stage("Source", source()), stage("Build", *actions)]}, message)
    for name, (actions, message) in _ACTIONS.items()
}
REFUSED: Mapping[str, tuple[Json, str]] = {
    name: (_request(**members), message)
    for name, (members, message) in {**_STRUCTURE, **_SOURCES, **_OF_STAGE, **_NOT_EMULATED}.items()
}
"""By name, requests and patterns of the messages with which they are refused."""
_VALID = _request(
    Stages=[
        stage("Source", source()),
        stage("Build", build(outputs="Made")),
        stage("Deploy", approval(), deployment(), deployment("Execute", ActionMode="CHANGE_SET_EXECUTE")),
    ]
)
EXAMPLES: Cases = of("CreatePipeline", _VALID, {name: (request, {}) for name, (request, _) in REFUSED.items()})

ANSWER: Json = {
    "pipelineName": "promotion",
    "stageName": "prod",
    "actionName": "Promote",
    "result": {"summary": "", "status": "Approved"},
    "token": "$waiting",
}
EXAMPLES |= {
    "state for a stranger": ("GetPipelineState", {"name": "promotion"}, {"_by": "$access_key"}, {}),
    "state of no pipeline": ("GetPipelineState", {}, {"name": "none"}, {"name": "promotion"}),
} | of(
    "PutApprovalResult",
    ANSWER,
    {
        "answer of a stranger": ({"_by": "$access_key"}, {}),
        "answer with another token": ({"token": "$answered"}, {}),
        "answer to what is answered": ({"actionName": "Review", "token": "$answered"}, {}),
    },
)
