from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from sagemaker_tgi import ArtifactGatewayEndpoint, InvalidPropsError, IsolatedVpc, ModelArtifact

Only = Callable[[cdk.Stack, str], dict[str, Any]]


@pytest.fixture
def network(stack: cdk.Stack) -> IsolatedVpc:
    return IsolatedVpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b"])


def artifacts(
    stack: cdk.Stack, network: IsolatedVpc, route_table_ids: list[str], *, shared: bool = False
) -> ArtifactGatewayEndpoint:
    return ArtifactGatewayEndpoint(
        stack,
        "Artifacts",
        vpc=network.vpc,
        route_table_ids=route_table_ids,
        artifact=ModelArtifact.from_uri("s3://weights/mistral/"),
        shared=shared,
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


def test_requests_of_others_in_a_shared_vpc_are_not_cut_off(stack: cdk.Stack, network: IsolatedVpc, only: Only) -> None:
    artifacts(stack, network, network.route_table_ids, shared=True)
    assert "PolicyDocument" not in only(stack, "AWS::EC2::VPCEndpoint")["Properties"]


def test_a_gateway_endpoint_without_route_tables_is_refused(stack: cdk.Stack, network: IsolatedVpc) -> None:
    with pytest.raises(InvalidPropsError, match=r"route_table_ids=\[\]: leaves it without a route"):
        artifacts(stack, network, [])
