import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from sagemaker_tgi import InvalidPropsError, IsolatedVpc

Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


def test_there_is_one_private_subnet_a_zone(stack: cdk.Stack, resources: Resources) -> None:
    IsolatedVpc(stack, "Vpc", availability_zones=ZONES)
    subnets = [subnet["Properties"] for subnet in resources(stack, "AWS::EC2::Subnet")]
    assert [subnet["AvailabilityZone"] for subnet in subnets] == ZONES
    assert all(subnet["MapPublicIpOnLaunch"] is False for subnet in subnets)


def test_there_is_no_way_to_the_internet(stack: cdk.Stack) -> None:
    IsolatedVpc(stack, "Vpc", availability_zones=ZONES)
    types = {resource["Type"] for resource in Template.from_stack(stack).to_json()["Resources"].values()}
    assert types == {
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SubnetRouteTableAssociation",
    }


def test_private_dns_works_inside(stack: cdk.Stack, resources: Resources) -> None:
    IsolatedVpc(stack, "Vpc", availability_zones=ZONES)
    [vpc] = resources(stack, "AWS::EC2::VPC")
    assert vpc["Properties"]["EnableDnsHostnames"] is True
    assert vpc["Properties"]["EnableDnsSupport"] is True


def test_a_zone_that_is_added_later_moves_no_subnet(stack: cdk.Stack, resources: Resources) -> None:
    app = cdk.App(builtin_cloud_formation_validation=False)
    other = cdk.Stack(app, "Other", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    IsolatedVpc(stack, "Vpc", availability_zones=ZONES[:2])
    IsolatedVpc(other, "Vpc", availability_zones=ZONES)
    before = [subnet["Properties"]["CidrBlock"] for subnet in resources(stack, "AWS::EC2::Subnet")]
    after = [subnet["Properties"]["CidrBlock"] for subnet in resources(other, "AWS::EC2::Subnet")]
    assert before == ["10.0.0.0/19", "10.0.32.0/19"]
    assert after == [*before, "10.0.64.0/19"]


def test_the_smallest_vpc_is_cut_into_the_smallest_subnets(stack: cdk.Stack, resources: Resources) -> None:
    IsolatedVpc(stack, "Vpc", availability_zones=ZONES[:2], cidr="10.1.0.0/27")
    blocks = [subnet["Properties"]["CidrBlock"] for subnet in resources(stack, "AWS::EC2::Subnet")]
    assert blocks == ["10.1.0.0/28", "10.1.0.16/28"]


def test_synth_asks_the_account_for_nothing(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    concrete = cdk.Stack(app, "Test", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    IsolatedVpc(concrete, "Vpc", availability_zones=ZONES)
    app.synth()
    assert "missing" not in json.loads((tmp_path / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("zones", "cidr", "problem"),
    [
        (ZONES[:1], "10.0.0.0/16", "availability_zones=['eu-west-1a']: are too few or too many; give from 2 to 8"),
        (["eu-west-1a"] * 2, "10.0.0.0/16", "names a zone twice; give each zone once"),
        (ZONES, "10.0.0.0/27", "are too few or too many; give from 2 to 2 zones"),
        (ZONES, "10.0.0.0/28", "cidr='10.0.0.0/28': is no VPC that two subnets fit into; use a range from /16 to /27"),
        (ZONES, "10.0.0.0/15", "cidr='10.0.0.0/15': is no VPC"),
        (ZONES, "127.0.0.0/16", "cidr='127.0.0.0/16': AWS makes no VPC of this range"),
        (ZONES, "172.17.0.0/20", "cidr='172.17.0.0/20': it is in conflict with 172.17.0.0/16"),
        (ZONES, "10.0.0.1/16", "10.0.0.1/16 has host bits set; write an IPv4 range"),
    ],
)
def test_what_makes_no_vpc_is_refused(stack: cdk.Stack, zones: list[str], cidr: str, problem: str) -> None:
    with pytest.raises(InvalidPropsError) as error:
        IsolatedVpc(stack, "Vpc", availability_zones=zones, cidr=cidr)
    assert problem in str(error.value)


def test_every_problem_of_a_vpc_is_named_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidPropsError, match="Test/Vpc: 2 problems with its props"):
        IsolatedVpc(stack, "Vpc", availability_zones=[], cidr="everywhere")
