"""AWS::CodePipeline::Pipeline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.localaws.codepipeline.structures import BUCKET, approval, build, source, stage

if TYPE_CHECKING:
    from tests.unit.localaws.codepipeline.accounts import Account, Actions


def titled(value: Any) -> Any:
    """The API's names as CloudFormation writes them; the keys of configurations are not names."""
    if isinstance(value, list):
        return [titled(part) for part in value]
    if isinstance(value, dict):
        return {
            key[0].upper() + key[1:]: part if key == "configuration" else titled(part) for key, part in value.items()
        }
    return value


def properties(account: Account, *stages: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "RoleArn": account.pipeline_role,
        "PipelineType": "V2",
        "ArtifactStore": {"Type": "S3", "Location": BUCKET},
        "RestartExecutionOnUpdate": True,
        "Stages": titled([stage("Source", source()), *(stages or [stage("Build", build())])]),
        **members,
    }


def template(described: dict[str, Any]) -> str:
    resources = {"Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": described}}
    outputs = {
        "Name": {"Value": {"Ref": "Pipeline"}},
        "Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}},
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


def outputs(account: Account) -> dict[str, str]:
    (stack,) = account.client("cloudformation").describe_stacks(StackName="stack")["Stacks"]
    return {"status": stack["StackStatus"]} | {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def deploy(account: Account, described: dict[str, Any]) -> dict[str, str]:
    client = account.client("cloudformation")
    exists = client.list_stacks()["StackSummaries"]
    operation = client.update_stack if exists else client.create_stack
    operation(StackName="stack", TemplateBody=template(described))
    return outputs(account)


def executions(account: Account, name: str) -> Any:
    return account.codepipeline.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]


def test_a_pipeline_is_created_with_a_name_made_up_and_starts(account: Account, actions: Actions) -> None:
    made = deploy(account, properties(account))
    assert made["status"] == "CREATE_COMPLETE"
    assert made["Name"].startswith("stack-Pipeline-")
    assert made["Version"] == "1"
    (execution,) = executions(account, made["Name"])
    assert execution["trigger"]["triggerType"] == "CreatePipeline"


def test_an_update_cancels_what_runs_and_starts_anew(account: Account, actions: Actions) -> None:
    name = deploy(account, properties(account))["Name"]
    updated = deploy(account, properties(account, stage("Gate", approval())))
    assert (updated["status"], updated["Name"], updated["Version"]) == ("UPDATE_COMPLETE", name, "2")
    newest, oldest = executions(account, name)
    assert (oldest["status"], newest["status"]) == ("Cancelled", "InProgress")
    assert newest["trigger"]["triggerType"] == "StartPipelineExecution"


def test_an_update_starts_nothing_unless_it_is_to(account: Account, actions: Actions) -> None:
    quiet = {"RestartExecutionOnUpdate": False}
    name = deploy(account, properties(account, **quiet))["Name"]
    deploy(account, properties(account, stage("Gate", approval()), **quiet))
    assert [one["status"] for one in executions(account, name)] == ["Cancelled"]


def test_a_change_of_tags_alone_cancels_nothing(account: Account, actions: Actions) -> None:
    name = deploy(account, properties(account, Tags=[{"Key": "team", "Value": "a"}]))["Name"]
    deploy(account, properties(account, Tags=[{"Key": "team", "Value": "b"}]))
    assert [one["status"] for one in executions(account, name)] == ["InProgress"]
    arn = f"arn:aws:codepipeline:us-east-1:{account.id}:{name}"
    shown = account.codepipeline.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {"key": "team", "value": "b"} in shown


def test_stores_by_region_and_transitions_are_carried_over(account: Account, actions: Actions) -> None:
    key = {"Id": f"arn:aws:kms:eu-west-1:{account.id}:key/k", "Type": "KMS"}
    stores = [
        {"Region": "us-east-1", "ArtifactStore": {"Type": "S3", "Location": BUCKET}},
        {"Region": "eu-west-1", "ArtifactStore": {"Type": "S3", "Location": "there", "EncryptionKey": key}},
    ]
    described = properties(
        account,
        ArtifactStores=stores,
        DisableInboundStageTransitions=[{"StageName": "Build", "Reason": "not yet"}],
    )
    del described["ArtifactStore"]
    name = deploy(account, described)["Name"]
    shown = account.codepipeline.get_pipeline(name=name)["pipeline"]
    assert shown["artifactStores"]["eu-west-1"] == {
        "type": "S3",
        "location": "there",
        "encryptionKey": {"id": key["Id"], "type": "KMS"},
    }

    def inbound() -> Any:
        states = account.codepipeline.get_pipeline_state(name=name)["stageStates"]
        return states[1]["inboundTransitionState"]

    assert (inbound()["enabled"], inbound()["disabledReason"]) == (False, "not yet")
    del described["DisableInboundStageTransitions"]
    deploy(account, described)
    assert inbound()["enabled"] is True


def test_a_pipeline_that_codepipeline_refuses_fails_the_stack_with_its_reason(
    account: Account, actions: Actions
) -> None:
    made = deploy(account, properties(account, stage("Build", build(inputs="Gone"))))
    assert made["status"] == "ROLLBACK_COMPLETE"
    events = account.client("cloudformation").describe_stack_events(StackName="stack")["StackEvents"]
    reasons = [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert "Input Artifact Bundle Gone in action Build is not declared" in reasons[-1]
    assert "Error Code: InvalidActionDeclarationException" in reasons[-1]


def test_a_refused_update_leaves_the_pipeline_as_it_was(account: Account, actions: Actions) -> None:
    name = deploy(account, properties(account))["Name"]
    updated = deploy(account, properties(account, stage("Build", build(inputs="Gone"))))
    assert updated["status"] == "UPDATE_ROLLBACK_COMPLETE"
    assert account.codepipeline.get_pipeline(name=name)["pipeline"]["stages"][1]["actions"][0]["inputArtifacts"] == [
        {"name": "Code"}
    ]


def test_a_deleted_stack_leaves_no_pipeline(account: Account, actions: Actions) -> None:
    name = deploy(account, properties(account))["Name"]
    run = actions.next()
    account.client("cloudformation").delete_stack(StackName="stack")
    with pytest.raises(ClientError, match="does not have a pipeline with name"):
        account.codepipeline.get_pipeline(name=name)
    assert run.cancelled.is_set()
