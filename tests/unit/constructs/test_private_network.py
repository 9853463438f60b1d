from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from mistral7b import catalog
from sagemaker_tgi import InvalidPropsError, LogOptions, PrivateNetwork

Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]


def vpc(stack: cdk.Stack, **subnets: Any) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Given",
        vpc_id="vpc-1",
        vpc_cidr_block="10.0.0.0/16",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        **(subnets or {"isolated_subnet_ids": ["subnet-1", "subnet-2"]}),
    )


def types(stack: cdk.Stack) -> set[str]:
    return {resource["Type"] for resource in Template.from_stack(stack).to_json()["Resources"].values()}


def test_a_new_vpc_is_in_two_zones_that_offer_the_instance_type(stack: cdk.Stack, resources: Resources) -> None:
    PrivateNetwork(stack, "Network", instance_type="ml.p4d.24xlarge")
    zones = [subnet["Properties"]["AvailabilityZoneId"] for subnet in resources(stack, "AWS::EC2::Subnet")]
    assert zones == list(catalog.availability_zones("eu-west-1", "ml.p4d.24xlarge")[:2])


def test_a_new_vpc_has_flow_logs_under_a_key_of_their_own(stack: cdk.Stack, resources: Resources) -> None:
    network = PrivateNetwork(stack, "Network")
    assert network.flow_log is not None
    [group] = resources(stack, "AWS::Logs::LogGroup")
    [key] = resources(stack, "AWS::KMS::Key")
    assert group["Properties"]["LogGroupName"] in str(key["Properties"]["KeyPolicy"])


def test_a_given_key_encrypts_the_flow_logs(stack: cdk.Stack, resources: Resources) -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
    PrivateNetwork(stack, "Network", log=LogOptions(encryption_key=kms.Key.from_key_arn(stack, "Key", arn)))
    [group] = resources(stack, "AWS::Logs::LogGroup")
    assert group["Properties"]["KmsKeyId"] == arn
    assert resources(stack, "AWS::KMS::Key") == []


def test_a_given_vpc_gets_only_a_security_group(stack: cdk.Stack) -> None:
    network = PrivateNetwork(stack, "Network", vpc=vpc(stack))
    assert [subnet.subnet_id for subnet in network.subnets] == ["subnet-1", "subnet-2"]
    assert types(stack) == {"AWS::EC2::SecurityGroup"}


def test_the_private_subnets_of_a_given_vpc_are_used_if_none_is_isolated(stack: cdk.Stack) -> None:
    given = vpc(stack, private_subnet_ids=["subnet-1", "subnet-2"])
    network = PrivateNetwork(stack, "Network", vpc=given)
    assert [subnet.subnet_id for subnet in network.subnets] == ["subnet-1", "subnet-2"]


def test_a_vpc_with_only_public_subnets_is_refused(stack: cdk.Stack) -> None:
    given = vpc(stack, public_subnet_ids=["subnet-1", "subnet-2"])
    with pytest.raises(InvalidPropsError, match="has neither isolated nor private subnets; give subnets"):
        PrivateNetwork(stack, "Network", vpc=given)


def test_an_interface_endpoint_in_a_given_vpc_has_no_policy(stack: cdk.Stack, resources: Resources) -> None:
    PrivateNetwork(stack, "Network", vpc=vpc(stack), runtime_endpoint=True)
    [endpoint] = resources(stack, "AWS::EC2::VPCEndpoint")
    assert "PolicyDocument" not in endpoint["Properties"]


def test_a_new_vpc_can_have_no_interface_endpoint(stack: cdk.Stack, resources: Resources) -> None:
    PrivateNetwork(stack, "Network", runtime_endpoint=False)
    assert resources(stack, "AWS::EC2::VPCEndpoint") == []


@pytest.mark.parametrize(("region", "where"), [(None, "a stack without a region"), ("us-gov-west-1", "us-gov-west-1")])
def test_unknown_zones_are_an_error_that_names_the_fix(region: str | None, where: str) -> None:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(region=region))
    with pytest.raises(InvalidPropsError) as error:
        PrivateNetwork(stack, "Network")
    assert f"the zones of {where} are not known; give zones, or the stack a region: env=" in str(error.value)


def test_every_problem_of_the_parts_is_named_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidPropsError) as error:
        PrivateNetwork(stack, "Network", cidr="127.0.0.0/16", flow_log_group_name="a b")
    assert "Test/Network/Vpc: 1 problem" in str(error.value)
    assert "Test/Network/FlowLog: 1 problem" in str(error.value)
