"""Network interfaces of endpoints in a VPC: who may make them, where they are, when they go."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.sagehost.hosting.conftest import ACCOUNT, REGION

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
INTERFACES, SUBNETS, GROUPS = (f"{EC2}:{kind}/*" for kind in ("network-interface", "subnet", "security-group"))
_NUMBERS = itertools.count(1)
Statements = dict[str, dict[str, Any]]
Settled = Callable[[str], dict[str, Any]]


def allow(*actions: str, on: list[str] | str = "*", vpc: str | None = None) -> dict[str, Any]:
    condition = {"Condition": {"ArnEquals": {"ec2:Vpc": f"{EC2}:vpc/{vpc}"}}} if vpc else {}
    return {"Effect": "Allow", "Action": [f"ec2:{action}" for action in actions], "Resource": on, **condition}


def statements(vpc: str) -> Statements:
    """What an execution role needs for interfaces in one VPC and no other."""
    described = [
        f"Describe{what}" for what in ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
    ]
    return {
        "create": allow("CreateNetworkInterface", on=INTERFACES),
        "place": allow("CreateNetworkInterface", on=[SUBNETS, GROUPS], vpc=vpc),
        "attach": allow("CreateNetworkInterfacePermission", on=INTERFACES, vpc=vpc),
        "remove": allow("DeleteNetworkInterface", on=INTERFACES, vpc=vpc),
        "detach": allow("DeleteNetworkInterfacePermission"),
        "describe": allow(*described),
    }


@dataclass(frozen=True)
class Site:
    """A VPC with two subnets, and a role that may use it."""

    ec2: Any
    iam: Any
    vpc: str
    subnets: list[str]
    group: str
    role: str

    def permit(self, statements: Statements) -> None:
        """Give the role these statements and no others."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements.values())})
        self.iam.put_role_policy(RoleName=self.role, PolicyName="interfaces", PolicyDocument=document)

    def interfaces(self) -> list[dict[str, Any]]:
        found = self.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])
        return list(found["NetworkInterfaces"])

    def left(self, count: int) -> list[str]:
        """The subnets of the interfaces that are left, once there are so many."""
        for _ in range(1000):
            if len(found := self.interfaces()) == count:
                return sorted(one["SubnetId"] for one in found)
            threading.Event().wait(0.01)
        raise AssertionError(f"{len(found)} interfaces after ten seconds, not {count}")


@pytest.fixture
def site(client: Callable[..., Any]) -> Site:
    ec2, iam, number = client("ec2"), client("iam"), next(_NUMBERS)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="model", Description="model", VpcId=vpc)["GroupId"]
    trusted = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    made = Site(ec2, iam, vpc, sorted(subnets), group, f"in-vpc-{number}")
    iam.create_role(RoleName=made.role, AssumeRolePolicyDocument=trust)
    made.permit(statements(vpc))
    return made


@pytest.fixture
def model(site: Site, make_model: Callable[..., str]) -> Callable[..., str]:
    """A model in the site's subnets, or in some of them."""

    def make(environment: dict[str, str] | None = None, subnets: list[str] | None = None) -> str:
        vpc = {"Subnets": subnets or site.subnets, "SecurityGroupIds": [site.group]}
        return make_model(environment, ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{site.role}", VpcConfig=vpc)

    return make


def test_every_instance_has_an_interface_and_they_are_spread_over_the_subnets(
    site: Site, model: Callable[..., str], deploy: Callable[..., str]
) -> None:
    name = deploy(ModelName=model(), InitialInstanceCount=2)
    found = site.interfaces()
    assert sorted(one["SubnetId"] for one in found) == site.subnets
    for one in found:
        assert (one["Status"], one["RequesterManaged"]) == ("in-use", True)
        assert [group["GroupId"] for group in one["Groups"]] == [site.group]
        assert name in one["Description"]


def test_an_interface_in_use_cannot_be_deleted(
    site: Site, model: Callable[..., str], deploy: Callable[..., str]
) -> None:
    deploy(ModelName=model())
    [one] = site.interfaces()
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*is currently in use"):
        site.ec2.delete_network_interface(NetworkInterfaceId=one["NetworkInterfaceId"])


@pytest.mark.parametrize(
    ("missing", "refused"),
    [
        ("create", "ec2:CreateNetworkInterface on resource: arn:aws:ec2:us-east-1:111122223333:network-interface/*"),
        ("place", "ec2:CreateNetworkInterface on resource: arn:aws:ec2:us-east-1:111122223333:subnet/subnet-"),
        ("attach", "ec2:CreateNetworkInterfacePermission on resource: arn:aws:ec2:us-east-1:111122223333:network-in"),
        ("describe", "ec2:DescribeDhcpOptions on resource: *"),
    ],
)
def test_a_role_that_may_not_make_interfaces_fails_the_endpoint(
    *, site: Site, model: Callable[..., str], deploy: Callable[..., str], settled: Settled, missing: str, refused: str
) -> None:
    site.permit({name: one for name, one in statements(site.vpc).items() if name != missing})
    described = settled(deploy(ModelName=model()))
    assert described["EndpointStatus"] == "Failed"
    assert f"is not authorized to perform: {refused}" in described["FailureReason"]
    site.left(0)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"create": allow("CreateNetworkInterface", on=INTERFACES, vpc="{vpc}")}, id="no key of a new one"),
        pytest.param({"place": allow("CreateNetworkInterface", on=[SUBNETS, GROUPS], vpc="vpc-0")}, id="another VPC"),
    ],
)
def test_conditions_on_the_vpc_are_evaluated(
    site: Site, model: Callable[..., str], deploy: Callable[..., str], settled: Settled, wrong: Statements
) -> None:
    site.permit({**statements(site.vpc), **json.loads(json.dumps(wrong).replace("{vpc}", site.vpc))})
    assert settled(deploy(ModelName=model()))["EndpointStatus"] == "Failed"


def test_a_deleted_endpoints_interfaces_go_some_time_after_it(
    site: Site, model: Callable[..., str], deploy: Callable[..., str], sagemaker: Any
) -> None:
    sagemaker.delete_endpoint(EndpointName=deploy(ModelName=model()))
    assert len(site.interfaces()) == 1
    site.left(0)


def without(site: Site, name: str) -> Statements:
    return {other: one for other, one in statements(site.vpc).items() if other != name}


def delete_role(site: Site) -> None:
    site.iam.delete_role_policy(RoleName=site.role, PolicyName="interfaces")
    site.iam.delete_role(RoleName=site.role)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(lambda site: site.permit(without(site, "remove")), id="DeleteNetworkInterface"),
        pytest.param(lambda site: site.permit(without(site, "detach")), id="DeleteNetworkInterfacePermission"),
        pytest.param(lambda site: site.permit(statements("vpc-0")), id="another VPC"),
        pytest.param(delete_role, id="role"),
    ],
)
def test_interfaces_stay_for_ever_if_the_role_may_not_remove_them_then(
    *,
    site: Site,
    model: Callable[..., str],
    deploy: Callable[..., str],
    sagemaker: Any,
    caplog: pytest.LogCaptureFixture,
    lost: Callable[[Site], None],
) -> None:
    name = deploy(ModelName=model())
    lost(site)
    sagemaker.delete_endpoint(EndpointName=name)
    ends = time.monotonic() + 10
    while f"of endpoint {name} stays for ever: User: " not in caplog.text:
        assert time.monotonic() < ends
        threading.Event().wait(0.01)
    assert [one["Status"] for one in site.interfaces()] == ["in-use"]


def test_an_update_to_another_subnet_takes_the_interfaces_along(
    *,
    site: Site,
    model: Callable[..., str],
    deploy: Callable[..., str],
    make_config: Callable[..., str],
    sagemaker: Any,
    settled: Settled,
) -> None:
    first, second = site.subnets
    name = deploy(ModelName=model(subnets=[first]))
    assert site.left(1) == [first]
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config(ModelName=model(subnets=[second])))
    settled(name)
    assert site.left(1) == [second]


def test_an_update_that_fails_leaves_the_old_interfaces_alone(
    *,
    site: Site,
    model: Callable[..., str],
    deploy: Callable[..., str],
    make_config: Callable[..., str],
    sagemaker: Any,
    settled: Settled,
) -> None:
    name = deploy(ModelName=model())
    (before,) = site.interfaces()
    broken = make_config(ModelName=model({"MAX_TOTAL_TOKENS": "100"}))
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    settled(name)
    site.left(1)
    assert [one["NetworkInterfaceId"] for one in site.interfaces()] == [before["NetworkInterfaceId"]]


def test_interfaces_come_and_go_with_the_instances(
    *, site: Site, model: Callable[..., str], deploy: Callable[..., str], sagemaker: Any, settled: Settled
) -> None:
    name = deploy(ModelName=model())
    for count in (3, 1):
        desired = [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
        settled(name)
        site.left(count)
