from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from sagemaker_tgi import ArtifactGatewayEndpoint, InvalidPropsError, IsolatedVpc, RuntimeInterfaceEndpoint

Only = Callable[[cdk.Stack, str], dict[str, Any]]


@pytest.fixture
def network(stack: cdk.Stack) -> IsolatedVpc:
    return IsolatedVpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b"])


def artifacts(stack: cdk.Stack, network: IsolatedVpc, route_table_ids: list[str]) -> ArtifactGatewayEndpoint:
    return ArtifactGatewayEndpoint(
        stack, "Artifacts", vpc=network.vpc, route_table_ids=route_table_ids, artifact_bucket_name="weights"
    )


def test_the_way_to_s3_is_on_every_route_table(stack: cdk.Stack, network: IsolatedVpc, only: Only) -> None:
    artifacts(stack, network, network.route_table_ids)
    endpoint = only(stack, "AWS::EC2::VPCEndpoint")["Properties"]
    assert (endpoint["VpcEndpointType"], endpoint["ServiceName"]) == ("Gateway", "com.amazonaws.eu-west-1.s3")
    assert endpoint["RouteTableIds"] == [stack.resolve(table) for table in network.route_table_ids]


def test_a_route_table_that_subnets_share_is_named_once(stack: cdk.Stack, network: IsolatedVpc, only: Only) -> None:
    artifacts(stack, network, ["rtb-1", "rtb-2", "rtb-1"])
    assert only(stack, "AWS::EC2::VPCEndpoint")["Properties"]["RouteTableIds"] == ["rtb-1", "rtb-2"]


def test_only_reads_of_the_artifact_bucket_pass(stack: cdk.Stack, network: IsolatedVpc, only: Only) -> None:
    artifacts(stack, network, network.route_table_ids)
    statements = only(stack, "AWS::EC2::VPCEndpoint")["Properties"]["PolicyDocument"]["Statement"]
    assert [(s["Effect"], s["Action"], s["Resource"]) for s in statements] == [
        ("Allow", "s3:GetObject", "arn:aws:s3:::weights/*"),
        ("Allow", "s3:ListBucket", "arn:aws:s3:::weights"),
    ]


def test_a_gateway_endpoint_without_route_tables_is_refused(stack: cdk.Stack, network: IsolatedVpc) -> None:
    with pytest.raises(InvalidPropsError, match=r"route_table_ids=\[\]: leaves the endpoint without a route"):
        artifacts(stack, network, [])


def test_the_runtime_answers_under_its_usual_name_in_every_zone(
    stack: cdk.Stack, network: IsolatedVpc, only: Only
) -> None:
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=network.subnets, endpoint_name="chat")
    endpoint = only(stack, "AWS::EC2::VPCEndpoint")["Properties"]
    assert endpoint["ServiceName"] == "com.amazonaws.eu-west-1.sagemaker.runtime"
    assert endpoint["VpcEndpointType"] == "Interface"
    assert endpoint["PrivateDnsEnabled"] is True
    assert endpoint["SubnetIds"] == [stack.resolve(subnet.subnet_id) for subnet in network.subnets]


def test_only_one_endpoint_can_be_invoked_through_it(stack: cdk.Stack, network: IsolatedVpc, only: Only) -> None:
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=network.subnets, endpoint_name="Chat")
    [statement] = only(stack, "AWS::EC2::VPCEndpoint")["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sagemaker:InvokeEndpoint"
    assert statement["Resource"] == "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/chat"


def test_only_the_vpc_reaches_the_runtime_and_only_by_https(stack: cdk.Stack, network: IsolatedVpc, only: Only) -> None:
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=network.vpc, subnets=network.subnets, endpoint_name="chat")
    [rule] = only(stack, "AWS::EC2::SecurityGroup")["Properties"]["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("10.0.0.0/16", "tcp", 443, 443)


def test_of_several_subnets_in_a_zone_the_runtime_takes_one(stack: cdk.Stack, only: Only) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Existing",
        vpc_id="vpc-1",
        vpc_cidr_block="10.2.0.0/16",
        availability_zones=["eu-west-1a", "eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-1", "subnet-2", "subnet-3"],
    )
    RuntimeInterfaceEndpoint(stack, "Runtime", vpc=vpc, subnets=vpc.isolated_subnets, endpoint_name="chat")
    assert only(stack, "AWS::EC2::VPCEndpoint")["Properties"]["SubnetIds"] == ["subnet-1", "subnet-3"]
