"""CodeBuild's API: projects, builds, and what of it is not emulated."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.localaws.codebuild.conftest import Builder, commands

ENVIRONMENT = {"type": "LINUX_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"}


def shown(builder: Builder, name: str) -> dict[str, Any]:
    (project,) = builder.client("codebuild").batch_get_projects(names=[name])["projects"]
    return dict(project)


def test_a_project_has_codebuilds_defaults(builder: Builder) -> None:
    project = shown(builder, builder.project("{}"))
    assert (project["timeoutInMinutes"], project["queuedTimeoutInMinutes"]) == (60, 480)
    assert project["cache"] == {"type": "NO_CACHE"}
    assert project["arn"].endswith(f":project/{project['name']}")


def test_an_update_leaves_what_it_does_not_name(builder: Builder) -> None:
    name = builder.project("{}", description="first", timeoutInMinutes=10)
    builder.client("codebuild").update_project(name=name, description="second")
    project = shown(builder, name)
    assert (project["description"], project["timeoutInMinutes"]) == ("second", 10)


def test_a_name_is_taken_once_and_free_after_deletion(builder: Builder) -> None:
    codebuild = builder.client("codebuild")
    name = builder.project("{}")
    with pytest.raises(codebuild.exceptions.ResourceAlreadyExistsException):
        builder.client("codebuild").create_project(
            name=name,
            source={"type": "CODEPIPELINE"},
            artifacts={"type": "CODEPIPELINE"},
            environment=ENVIRONMENT,
            serviceRole=builder.role,
        )
    codebuild.delete_project(name=name)
    codebuild.delete_project(name=name)
    answer = codebuild.batch_get_projects(names=[name])
    assert (answer["projects"], answer["projectsNotFound"]) == ([], [name])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"source": {"type": "GITHUB", "location": "x"}}, "Source type GITHUB with artifact type CODEPIPELINE is not"),
        ({"artifacts": {"type": "NO_ARTIFACTS"}}, "Source type CODEPIPELINE with artifact type NO_ARTIFACTS is not"),
        ({"source": {"type": "CODEPIPELINE", "auth": {"type": "OAUTH"}}}, "source.auth is not emulated"),
        ({"vpcConfig": {"vpcId": "vpc-1"}}, "vpcConfig is not emulated"),
        ({"badgeEnabled": True}, "badgeEnabled is not emulated"),
        ({"environment": {**ENVIRONMENT, "privilegedMode": True}}, "environment.privilegedMode is not emulated"),
        ({"environment": {**ENVIRONMENT, "type": "WINDOWS_CONTAINER"}}, "Environment type WINDOWS_CONTAINER is not"),
        ({"environment": {**ENVIRONMENT, "computeType": "HUGE"}}, "Member must satisfy enum value set"),
        (
            {
                "environment": {
                    **ENVIRONMENT,
                    "environmentVariables": [{"name": "A", "value": "b", "type": "SECRETS_MANAGER"}],
                }
            },
            "Type SECRETS_MANAGER of environment variable A is not emulated",
        ),
        ({"cache": {"type": "S3", "location": "bucket"}}, "Cache type S3 is not emulated"),
        ({"cache": {"type": "LOCAL"}}, "at least one mode is needed"),
        ({"cache": {"type": "LOCAL", "modes": ["LOCAL_DOCKER_LAYER_CACHE"]}}, "Cache mode LOCAL_DOCKER_LAYER_CACHE"),
        ({"logsConfig": {"s3Logs": {"status": "ENABLED", "location": "b"}}}, "logsConfig.s3Logs is not emulated"),
        ({"timeoutInMinutes": 2161}, "Member must have value less than or equal to 2160"),
        ({"serviceRole": "arn:aws:iam::111111111111:role/builds"}, "not authorized to perform: sts:AssumeRole"),
    ],
)
def test_what_is_wrong_or_not_emulated_is_refused_by_name(builder: Builder, given: dict[str, Any], named: str) -> None:
    with pytest.raises(ClientError, match=named) as refused:
        builder.project("{}", **given)
    assert refused.value.response["Error"]["Code"] == "InvalidInputException"


def test_a_build_is_shown_with_its_phases_and_logs(builder: Builder) -> None:
    codebuild = builder.client("codebuild")
    project = builder.project(commands(build=["false"]))
    result = builder.run(project)
    answer = codebuild.batch_get_builds(ids=[result.build_id, "absent:build"])
    (build,) = answer["builds"]
    assert answer["buildsNotFound"] == ["absent:build"]
    assert (build["buildStatus"], build["buildComplete"], build["initiator"]) == ("FAILED", True, "codepipeline/test")
    (failed,) = [phase for phase in build["phases"] if phase["phaseStatus"] == "FAILED"]
    assert failed["phaseType"] == "BUILD"
    assert failed["contexts"][0]["statusCode"] == "COMMAND_EXECUTION_ERROR"
    assert build["logs"]["groupName"] == f"/aws/codebuild/{project}"
    assert build["logs"]["streamName"] == result.log_stream


def test_builds_are_listed_newest_first_and_numbered(builder: Builder) -> None:
    codebuild = builder.client("codebuild")
    project = builder.project(commands(build=["echo $CODEBUILD_BUILD_NUMBER"]))
    results = [builder.run(project) for _ in range(2)]
    listed = codebuild.list_builds_for_project(projectName=project)["ids"]
    assert listed == [result.build_id for result in reversed(results)]
    assert codebuild.list_builds(sortOrder="ASCENDING")["ids"] == listed[::-1]
    assert [builder.log(result) for result in results] == [["1"], ["2"]]


def test_the_output_goes_to_the_projects_log_group(builder: Builder) -> None:
    logs = {"cloudWatchLogs": {"status": "ENABLED", "groupName": "mine", "streamName": "prefix"}}
    result = builder.run(builder.project(commands(build=["echo said"]), logsConfig=logs))
    assert (result.log_group, result.log_stream.split("/")[0]) == ("mine", "prefix")
    assert builder.log(result) == ["said"]


@pytest.mark.parametrize("missing", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])
def test_a_role_that_may_not_write_the_log_fails_the_build(builder: Builder, missing: str) -> None:
    needed = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    builder.permit(*needed - {missing})
    result = builder.build(commands(build=["true"]))
    assert result.status == "FAILED"
    assert result.reason.startswith(f"ACCESS_DENIED: Service role {builder.role} does not allow AWS CodeBuild")
    assert f"is not authorized to perform: {missing} on resource: arn:aws:logs:" in result.reason


def test_a_log_group_that_exists_need_not_be_made(builder: Builder) -> None:
    builder.permit("logs:CreateLogStream", "logs:PutLogEvents")
    builder.client("logs").create_log_group(logGroupName="mine")
    logs = {"cloudWatchLogs": {"status": "ENABLED", "groupName": "mine"}}
    assert builder.run(builder.project(commands(build=["true"]), logsConfig=logs)).status == "SUCCEEDED"


def test_a_project_may_have_no_log(builder: Builder) -> None:
    logs = {"cloudWatchLogs": {"status": "DISABLED"}}
    result = builder.run(builder.project(commands(build=["echo said"]), logsConfig=logs))
    assert (result.status, result.log_group) == ("SUCCEEDED", None)
    assert builder.client("logs").describe_log_groups()["logGroups"] == []


def test_lines_of_any_length_and_content_are_kept(builder: Builder) -> None:
    printed = builder.printed("printf '%0150000d\\n\\n\\377\\n' 7")
    assert "".join(printed[:3]) == "7".zfill(150_000)
    assert printed[3:] == [" ", "\ufffd"]


def test_only_a_build_that_exists_can_be_stopped(builder: Builder) -> None:
    codebuild = builder.client("codebuild")
    with pytest.raises(codebuild.exceptions.ResourceNotFoundException):
        codebuild.stop_build(id="absent:build")
    with pytest.raises(codebuild.exceptions.InvalidInputException):
        codebuild.stop_build(id="absent")
