"""What a pipeline needs besides itself: connections, build projects, event rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sagehost.cloudformation.templates import Resources, topic, with_properties
from tests.unit.sagehost.pipelines.structures import pipeline

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

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
    arn, _ = account.stored("AWS::CodeConnections::Connection")
    told = {"ConnectionArn": arn, "ConnectionStatus": "PENDING", "OwnerAccountId": account.id}
    assert account.outputs("source") == told
    shown = account.client("codeconnections").get_connection(ConnectionArn=arn)["Connection"]
    assert told.items() <= shown.items()


def test_another_provider_replaces_a_connection(account: Account) -> None:
    account.deploy("source", CONNECTION)
    first, _ = account.stored("AWS::CodeConnections::Connection")
    account.update("source", with_properties(CONNECTION, "Connection", ProviderType="GitLab"))
    second, properties = account.stored("AWS::CodeConnections::Connection")
    assert (second != first, properties["ProviderType"]) == (True, "GitLab")


def test_a_project_is_stored_as_it_was_written_and_changes_in_place(account: Account) -> None:
    account.deploy("build", PROJECT, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}}})
    name, properties = account.stored("AWS::CodeBuild::Project")
    assert account.outputs("build")["Arn"] == f"arn:aws:codebuild:us-east-1:{account.id}:project/{name}"
    assert properties["Source"] == PROJECT["Project"]["Properties"]["Source"]
    account.update("build", with_properties(PROJECT, "Project", TimeoutInMinutes=20))
    assert account.stored("AWS::CodeBuild::Project") == (name, properties | {"TimeoutInMinutes": 20})


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"Triggers": {"Webhook": True}}, "Triggers"),
        ({"VpcConfig": {"VpcId": "vpc-1"}}, "VpcConfig"),
        ({"Source": {"Type": "CODEPIPELINE", "ReportBuildStatus": True}}, "ReportBuildStatus"),
        ({"Cache": {"Type": "S3", "Location": "bucket"}}, "Cache type S3 (not emulated)"),
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


def pipeline_of(role: str, **properties: Any) -> Resources:
    """A pipeline and its role, which this service may assume."""
    trust = {**_TRUST, "Principal": {"Service": f"{role}.amazonaws.com"}}
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [trust]}}},
        "Pipeline": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": pipeline(RoleArn={"Fn::GetAtt": ["Role", "Arn"]}, **properties),
        },
    }


def test_a_pipeline_is_stored_and_changes_in_place(account: Account) -> None:
    account.deploy("pipeline", pipeline_of("codepipeline"))
    account.update("pipeline", pipeline_of("codepipeline", ExecutionMode="QUEUED"))
    name, properties = account.stored("AWS::CodePipeline::Pipeline")
    assert (name, properties["ExecutionMode"]) == ("pipeline", "QUEUED")


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        (pipeline_of("codebuild"), "CodePipeline is not authorized to perform AssumeRole on role"),
        (
            pipeline_of("codepipeline", PipelineType="V1", ExecutionMode="QUEUED"),
            'QUEUED requires the pipeline type V2" (Service: CodePipeline, Status Code: 400, Error Code: Invalid'
            "StructureException)",
        ),
        (pipeline_of("codepipeline", ExecutionMode="PARALLEL"), "executionMode PARALLEL (not emulated)"),
    ],
)
def test_a_pipeline_that_codepipeline_refuses_fails_its_stack(
    account: Account, resources: Resources, reason: str
) -> None:
    assert account.create("pipeline", resources) == "ROLLBACK_COMPLETE"
    assert reason in account.reason("pipeline", "CREATE_FAILED")


def test_a_pipeline_name_is_unique(account: Account) -> None:
    account.deploy("first", pipeline_of("codepipeline"))
    assert account.create("second", pipeline_of("codepipeline")) == "ROLLBACK_COMPLETE"
    assert "identifier 'pipeline' already exists" in account.reason("second", "CREATE_FAILED")
