import ipaddress
import json
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_tgi import InvalidPropsError, IsolatedVpc

Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]
ZONES = ["euw1-az1", "euw1-az2", "euw1-az3"]
NAMES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
EIGHT = {"ids": [f"euw1-az{n}" for n in range(1, 9)], "names": [f"eu-west-1{letter}" for letter in "abcdefgh"]}


def test_there_is_one_private_subnet_a_zone(stack: cdk.Stack, resources: Resources) -> None:
    IsolatedVpc(stack, "Vpc", availability_zones=ZONES)
    subnets = [subnet["Properties"] for subnet in resources(stack, "AWS::EC2::Subnet")]
    assert [subnet["AvailabilityZoneId"] for subnet in subnets] == ZONES
    assert all(subnet["MapPublicIpOnLaunch"] is False for subnet in subnets)


@pytest.mark.parametrize(
    ("zones", "expected"), [(ZONES, {"AvailabilityZoneId": ZONES}), (NAMES, {"AvailabilityZone": NAMES})]
)
def test_a_subnet_has_its_zone_by_the_id_or_by_the_name_that_was_given(
    zones: list[str], expected: dict[str, list[str]], stack: cdk.Stack, resources: Resources
) -> None:
    IsolatedVpc(stack, "Vpc", availability_zones=zones)
    found: dict[str, list[str]] = {}
    for subnet in resources(stack, "AWS::EC2::Subnet"):
        for name in subnet["Properties"].keys() & {"AvailabilityZone", "AvailabilityZoneId"}:
            found.setdefault(name, []).append(subnet["Properties"][name])
    assert found == expected


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


def places(scope: cdk.Stack, number: int, zones: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Logical id and range of each zone's subnet, of a VPC in a stack of its own."""
    stack = cdk.Stack(scope, f"Stack{number}")
    vpc = IsolatedVpc(stack, "Vpc", availability_zones=list(zones))
    found = {}
    for subnet in vpc.subnets:
        resource = subnet.node.default_child
        assert isinstance(resource, ec2.CfnSubnet)
        assert resource.cidr_block is not None
        found[subnet.availability_zone] = (stack.resolve(resource.logical_id), resource.cidr_block)
    return found


@pytest.mark.parametrize("kind", EIGHT)
def test_a_zone_keeps_its_range_and_logical_id_whatever_other_zones_there_are(kind: str, stack: cdk.Stack) -> None:
    all_eight = places(stack, 0, EIGHT[kind])
    number = iter(range(1, 1000))

    @settings(max_examples=25, derandomize=True, database=None, deadline=None)
    @given(zones=st.lists(st.sampled_from(EIGHT[kind]), min_size=2, unique=True))
    def hold(zones: list[str]) -> None:
        assert places(stack, next(number), zones) == {zone: all_eight[zone] for zone in zones}

    hold()


@pytest.mark.parametrize("kind", EIGHT)
def test_each_zone_has_an_eighth_of_the_vpc_to_itself(kind: str, stack: cdk.Stack) -> None:
    ranges = [ipaddress.IPv4Network(cidr) for _, cidr in places(stack, 0, EIGHT[kind]).values()]
    assert {network.prefixlen for network in ranges} == {19}
    assert [pair for pair in combinations(ranges, 2) if pair[0].overlaps(pair[1])] == []


def test_the_smallest_vpc_is_cut_into_the_smallest_subnets(stack: cdk.Stack, resources: Resources) -> None:
    IsolatedVpc(stack, "Vpc", availability_zones=ZONES[:2], cidr="10.1.0.0/27")
    blocks = [subnet["Properties"]["CidrBlock"] for subnet in resources(stack, "AWS::EC2::Subnet")]
    assert blocks == ["10.1.0.0/28", "10.1.0.16/28"]


def test_synth_needs_no_lookup(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    concrete = cdk.Stack(app, "Test", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    IsolatedVpc(concrete, "Vpc", availability_zones=ZONES)
    app.synth()
    assert "missing" not in json.loads((tmp_path / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("zones", "cidr", "problem"),
    [
        (ZONES[:1], "10.0.0.0/16", "availability_zones=['euw1-az1']: are too few; give from 2 to 8 zones"),
        ([], "10.0.0.0/27", "are too few; give from 2 to 2 zones"),
        (["euw1-az1"] * 2, "10.0.0.0/16", "names a zone twice; give each zone once"),
        (["euw1-az1", "euw1-az3"], "10.0.0.0/27", "share a range of the VPC; give only ids or only names, and a /25"),
        (["euw1-az2", "eu-west-1b"], "10.0.0.0/16", "share a range of the VPC; give only ids or only names"),
        (["euw1-az9", "euw1-az1"], "10.0.0.0/16", "availability_zones='euw1-az9': does not match"),
        (["eu-west-1i", "eu-west-1a"], "10.0.0.0/16", "write it like use1-az1 or us-east-1a"),
        (ZONES, "10.0.0.0/28", "cidr='10.0.0.0/28': is no VPC that two subnets fit into, from /16 to /27; write a"),
        (ZONES, "10.0.0.0/15", "cidr='10.0.0.0/15': is no VPC"),
        (ZONES, "127.0.0.0/16", "cidr='127.0.0.0/16': AWS makes no VPC of this range"),
        (ZONES, "172.17.0.0/20", "cidr='172.17.0.0/20': is in conflict with 172.17.0.0/16"),
        (ZONES, "10.0.0.0/255.255.0.0", "cidr='10.0.0.0/255.255.0.0': is not in CIDR notation"),
        (ZONES, "10.0.0.1/16", "10.0.0.1/16 has host bits set; write a private IPv4 range"),
    ],
)
def test_an_impossible_vpc_is_refused(stack: cdk.Stack, zones: list[str], cidr: str, problem: str) -> None:
    """A new VPC not within 172.17.0.0/16, which SageMaker uses. Source: Amazon VPC user guide, VPC CIDR blocks."""
    with pytest.raises(InvalidPropsError) as error:
        IsolatedVpc(stack, "Vpc", availability_zones=zones, cidr=cidr)
    assert problem in str(error.value)


def test_every_problem_of_a_vpc_is_named_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidPropsError, match="Test/Vpc: 2 problems with its props"):
        IsolatedVpc(stack, "Vpc", availability_zones=[], cidr="everywhere")
