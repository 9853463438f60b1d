"""CloudFormation actions: real stacks of the embedded AWS, in their accounts and regions."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.localaws.codepipeline.accounts import Account
from tests.unit.localaws.codepipeline.structures import deployment, stage, trust
from tests.unit.localaws.codepipeline.world import BROKEN, WITH_OUTPUT, World


def by_change_set(world: World, role: str = "", members: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
    prepare = deployment("Prepare", **{"RoleArn": role or world.execution_role, **more})
    execute = deployment(ActionMode="CHANGE_SET_EXECUTE")
    execute["inputArtifacts"] = []
    wanted = ("ActionMode", "StackName", "ChangeSetName")
    execute["configuration"] = {key: execute["configuration"][key] for key in wanted}
    own = members or {}
    return stage("Deploy", {**prepare, **own}, {**execute, "runOrder": 2, "namespace": "Stack", **own})


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


def test_a_stack_has_the_parameters_and_tags_of_the_template_configuration(deployer: World) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}}
    deployer.commit(
        template={"Parameters": {"Name": {"Type": "String"}}, "Resources": {"Topic": topic}},
        settings={"Parameters": {"Name": "new"}, "Tags": {"team": "model"}},
    )
    assert deployer.begin(by_change_set(deployer, TemplateConfiguration="Code::settings.json")) == "Succeeded"
    stack = deployed(deployer)
    assert {"Key": "team", "Value": "model"} in stack["Tags"]
    assert stack["Parameters"] == [{"ParameterKey": "Name", "ParameterValue": "new"}]


def test_a_file_that_the_artifact_lacks_fails_the_action(deployer: World) -> None:
    assert deployer.begin(by_change_set(deployer, TemplatePath="Code::gone.json")) == "Failed"
    assert deployer.error("Prepare") == {
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
    there = {"roleArn": f"arn:aws:iam::{target.id}:role/deploy"}
    assert deployer.begin(by_change_set(deployer, execution, there)) == "Succeeded"
    (stack,) = target.client("cloudformation").describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert deployer.client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_role_that_may_not_pass_on_the_stacks_role_fails_the_action(deployer: World) -> None:
    deployer.allow(deployer.pipeline_role, "codestar-connections:*", "s3:*", "cloudformation:*")
    assert deployer.begin(by_change_set(deployer)) == "Failed"
    assert "is not authorized to perform: iam:PassRole" in deployer.error("Prepare")["message"]


def test_an_action_in_another_region_has_its_artifacts_there(deployer: World) -> None:
    there = f"artifacts-there-{deployer.id}"
    deployer.client("s3", "eu-west-1").create_bucket(
        Bucket=there, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    deployer.stores = {"eu-west-1": there}
    assert deployer.begin(by_change_set(deployer, members={"region": "eu-west-1"})) == "Succeeded"
    (stack,) = deployer.client("cloudformation", "eu-west-1").describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    copied = deployer.client("s3", "eu-west-1").list_objects_v2(Bucket=there)["Contents"]
    assert deployer.outcome("Source").artifacts[0].key in [one["Key"] for one in copied]
