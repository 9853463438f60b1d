from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from sagemaker_tgi import InvalidPropsError, IsolatedVpc, RuntimeInterfaceEndpoint

Only = Callable[[cdk.Stack, str], dict[str, Any]]

BOTH = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]


@pytest.fixture
def network(stack: cdk.Stack) -> IsolatedVpc:
    return IsolatedVpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b"])


def test_the_runtime_answers_under_its_usual_name_in_every_zone(
    stack: cdk.Stack, network: IsolatedVpc, only: Only
) -> None:
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=network.subnets)
    endpoint = only(stack, "AWS::EC2::VPCEndpoint")["Properties"]
    assert endpoint["ServiceName"] == "com.amazonaws.eu-west-1.sagemaker.runtime"
    assert endpoint["VpcEndpointType"] == "Interface"
    assert endpoint["PrivateDnsEnabled"] is True
    assert endpoint["SubnetIds"] == [stack.resolve(subnet.subnet_id) for subnet in network.subnets]


def test_only_endpoints_of_the_account_can_be_invoked_through_it(
    stack: cdk.Stack, network: IsolatedVpc, only: Only
) -> None:
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=network.subnets)
    [statement] = only(stack, "AWS::EC2::VPCEndpoint")["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == BOTH
    assert statement["Resource"] == "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/*"


def test_an_interface_endpoint_in_a_shared_vpc_has_no_policy(
    stack: cdk.Stack, network: IsolatedVpc, only: Only
) -> None:
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=network.subnets, shared=True)
    assert "PolicyDocument" not in only(stack, "AWS::EC2::VPCEndpoint")["Properties"]


def test_only_the_vpc_reaches_the_runtime_and_only_by_https(stack: cdk.Stack, network: IsolatedVpc, only: Only) -> None:
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=network.subnets)
    [rule] = only(stack, "AWS::EC2::SecurityGroup")["Properties"]["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("10.0.0.0/16", "tcp", 443, 443)


def test_one_subnet_per_zone_is_used(stack: cdk.Stack, only: Only) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Existing",
        vpc_id="vpc-1",
        vpc_cidr_block="10.2.0.0/16",
        availability_zones=["eu-west-1a", "eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-1", "subnet-2", "subnet-3"],
    )
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=vpc, subnets=vpc.isolated_subnets)
    assert only(stack, "AWS::EC2::VPCEndpoint")["Properties"]["SubnetIds"] == ["subnet-1", "subnet-3"]


def test_a_runtime_without_interfaces_is_refused(stack: cdk.Stack, network: IsolatedVpc) -> None:
    with pytest.raises(InvalidPropsError, match=r"subnets=\[\]: leaves the endpoint without an interface"):
        RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=[])
