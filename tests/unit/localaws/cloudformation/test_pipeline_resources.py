"""What a pipeline needs besides itself: connections, build projects, event rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.localaws.cloudformation.templates import Resources, topic, with_properties

if TYPE_CHECKING:
    from tests.unit.localaws.cloudformation.conftest import Account

CONNECTION: Resources = {
    "Connection": {
        "Type": "AWS::CodeConnections::Connection",
        "Properties": {"ConnectionName": "source", "ProviderType": "GitHub"},
    }
}

_TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codebuild.amazonaws.com"}}

PROJECT: Resources = {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [_TRUST]}}},
    "Project": {
        "Type": "AWS::CodeBuild::Project",
        "Properties": {
            "Source": {"Type": "CODEPIPELINE", "BuildSpec": '{"version": "0.2"}'},
            "Artifacts": {"Type": "CODEPIPELINE"},
            "Environment": {
                "Type": "LINUX_CONTAINER",
                "Image": "aws/codebuild/standard:7.0",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "ImagePullCredentialsType": "CODEBUILD",
                "PrivilegedMode": False,
                "EnvironmentVariables": [{"Name": "A", "Type": "PLAINTEXT", "Value": "b"}],
            },
            "ServiceRole": {"Fn::GetAtt": ["Role", "Arn"]},
            "Cache": {"Type": "LOCAL", "Modes": ["LOCAL_CUSTOM_CACHE"]},
            "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": "builds"}},
            "TimeoutInMinutes": 30,
            "Description": "builds",
            "EncryptionKey": "arn:aws:kms:us-east-1:111111111111:key/k",
        },
    },
}


def _target(identifier: str, template: str) -> dict[str, Any]:
    paths = {"pipeline": "$.detail.pipeline"}
    transformer = {"InputPathsMap": paths, "InputTemplate": template}
    return {"Id": identifier, "Arn": {"Ref": "Topic"}, "InputTransformer": transformer}


RULE: Resources = {
    **topic(),
    "Rule": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": "failures",
            "EventPattern": {"source": ["aws.codepipeline"], "detail": {"state": ["FAILED"]}},
            "State": "ENABLED",
            "Targets": [_target("One", '"<pipeline> failed"'), _target("Two", '"again"')],
        },
    },
}


def connection(account: Account) -> dict[str, Any]:
    codeconnections = account.client("codeconnections")
    (found,) = codeconnections.list_connections()["Connections"]
    tags = codeconnections.list_tags_for_resource(ResourceArn=found["ConnectionArn"])["Tags"]
    return {**found, "tags": {tag["Key"]: tag["Value"] for tag in tags}}


def project(account: Account) -> dict[str, Any]:
    codebuild = account.client("codebuild")
    (found,) = codebuild.batch_get_projects(names=codebuild.list_projects()["projects"])["projects"]
    return dict(found)


def rule(account: Account) -> dict[str, Any]:
    events = account.client("events")
    (found,) = events.list_rules()["Rules"]
    return {**found, "targets": events.list_targets_by_rule(Rule=found["Name"])["Targets"]}


def without(resources: Resources, logical_id: str, *properties: str) -> Resources:
    resource = resources[logical_id]
    kept = {name: value for name, value in resource["Properties"].items() if name not in properties}
    return {**resources, logical_id: {**resource, "Properties": kept}}


def test_a_connection_is_pending_and_tells_its_attributes(account: Account) -> None:
    attributes = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")
    outputs = {name: {"Value": {"Fn::GetAtt": ["Connection", name]}} for name in attributes}
    account.deploy("source", CONNECTION, Outputs=outputs)
    found = connection(account)
    assert account.outputs("source") == {
        "ConnectionArn": found["ConnectionArn"],
        "ConnectionStatus": "PENDING",
        "OwnerAccountId": account.id,
    }
    assert account.physical_id("source", "Connection") == found["ConnectionArn"]
    assert found["tags"]["aws:cloudformation:stack-name"] == "source"


def test_a_connections_tags_change_in_place_and_another_provider_replaces_it(account: Account) -> None:
    account.deploy("source", CONNECTION, Tags=[{"Key": "team", "Value": "a"}])
    first = connection(account)
    account.update("source", CONNECTION, Tags=[{"Key": "team", "Value": "b"}])
    second = connection(account)
    assert (second["ConnectionArn"], second["tags"]["team"]) == (first["ConnectionArn"], "b")
    account.update("source", with_properties(CONNECTION, "Connection", ProviderType="GitLab"))
    third = connection(account)
    assert third["ConnectionArn"] != first["ConnectionArn"]
    assert third["ProviderType"] == "GitLab"


def test_a_project_reads_back_as_it_was_written(account: Account) -> None:
    account.deploy("build", PROJECT, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}}})
    found = project(account)
    assert found["arn"] == account.outputs("build")["Arn"]
    assert found["name"] == account.physical_id("build", "Project")
    assert found["source"] == {"type": "CODEPIPELINE", "buildspec": '{"version": "0.2"}'}
    assert found["environment"]["environmentVariables"] == [{"name": "A", "type": "PLAINTEXT", "value": "b"}]
    assert found["environment"]["privilegedMode"] is False
    assert found["cache"] == {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]}
    assert found["logsConfig"] == {"cloudWatchLogs": {"status": "ENABLED", "groupName": "builds"}}
    assert (found["timeoutInMinutes"], found["description"]) == (30, "builds")


def test_what_goes_from_a_project_in_a_template_has_its_default_again(account: Account) -> None:
    account.deploy("build", PROJECT, Tags=[{"Key": "team", "Value": "a"}])
    first = project(account)
    gone = ("Cache", "LogsConfig", "TimeoutInMinutes", "Description", "EncryptionKey")
    account.update("build", without(PROJECT, "Project", *gone), Tags=[])
    found = project(account)
    assert found["arn"] == first["arn"]
    assert found["cache"] == {"type": "NO_CACHE"}
    assert found["logsConfig"] == {"cloudWatchLogs": {"status": "ENABLED"}}
    assert (found["timeoutInMinutes"], found["tags"]) == (60, [])
    assert found["encryptionKey"].endswith("alias/aws/s3")
    assert not found.get("description")


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"Triggers": {"Webhook": True}}, "Triggers"),
        ({"VpcConfig": {"VpcId": "vpc-1"}}, "VpcConfig"),
        ({"Source": {"Type": "CODEPIPELINE", "ReportBuildStatus": True}}, "reportBuildStatus"),
        ({"Cache": {"Type": "S3", "Location": "bucket"}}, "Cache type S3 is not emulated"),
    ],
)
def test_a_project_with_what_is_not_emulated_fails_by_name(
    account: Account, properties: dict[str, Any], named: str
) -> None:
    resources = with_properties(PROJECT, "Project", **properties)
    try:
        account.create("build", resources)
        reason = account.reason("build", "CREATE_FAILED")
    except account.cfn.exceptions.ClientError as error:
        reason = str(error)
    assert named in reason


def test_a_role_that_does_not_trust_builds_fails_its_project(account: Account) -> None:
    other = {**_TRUST, "Principal": {"Service": "codepipeline.amazonaws.com"}}
    resources = with_properties(PROJECT, "Role", AssumeRolePolicyDocument={"Statement": [other]})
    assert account.create("build", resources) == "ROLLBACK_COMPLETE"
    assert "CodeBuild is not authorized to perform: sts:AssumeRole" in account.reason("build", "CREATE_FAILED")


def test_a_rule_reads_back_with_its_targets(account: Account) -> None:
    account.deploy("notify", RULE, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}}})
    found = rule(account)
    assert found["Arn"] == account.outputs("notify")["Arn"]
    assert found["Name"] == account.physical_id("notify", "Rule")
    assert found["EventPattern"] == '{"source": ["aws.codepipeline"], "detail": {"state": ["FAILED"]}}'
    first, second = found["targets"]
    assert first["InputTransformer"]["InputTemplate"] == '"<pipeline> failed"'
    assert first["InputTransformer"]["InputPathsMap"] == {"pipeline": "$.detail.pipeline"}
    assert (second["Id"], second["Arn"]) == ("Two", account.physical_id("notify", "Topic"))


def test_a_rule_and_its_targets_change_in_place(account: Account) -> None:
    account.deploy("notify", RULE)
    before = rule(account)
    changed = with_properties(RULE, "Rule", State="DISABLED", Targets=[_target("Two", '"other"')])
    account.update("notify", without(changed, "Rule", "Description"))
    after = rule(account)
    assert (after["Arn"], after["State"], after.get("Description")) == (before["Arn"], "DISABLED", None)
    assert [(one["Id"], one["InputTransformer"]["InputTemplate"]) for one in after["targets"]] == [("Two", '"other"')]


def test_a_rule_of_somebody_else_is_not_overwritten(account: Account) -> None:
    account.client("events").put_rule(Name="mine", EventPattern='{"source": ["mine"]}')
    assert account.create("notify", with_properties(RULE, "Rule", Name="mine")) == "ROLLBACK_COMPLETE"
    assert "identifier 'mine' already exists" in account.reason("notify", "CREATE_FAILED")
    assert rule(account)["EventPattern"] == '{"source": ["mine"]}'


@pytest.mark.parametrize("resources", [CONNECTION, PROJECT, RULE], ids=["connection", "project", "rule"])
def test_a_stack_that_is_deleted_leaves_nothing(account: Account, resources: Resources) -> None:
    before = account.inventory()
    account.deploy("all", resources)
    assert account.inventory() != before
    account.delete("all")
    assert account.inventory() == before
