"""Networks: what EC2 refuses to make, to change and to delete, with its error codes; zones by account.

moto itself accepts all of it: `test_moto_accepts_what_ec2_refuses` fails once it no longer does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from sagehost import moto_app, patches
from sagehost.accounts import DEFAULT_ACCOUNT
from tests.unit.fresh_accounts import fresh_account

REGION = "us-west-2"
RUNTIME, S3 = f"com.amazonaws.{REGION}.sagemaker.runtime", f"com.amazonaws.{REGION}.s3"


@pytest.fixture(autouse=True)
def _corrected() -> None:
    for service in ("ec2", "iam"):
        patches.install(service)


class Network:
    """A VPC with two subnets in one zone and one in another, a group and a route table."""

    def __init__(self, ec2: Any) -> None:
        self.ec2 = ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        zones = (f"{REGION}a", f"{REGION}b", f"{REGION}a")
        self.subnets = [self.subnet(f"10.0.{number}.0/24", AvailabilityZone=zone) for number, zone in enumerate(zones)]
        self.group = ec2.create_security_group(GroupName="own", Description="own", VpcId=self.vpc)["GroupId"]
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]

    def subnet(self, cidr: str, **given: str) -> str:
        return str(self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, **given)["Subnet"]["SubnetId"])

    def interface_endpoint(self, *subnets: str, **given: Any) -> str:
        asked = {"SubnetIds": subnets, "SecurityGroupIds": [self.group], **given}
        made = self.ec2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=RUNTIME, VpcEndpointType="Interface", **asked)
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def gateway_endpoint(self, *tables: str) -> str:
        made = self.ec2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=S3, RouteTableIds=tables)
        return str(made["VpcEndpoint"]["VpcEndpointId"])


@pytest.fixture
def ec2() -> Any:
    return moto_app.client("ec2", fresh_account(), REGION)


@pytest.fixture
def network(ec2: Any) -> Network:
    return Network(ec2)


@pytest.fixture
def other(ec2: Any) -> Network:
    return Network(ec2)


def refused(call: Callable[[], Any], code: str, words: str) -> None:
    with pytest.raises(ClientError, match=words) as error:
        call()
    assert error.value.response["Error"]["Code"] == code


def no_dns(network: Network, attribute: str) -> None:
    network.ec2.modify_vpc_attribute(VpcId=network.vpc, **{attribute: {"Value": False}})


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_private_dns_takes_both_dns_attributes_of_the_vpc(network: Network, attribute: str) -> None:
    no_dns(network, attribute)
    words = f"enableDnsSupport and enableDnsHostnames VPC attributes set to true for {network.vpc}"
    refused(lambda: network.interface_endpoint(network.subnets[0]), "InvalidParameter", words)
    endpoint = network.interface_endpoint(network.subnets[0], PrivateDnsEnabled=False)
    switch_on = lambda: network.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=True)  # noqa: E731
    refused(switch_on, "InvalidParameter", words)


def test_a_private_dns_name_is_of_one_endpoint_in_a_vpc(network: Network, other: Network) -> None:
    first = network.interface_endpoint(network.subnets[0])
    words = f"conflicting DNS domain for runtime.sagemaker.{REGION}.amazonaws.com in the VPC {network.vpc}"
    refused(lambda: network.interface_endpoint(network.subnets[1]), "InvalidParameter", words)
    other.interface_endpoint(other.subnets[0])
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[first])
    network.interface_endpoint(network.subnets[1])


def test_an_interface_endpoint_has_one_subnet_in_a_zone(network: Network) -> None:
    words = f"Found another VPC endpoint subnet in the availability zone of {network.subnets[2]}"
    refused(lambda: network.interface_endpoint(*network.subnets), "DuplicateSubnetsInSameZone", words)
    endpoint = network.interface_endpoint(*network.subnets[:2])
    change = {"VpcEndpointId": endpoint, "AddSubnetIds": network.subnets[2:]}
    refused(lambda: network.ec2.modify_vpc_endpoint(**change), "DuplicateSubnetsInSameZone", words)
    network.ec2.modify_vpc_endpoint(**change, RemoveSubnetIds=network.subnets[:1])
    [shown] = network.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert sorted(shown["SubnetIds"]) == sorted(network.subnets[1:])


@dataclass(frozen=True)
class Member:
    code: str
    absent: str
    make: Callable[[Network, str], Any]
    of: Callable[[Network], str]


MEMBERS = {
    "subnet": Member("InvalidSubnetId.NotFound", "subnet-0", Network.interface_endpoint, lambda one: one.subnets[0]),
    "security group": Member(
        "InvalidGroup.NotFound",
        "sg-0",
        lambda network, group: network.interface_endpoint(network.subnets[0], SecurityGroupIds=[group]),
        lambda one: str(one.group),
    ),
    "route table": Member(
        "InvalidRouteTableId.NotFound", "rtb-0", Network.gateway_endpoint, lambda one: str(one.table)
    ),
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_subnets_groups_and_tables_of_an_endpoint_are_of_its_vpc(network: Network, other: Network, kind: str) -> None:
    member, stranger = MEMBERS[kind], MEMBERS[kind].of(other)
    refused(lambda: member.make(network, member.absent), member.code, f"'{member.absent}' does not exist")
    refused(lambda: member.make(network, stranger), "InvalidParameter", f"{kind} {stranger} .* different networks")
    assert network.ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_a_route_table_takes_one_gateway_endpoint_of_a_service(network: Network) -> None:
    network.gateway_endpoint(network.table)
    words = f"route table {network.table} already has a route with destination-prefix-list-id pl-"
    refused(lambda: network.gateway_endpoint(network.table), "RouteAlreadyExists", words)
    second = network.gateway_endpoint()
    change = {"VpcEndpointId": second, "AddRouteTableIds": [network.table]}
    refused(lambda: network.ec2.modify_vpc_endpoint(**change), "RouteAlreadyExists", words)


def test_a_network_interface_keeps_its_subnet_and_its_groups(network: Network) -> None:
    ec2, [subnet, *others] = network.ec2, network.subnets
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[network.group])["NetworkInterface"]
    kept = f"The subnet '{subnet}' has dependencies and cannot be deleted."
    refused(lambda: ec2.delete_subnet(SubnetId=subnet), "DependencyViolation", kept)
    kept = f"resource {network.group} has a dependent object"
    refused(lambda: ec2.delete_security_group(GroupId=network.group), "DependencyViolation", kept)
    ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    for one in (subnet, *others):
        ec2.delete_subnet(SubnetId=one)
    ec2.delete_security_group(GroupId=network.group)


def test_an_endpoints_interfaces_have_its_groups(network: Network) -> None:
    network.interface_endpoint(network.subnets[0])
    delete = lambda: network.ec2.delete_security_group(GroupId=network.group)  # noqa: E731
    refused(delete, "DependencyViolation", f"resource {network.group} has a dependent object")


def test_a_group_that_another_groups_rule_names_is_kept(network: Network) -> None:
    ec2, group = network.ec2, network.group
    naming = ec2.create_security_group(GroupName="naming", Description="naming", VpcId=network.vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": group}]}
    for one in (naming, group):  # a rule about itself keeps no group
        ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[rule])
    refused(lambda: ec2.delete_security_group(GroupId=group), "DependencyViolation", "has a dependent object")
    ec2.delete_security_group(GroupId=naming)
    ec2.delete_security_group(GroupId=group)


def gateway(ec2: Any, vpc: str) -> None:
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)


@pytest.mark.parametrize(
    "leave",
    [
        lambda ec2, vpc: ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc),
        lambda ec2, vpc: ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=S3),
        lambda ec2, vpc: ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24"),
        lambda ec2, vpc: ec2.create_route_table(VpcId=vpc),
        gateway,
    ],
    ids=["security group", "gateway endpoint", "subnet", "route table", "internet gateway"],
)
def test_a_vpc_with_something_in_it_is_kept(ec2: Any, leave: Callable[[Any, str], Any]) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    leave(ec2, vpc)
    refused(lambda: ec2.delete_vpc(VpcId=vpc), "DependencyViolation", "has dependencies and cannot be deleted.")


@pytest.mark.parametrize(
    ("cidr", "code"), [("10.0.0.128/25", "InvalidSubnet.Conflict"), ("10.9.0.0/24", "InvalidSubnet.Range")]
)
def test_a_subnets_range_is_in_its_vpc_and_its_own(network: Network, cidr: str, code: str) -> None:
    refused(lambda: network.subnet(cidr), code, cidr)


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        ({"AvailabilityZoneId": "usw2-az9"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "us-east-1a"}, "InvalidParameterValue"),
        ({"AvailabilityZone": f"{REGION}a", "AvailabilityZoneId": "usw2-az1"}, "InvalidParameterCombination"),
    ],
)
def test_a_subnet_is_in_one_zone_of_the_region(network: Network, zone: dict[str, str], code: str) -> None:
    refused(lambda: network.subnet("10.0.9.0/24", **zone), code, "vailab")


def zone_ids(ec2: Any) -> dict[str, str]:
    return {zone["ZoneName"]: zone["ZoneId"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]}


def test_a_zones_name_means_another_zone_in_another_account() -> None:
    first, second = (zone_ids(moto_app.client("ec2", fresh_account(), "us-east-1")) for _ in range(2))
    assert first.keys() == second.keys()
    assert sorted(first.values()) == sorted(second.values()) == [f"use1-az{number}" for number in range(1, 7)]
    assert first["us-east-1a"] != second["us-east-1a"]


def test_the_default_accounts_first_zone_is_not_the_regions() -> None:
    assert zone_ids(moto_app.client("ec2", DEFAULT_ACCOUNT, "us-east-1"))["us-east-1a"] == "use1-az2"


def test_a_subnet_by_zone_id_has_the_accounts_name_of_it(network: Network) -> None:
    names = {zone_id: name for name, zone_id in zone_ids(network.ec2).items()}
    subnet = network.subnet("10.0.9.0/24", AvailabilityZoneId="usw2-az1")
    [shown] = network.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert (shown["AvailabilityZoneId"], shown["AvailabilityZone"]) == ("usw2-az1", names["usw2-az1"])


def offered(ec2: Any, kind: str, **filters: list[str]) -> set[str]:
    wanted = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
    found = ec2.describe_instance_type_offerings(LocationType=kind, Filters=wanted)["InstanceTypeOfferings"]
    return {one["Location"] for one in found}


def test_offers_of_instance_types_by_zone_name_are_those_by_id(network: Network) -> None:
    ids, ec2 = zone_ids(network.ec2), network.ec2
    by_id = offered(ec2, "availability-zone-id", instance_type=["g5.2xlarge"])
    by_name = offered(ec2, "availability-zone", instance_type=["g5.2xlarge"])
    assert {ids[name] for name in by_name} == by_id != set(ids.values())
    one = min(by_name)
    assert offered(ec2, "availability-zone", instance_type=["g5.2xlarge"], location=[one]) == {one}


@pytest.mark.parametrize(
    ("owner", "operation", "delete"),
    [
        (SubnetBackend, "delete_subnet", lambda one: one.ec2.delete_subnet(SubnetId=one.subnets[0])),
        (SecurityGroupBackend, "_delete_security_group", lambda one: one.ec2.delete_security_group(GroupId=one.group)),
        (VPCBackend, "create_vpc_endpoint", lambda one: one.interface_endpoint(*one.subnets)),
        (SubnetBackend, "create_subnet", lambda one: one.subnet("10.0.9.0/24", AvailabilityZone="us-east-1a")),
    ],
)
def test_moto_accepts_what_ec2_refuses(
    network: Network, monkeypatch: pytest.MonkeyPatch, owner: type, operation: str, delete: Callable[[Network], Any]
) -> None:
    network.ec2.create_network_interface(SubnetId=network.subnets[0], Groups=[network.group])
    own = getattr(owner, operation)
    while hasattr(own, "__wrapped__"):
        own = own.__wrapped__
    monkeypatch.setattr(owner, operation, own)
    delete(network)
