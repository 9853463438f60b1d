from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from sagemaker_tgi import InvalidPropsError, JumpStartMistral, LogOptions, PrivateNetwork, PrivateTgiEndpoint

Only = Callable[[cdk.Stack, str], dict[str, Any]]
Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]


def make(stack: cdk.Stack, construct_id: str = "Chat", **props: Any) -> PrivateTgiEndpoint:
    mistral = JumpStartMistral.instruct(stack)
    return PrivateTgiEndpoint(stack, construct_id, image=mistral.image, artifact=mistral.artifact, **props)


def types(stack: cdk.Stack) -> set[str]:
    return {resource["Type"] for resource in Template.from_stack(stack).to_json()["Resources"].values()}


def given_vpc(stack: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"], isolated_subnet_ids=["subnet-1"]
    )


def test_image_and_artifact_are_enough(stack: cdk.Stack, only: Only) -> None:
    make(stack)
    [variant] = only(stack, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.g5.2xlarge", 1)
    container = only(stack, "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]
    assert container["Environment"] == {"HF_MODEL_ID": "/opt/ml/model"}
    target = only(stack, "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)


def test_an_endpoint_is_named_after_its_path_unless_it_is_given_a_name(stack: cdk.Stack) -> None:
    assert make(stack).endpoint_name.startswith("Test-Chat-")
    assert make(stack, "Second", endpoint_name="second").endpoint_name == "second"


def test_a_long_path_makes_a_name_that_sagemaker_takes(stack: cdk.Stack) -> None:
    assert len(make(stack, "A" * 100).endpoint_name) <= 63


def test_the_model_comes_after_its_route_to_the_weights_and_that_after_the_route_tables(
    stack: cdk.Stack, only: Only
) -> None:
    make(stack)
    resources = Template.from_stack(stack).to_json()["Resources"]
    [gateway] = [name for name in only(stack, "AWS::SageMaker::Model")["DependsOn"] if "Artifacts" in name]
    tables = [name for name, r in resources.items() if r["Type"] == "AWS::EC2::SubnetRouteTableAssociation"]
    assert len(tables) == 2
    assert set(tables) <= set(resources[gateway]["DependsOn"])


def test_permission_to_remove_interfaces_is_deleted_after_subnets_and_security_group(stack: cdk.Stack) -> None:
    make(stack)
    resources = Template.from_stack(stack).to_json()["Resources"]
    [policy] = [name for name in resources if "RoleInterfaces" in name]
    waiting = {r["Type"] for r in resources.values() if policy in r.get("DependsOn", [])}
    assert waiting >= {"AWS::SageMaker::Model", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet"}


def test_a_given_vpc_is_used_in_place_of_a_new_one(stack: cdk.Stack, only: Only) -> None:
    make(stack, vpc=given_vpc(stack))
    assert only(stack, "AWS::SageMaker::Model")["Properties"]["VpcConfig"]["Subnets"] == ["subnet-1"]
    assert not types(stack) & {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::VPCEndpoint", "AWS::EC2::FlowLog"}


def test_a_given_role_is_used_in_place_of_a_new_one(stack: cdk.Stack, only: Only) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/model")
    assert make(stack, role=role).role is role
    assert only(stack, "AWS::SageMaker::Model")["Properties"]["ExecutionRoleArn"] == role.role_arn
    assert "AWS::IAM::RolePolicy" not in types(stack)


def test_a_given_key_is_used_in_place_of_new_ones(stack: cdk.Stack, resources: Resources) -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
    make(stack, log=LogOptions(encryption_key=kms.Key.from_key_arn(stack, "Key", arn)))
    assert {group["Properties"]["KmsKeyId"] for group in resources(stack, "AWS::Logs::LogGroup")} == {arn}
    assert "AWS::KMS::Key" not in types(stack)


def test_without_scaling_the_number_of_instances_is_fixed(stack: cdk.Stack) -> None:
    assert make(stack, scaling=None).scalable_target is None
    assert not [name for name in types(stack) if "AutoScaling" in name]


def test_it_grants_and_measures_as_its_endpoint_does(stack: cdk.Stack, only: Only) -> None:
    chat = make(stack, endpoint_name="chat", scaling=None)
    chat.grant_invoke(iam.User(stack, "Caller"), only_from_vpc=chat.network.vpc)
    [statement] = only(stack, "AWS::IAM::Policy")["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/chat"
    assert statement["Condition"] == {"StringEquals": {"aws:SourceVpc": stack.resolve(chat.network.vpc.vpc_id)}}
    dimensions = chat.metric_invocations().dimensions
    assert dimensions == {"EndpointName": "chat", "VariantName": "AllTraffic"}


def test_every_problem_of_the_parts_is_named_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidPropsError) as error:
        make(stack, instance_type="g5", environment={}, endpoint_name="a_b", instance_count=0)
    for problem in ("instance_type='g5'", "environment['HF_MODEL_ID']=None", "endpoint_name='a_b'", "instance_count=0"):
        assert problem in str(error.value)


def test_a_network_and_a_vpc_exclude_each_other(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidPropsError, match="network, vpc='<both>'"):
        make(stack, network=PrivateNetwork(stack, "Network"), vpc=given_vpc(stack))


def test_subnets_without_their_vpc_are_refused(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidPropsError, match="are of no VPC; give their vpc, too"):
        make(stack, subnets=given_vpc(stack).isolated_subnets)


def test_a_network_of_another_endpoint_is_refused(stack: cdk.Stack) -> None:
    """EC2 refuses a second gateway endpoint for S3 on a route table."""
    first = make(stack)
    with pytest.raises(InvalidPropsError, match="leads to the weights of another endpoint; make another"):
        make(stack, "Second", network=first.network)


def test_a_stack_without_a_region_is_an_error_that_names_the_fix() -> None:
    mistral = JumpStartMistral.instruct(cdk.Stack(cdk.App(), "Us", env=cdk.Environment(region="us-east-1")))
    with pytest.raises(InvalidPropsError, match="give zones, or the stack a region: env="):
        PrivateTgiEndpoint(cdk.Stack(), "Chat", image=mistral.image, artifact=mistral.artifact)
