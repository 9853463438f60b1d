"""CloudFormation actions: real stacks of the embedded AWS, in their accounts and regions."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.localaws.codepipeline.accounts import Account
from tests.unit.localaws.codepipeline.structures import deployment, stage, trust
from tests.unit.localaws.codepipeline.world import BROKEN, WITH_OUTPUT, World


def update_stack(world: World, **configuration: str) -> dict[str, Any]:
    return deployment(RoleArn=world.execution_role, **configuration)


def by_change_set(world: World) -> dict[str, Any]:
    prepare = update_stack(world, ActionMode="CHANGE_SET_REPLACE", ChangeSetName="changes")
    execute = deployment(ActionMode="CHANGE_SET_EXECUTE", ChangeSetName="changes")
    execute["inputArtifacts"] = []
    wanted = ("ActionMode", "StackName", "ChangeSetName")
    execute["configuration"] = {key: execute["configuration"][key] for key in wanted}
    return stage("Deploy", {**prepare, "name": "Prepare"}, {**execute, "runOrder": 2, "namespace": "Stack"})


def deployed(world: World) -> Any:
    return world.client("cloudformation").describe_stacks(StackName="stack")["Stacks"][0]


def test_a_change_set_is_created_and_executed(deployer: World) -> None:
    assert deployer.begin(by_change_set(deployer)) == "Succeeded"
    stack = deployed(deployer)
    assert (stack["StackStatus"], stack["RoleARN"]) == ("CREATE_COMPLETE", deployer.execution_role)
    assert deployer.outcome("Deploy").variables == {"Arn": stack["Outputs"][0]["OutputValue"]}


def test_an_update_replaces_the_change_set(deployer: World) -> None:
    deployer.begin(by_change_set(deployer))
    changed = json.loads(json.dumps(WITH_OUTPUT).replace("first", "second"))
    deployer.commit(template=changed)
    assert deployer.again() == "Succeeded"
    assert deployed(deployer)["StackStatus"] == "UPDATE_COMPLETE"
    topic = deployer.client("sns").get_topic_attributes(TopicArn=deployer.outcome("Deploy").variables["Arn"])
    assert topic["Attributes"]["DisplayName"] == "second"


def test_deployments_leave_termination_protection_as_it_is(deployer: World) -> None:
    deployer.begin(by_change_set(deployer))
    assert deployed(deployer)["EnableTerminationProtection"] is False
    protect = deployer.client("cloudformation").update_termination_protection
    protect(StackName="stack", EnableTerminationProtection=True)
    deployer.commit(template=json.loads(json.dumps(WITH_OUTPUT).replace("first", "second")))
    assert deployer.again() == "Succeeded"
    assert deployed(deployer)["EnableTerminationProtection"] is True


def test_a_change_set_without_changes_is_no_failure(deployer: World) -> None:
    deployer.begin(by_change_set(deployer))
    assert deployer.again() == "Succeeded"
    assert deployed(deployer)["StackStatus"] == "CREATE_COMPLETE"
    assert "no changes" in deployer.outcome("Deploy").summary


def test_a_failed_deployment_names_the_resource_that_failed_first(deployer: World) -> None:
    deployer.commit(template=BROKEN)
    assert deployer.begin(by_change_set(deployer)) == "Failed"
    message = deployer.error("Deploy")["message"]
    assert message.startswith("Stack stack is ROLLBACK_COMPLETE")
    assert "The first resource that failed: Key: " in message


def test_a_stack_is_created_and_updated_with_parameters_tags_and_outputs(deployer: World) -> None:
    template = {
        "Parameters": {"Name": {"Type": "String"}, "Place": {"Type": "String"}, "Kind": {"Type": "String"}},
        "Resources": {
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"DisplayName": {"Fn::Sub": "${Name}-${Kind}"}},
            }
        },
        "Outputs": {"Place": {"Value": {"Ref": "Place"}}},
    }
    deployer.commit(
        template=template,
        settings={"Parameters": {"Name": "old", "Place": "none", "Kind": "none"}, "Tags": {"team": "model"}},
        kinds={"Kind": "kind"},
    )
    overrides = {
        "Name": "new",
        "Kind": {"Fn::GetParam": ["Code", "kinds.json", "Kind"]},
        "Place": {"Fn::GetArtifactAtt": ["Code", "BucketName"]},
    }
    declared = update_stack(
        deployer,
        TemplateConfiguration="Code::settings.json",
        ParameterOverrides=json.dumps(overrides),
        OutputFileName="outputs.json",
    )
    declared["outputArtifacts"] = [{"name": "Outputs"}]
    assert deployer.begin(stage("Deploy", declared)) == "Succeeded"
    stack = deployed(deployer)
    assert {"Key": "team", "Value": "model"} in stack["Tags"]
    assert {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]} == {
        "Name": "new",
        "Kind": "kind",
        "Place": deployer.bucket,
    }
    assert json.loads(deployer.files("Outputs")["outputs.json"]) == {"Place": deployer.bucket}
    assert deployer.again() == "Succeeded"
    assert "No updates" in deployer.outcome("Deploy").summary


def test_a_stack_is_deleted_and_one_that_is_gone_is_as_good(deployer: World) -> None:
    delete = deployment("Delete", ActionMode="DELETE_ONLY", RoleArn=deployer.execution_role)
    delete["configuration"].pop("TemplatePath")
    stages = [stage("Deploy", update_stack(deployer)), stage("Delete", delete)]
    assert deployer.begin(*stages) == "Succeeded"
    assert deployer.outcome("Delete").summary == "Stack stack was deleted."
    assert deployer.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"] == []


def test_a_file_that_the_artifact_lacks_fails_the_action(deployer: World) -> None:
    declared = update_stack(deployer, TemplatePath="Code::gone.json")
    assert deployer.begin(stage("Deploy", declared)) == "Failed"
    assert deployer.error("Deploy") == {
        "code": "ConfigurationError",
        "message": "File [gone.json] does not exist in artifact [Code]",
    }


def test_a_deployment_to_another_account_is_in_the_name_of_its_role_there(deployer: World) -> None:
    target = Account()
    target.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=trust(AWS=deployer.pipeline_role))
    statement = {"Effect": "Allow", "Action": ["cloudformation:*", "s3:*", "iam:PassRole"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    target.client("iam").put_role_policy(RoleName="deploy", PolicyName="own", PolicyDocument=policy)
    execution = target.role("execution", Service="cloudformation.amazonaws.com")
    declared = {**deployment(RoleArn=execution), "roleArn": f"arn:aws:iam::{target.id}:role/deploy"}
    assert deployer.begin(stage("Deploy", declared)) == "Succeeded"
    (stack,) = target.client("cloudformation").describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert deployer.client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_role_that_may_not_pass_on_the_stacks_role_fails_the_action(deployer: World) -> None:
    deployer.allow(deployer.pipeline_role, "codestar-connections:*", "s3:*", "cloudformation:*")
    assert deployer.begin(stage("Deploy", update_stack(deployer))) == "Failed"
    assert "is not authorized to perform: iam:PassRole" in deployer.error("Deploy")["message"]


def test_an_action_in_another_region_has_its_artifacts_there(deployer: World) -> None:
    there = f"artifacts-there-{deployer.id}"
    deployer.client("s3", "eu-west-1").create_bucket(
        Bucket=there, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    declared = {**update_stack(deployer), "region": "eu-west-1"}
    deployer.stores = {"eu-west-1": there}
    assert deployer.begin(stage("Deploy", declared)) == "Succeeded"
    (stack,) = deployer.client("cloudformation", "eu-west-1").describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    copied = deployer.client("s3", "eu-west-1").list_objects_v2(Bucket=there)["Contents"]
    assert deployer.outcome("Source").artifacts[0].key in [one["Key"] for one in copied]
