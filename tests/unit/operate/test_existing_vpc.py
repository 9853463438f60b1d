"""What stands against deploying into an existing VPC, found beforehand; the embedded EC2 refuses the same things."""

from collections.abc import Callable
from typing import Any

import pytest

from mistral7b.environment import Environment
from mistral7b.environment.schema import Instance
from mistral7b.operate.existing_vpc import vpc_findings
from mistral7b_cli.demo.prerequisites import prerequisites
from sagehost import moto_app
from tests.unit.fresh_accounts import fresh_account

REGION = "us-west-2"
VPC, OTHER_VPC = "vpc-0123456789abcdef0", "vpc-0123456789abcdef1"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
TABLE, OTHER_TABLE = "rtb-0123456789abcdef0", "rtb-0123456789abcdef1"
ZONES = ["usw2-az1", "usw2-az2"]


def environment(**existing: Any) -> Environment:
    given = {"vpc_id": VPC, "cidr": "10.20.0.0/16", "subnet_ids": SUBNETS, "availability_zones": ZONES}
    vpc = {**given, "route_table_ids": [TABLE], **existing}
    runtime = vpc.pop("runtime_endpoint", True)
    network = {"existing_vpc": vpc, "runtime_endpoint": runtime}
    return Environment.model_validate({"name": "dev", "region": REGION, "network": network})


@pytest.fixture
def ec2() -> Any:
    """Of an account with the VPC as the file has it, and another VPC."""
    account = fresh_account()
    for other in ({}, {"vpc_id": OTHER_VPC, "subnet_ids": [one.replace("0123", "3210") for one in SUBNETS]}):
        env = environment(**other, route_table_ids=[OTHER_TABLE] if other else [TABLE])
        list(prerequisites(env, account, moto_app.client))
    return moto_app.client("ec2", account, REGION)


def problems(ec2: Any, env: Environment) -> list[tuple[str, Any, str]]:
    vpc = env.network.existing_vpc
    assert vpc is not None
    return [(one.field, one.value, one.found) for one in vpc_findings(ec2, env, vpc)]


def test_nothing_is_found_where_the_vpc_is_as_the_file_says(ec2: Any) -> None:
    assert problems(ec2, environment()) == []


def test_zones_may_be_written_by_this_accounts_names(ec2: Any) -> None:
    shown = {one["SubnetId"]: one for one in ec2.describe_subnets(SubnetIds=SUBNETS)["Subnets"]}
    names = [shown[subnet]["AvailabilityZone"] for subnet in SUBNETS]
    assert problems(ec2, environment(availability_zones=names)) == []


DIFFERENT: dict[str, tuple[dict[str, Any], str, Any, str]] = {
    "vpc": ({"vpc_id": "vpc-0123456789abcdeff"}, "vpc_id", "vpc-0123456789abcdeff", "no such VPC in us-west-2"),
    "range": ({"cidr": "10.21.0.0/16"}, "cidr", "10.21.0.0/16", f"{VPC} has 10.20.0.0/16"),
    "subnet": (
        {"subnet_ids": [SUBNETS[0], "subnet-0123456789abcdeff"]},
        "subnet_ids",
        "subnet-0123456789abcdeff",
        f"{VPC} has none of this id",
    ),
    "route table": (
        {"route_table_ids": [TABLE, OTHER_TABLE]},
        "route_table_ids",
        OTHER_TABLE,
        f"{VPC} has none of this id",
    ),
    "zone": (
        {"availability_zones": ["usw2-az1", "usw2-az3"]},
        "availability_zones",
        "usw2-az3",
        f"{SUBNETS[1]} is in usw2-az2, which this account calls ",
    ),
    "no way to S3": (
        {"route_table_ids": []},
        "route_table_ids",
        [],
        f"route table {TABLE} of {SUBNETS[0]} has no route to Amazon S3",
    ),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_differs_from_the_file_is_named_by_its_field(ec2: Any, case: str) -> None:
    """An existing VPC has the file's range, subnets, route tables and zones; a way to S3 for every subnet, and not two
    S3 gateway endpoints on a route table; for private DNS of the runtime both DNS attributes, and no other endpoint
    with that name. Source: EC2 API, CreateVpcEndpoint; asked by the commands doctor and pipeline check.
    """
    given, field, value, reason = DIFFERENT[case]
    found = problems(ec2, environment(**given))
    assert found[0][:2] == (f"network.existing_vpc.{field}", value)
    assert reason in found[0][2]


def runtime(ec2: Any, **given: Any) -> str:
    service = f"com.amazonaws.{REGION}.sagemaker.runtime"
    made = ec2.create_vpc_endpoint(
        VpcId=VPC, ServiceName=service, VpcEndpointType="Interface", SubnetIds=SUBNETS[:1], **given
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def s3_gateway(ec2: Any, **given: Any) -> str:
    made = ec2.create_vpc_endpoint(VpcId=VPC, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[TABLE], **given)
    return str(made["VpcEndpoint"]["VpcEndpointId"])


@pytest.mark.parametrize("attribute", ["enableDnsSupport", "enableDnsHostnames"])
def test_dns_attributes_matter_where_there_is_to_be_a_runtime_endpoint(ec2: Any, attribute: str) -> None:
    ec2.modify_vpc_attribute(VpcId=VPC, **{attribute[0].upper() + attribute[1:]: {"Value": False}})
    reason = f"{attribute} of {VPC} is off, and private DNS takes it"
    assert problems(ec2, environment()) == [("network.runtime_endpoint", True, reason)]
    assert problems(ec2, environment(runtime_endpoint=False)) == []


@pytest.mark.parametrize("private", [True, False])
def test_a_runtime_endpoint_of_others_counts_by_its_private_dns(ec2: Any, private: bool) -> None:
    endpoint = runtime(ec2, PrivateDnsEnabled=private)
    reason = f"{endpoint} has the runtime's private DNS name in {VPC}, which can have only one"
    assert problems(ec2, environment()) == ([("network.runtime_endpoint", True, reason)] if private else [])
    assert problems(ec2, environment(runtime_endpoint=False)) == []


def test_a_route_table_with_an_s3_gateway_endpoint_is_to_be_left_out(ec2: Any) -> None:
    endpoint = s3_gateway(ec2)
    reason = f"it has a route to S3 by {endpoint}, and can have only one"
    assert problems(ec2, environment()) == [("network.existing_vpc.route_table_ids", TABLE, reason)]
    assert problems(ec2, environment(route_table_ids=[])) == []


@pytest.mark.parametrize("make", [runtime, s3_gateway])
def test_what_the_environments_own_stack_has_made_does_not_count(ec2: Any, make: Callable[..., str]) -> None:
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "mistral-7b-dev-endpoint"}
    ec2.create_tags(Resources=[make(ec2)], Tags=[tag])
    assert problems(ec2, environment()) == []


def test_a_way_to_the_internet_is_one_to_s3(ec2: Any) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=VPC)
    ec2.create_route(RouteTableId=TABLE, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert problems(ec2, environment(route_table_ids=[])) == []


def test_a_subnet_without_a_route_table_of_its_own_is_on_the_main_one(ec2: Any) -> None:
    found = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [VPC]}])["RouteTables"]
    own = next(one for one in found if one["RouteTableId"] == TABLE)
    first = next(one for one in own["Associations"] if one.get("SubnetId") == SUBNETS[0])
    ec2.disassociate_route_table(AssociationId=first["RouteTableAssociationId"])
    main = next(one["RouteTableId"] for one in found if any(part["Main"] for part in one["Associations"]))
    reason = f"route table {main} of {SUBNETS[0]} has no route to Amazon S3"
    assert problems(ec2, environment()) == [("network.existing_vpc.route_table_ids", [TABLE], reason)]


def test_too_few_free_addresses_fail_the_deployment_or_later_an_update() -> None:
    """Two addresses for each instance, twice during an update. Source: SageMaker developer guide, "Ensure That Subnets
    Have Enough IP Addresses".
    """
    account = fresh_account()  # its subnets have 11 free addresses each
    for count, outcomes in ((5, []), (6, ["warning"]), (12, ["failure"])):
        env = environment(cidr="10.20.0.0/26").model_copy(update={"instance": Instance(count=count)})
        list(prerequisites(env, account, moto_app.client))
        client, vpc = moto_app.client("ec2", account, REGION), env.network.existing_vpc
        assert vpc
        assert [one.outcome for one in vpc_findings(client, env, vpc)] == outcomes
