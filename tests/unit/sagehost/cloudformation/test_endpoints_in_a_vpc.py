"""Stacks whose endpoint has network interfaces in their own subnets: in which order everything can go.

SageMaker removes the interfaces with the execution role after the endpoint; until then subnets and group cannot go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sagehost.cloudformation.templates import NETWORK, hosting, with_properties

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

HELD = {"Subnet", "Group"}


def document(key: str, arn: str) -> dict[str, Any]:
    """What a role needs for interfaces whose condition key is this ARN."""
    placed = ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"]
    unplaced = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterfacePermission", "ec2:Describe*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": placed, "Resource": "*", "Condition": {"ArnEquals": {key: {"Fn::Sub": arn}}}},
            {"Effect": "Allow", "Action": unplaced, "Resource": "*"},
        ],
    }


def endpoint(cidr: str = "10.0.0.0/24") -> dict[str, Any]:
    """An endpoint in the only subnet of a VPC."""
    resources = {name: one for name, one in hosting().items() if name not in {"Target", "Scaling", "Alarm"}}
    resources |= {name: NETWORK[name] for name in ("Vpc", "Subnet", "Group")}
    vpc = {"Subnets": [{"Ref": "Subnet"}], "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}]}
    resources = with_properties(resources, "Subnet", CidrBlock=cidr)
    return with_properties(resources, "Model", VpcConfig=vpc)


def going_first(cidr: str = "10.0.0.0/24") -> dict[str, Any]:
    """The role names the subnet, so it is deleted or changed before the subnet can go."""
    policy = document("ec2:Subnet", "arn:aws:ec2:${AWS::Region}:${AWS::AccountId}:subnet/${Subnet}")
    return with_properties(endpoint(cidr), "Role", Policies=[{"PolicyName": "interfaces", "PolicyDocument": policy}])


def going_last(cidr: str = "10.0.0.0/24") -> dict[str, Any]:
    """Subnet and group depend on a policy of the role, which therefore outlives them."""
    policy = {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {
            "RoleName": {"Ref": "Role"},
            "PolicyName": {"Fn::Sub": "interfaces-${Vpc}"},
            "PolicyDocument": document("ec2:Vpc", "arn:aws:ec2:${AWS::Region}:${AWS::AccountId}:vpc/${Vpc}"),
        },
    }
    resources = endpoint(cidr)
    outlived = {name: {**resources[name], "DependsOn": "Policy"} for name in (*HELD, "Model")}
    return {**resources, **outlived, "Policy": policy}


def failed(account: Account, name: str) -> dict[str, str | None]:
    """Resources that could not be deleted, with the reasons."""
    events = account.events(name)
    return {one: reason for one, status, reason in events if status == "DELETE_FAILED" and one != events[0][0]}


def interfaces(account: Account) -> list[Any]:
    return list(account.client("ec2").describe_network_interfaces()["NetworkInterfaces"])


def test_a_role_deleted_first_leaves_interfaces_that_block_subnet_and_group(account: Account) -> None:
    account.deploy("hosting", going_first())
    stack_id = account.stack("hosting")["StackId"]
    assert account.delete("hosting") == "DELETE_FAILED"
    reasons = failed(account, stack_id)
    assert reasons.keys() == HELD
    assert all("DependencyViolation" in str(reasons[name]) for name in HELD)
    assert [one["Status"] for one in interfaces(account)] == ["in-use"]


def test_a_policy_deleted_last_lets_every_resource_be_deleted(account: Account) -> None:
    before = account.inventory()
    account.deploy("hosting", going_last())
    assert account.delete("hosting") == "DELETE_COMPLETE"
    kept = {name: shown for name, shown in account.inventory().items() if shown != before[name]}
    assert list(kept) == ["logs.describe_log_groups"]  # SageMaker's own, of an endpoint whose stack made none


@pytest.mark.parametrize(("form", "left"), [(going_first, {"Subnet"}), (going_last, set())])
def test_an_update_clears_up_a_subnet_once_its_interfaces_have_gone(account: Account, form: Any, left: Any) -> None:
    account.deploy("hosting", form())
    old = account.physical_id("hosting", "Subnet")
    assert account.update("hosting", form("10.0.1.0/24")) == "UPDATE_COMPLETE"
    assert failed(account, "hosting").keys() == left
    subnets = [subnet["SubnetId"] for subnet in account.client("ec2").describe_subnets()["Subnets"]]
    assert (old in subnets) is bool(left)


def test_an_update_that_goes_back_without_a_reason_completes_on_the_old_configuration(account: Account) -> None:
    account.deploy("hosting", hosting())
    arn = account.physical_id("hosting", "Endpoint")
    sagemaker, config = account.client("sagemaker"), account.physical_id("hosting", "Config")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "sagehost:silent-rollback", "Value": ""}])
    assert account.update("hosting", hosting(MAX_BEST_OF="1")) == "UPDATE_COMPLETE"
    described = sagemaker.describe_endpoint(EndpointName=arn.rsplit("/", 1)[-1])
    assert described["EndpointConfigName"] == config.rsplit("/", 1)[-1]
    assert account.physical_id("hosting", "Config") != config


def test_an_update_that_changes_the_instance_type_of_a_scaled_variant_is_rolled_back(account: Account) -> None:
    account.deploy("hosting", hosting())
    before = account.inventory()
    resources = hosting()
    (variant,) = resources["Config"]["Properties"]["ProductionVariants"]
    larger = with_properties(resources, "Config", ProductionVariants=[{**variant, "InstanceType": "ml.g5.4xlarge"}])
    assert account.update("hosting", larger) == "UPDATE_ROLLBACK_COMPLETE"
    assert 'variant(s) "AllTraffic" must be deregistered' in account.reason("hosting", "UPDATE_FAILED")
    assert account.inventory() == before
