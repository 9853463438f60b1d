"""What failures leave behind: nothing, or exactly what there was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sagehost.cloudformation import engine
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Provider
from tests.unit.sagehost.cloudformation.templates import (
    NETWORK,
    ROLE,
    hosting,
    log_group,
    topic,
    with_properties,
)

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account


@pytest.fixture
def taken(account: Account) -> dict[str, Any]:
    """A resource that cannot be created, because something else in the account has its name."""
    account.client("logs").create_log_group(logGroupName="taken")
    return log_group("taken")


def after(resource: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**resource, "DependsOn": list(names)}


def test_a_failed_creation_deletes_its_resources(account: Account, taken: dict[str, Any]) -> None:
    before = account.inventory()
    assert account.create("failing", {**NETWORK, "Taken": after(taken, *NETWORK)}) == "ROLLBACK_COMPLETE"
    assert account.inventory() == before


@pytest.mark.parametrize(
    ("policy", "retain_except_on_create", "kept"),
    [("Retain", False, True), ("RetainExceptOnCreate", False, False), ("Retain", True, False)],
)
def test_a_failed_creation_keeps_resources_by_deletion_policy_and_retain_except_on_create(
    account: Account, taken: dict[str, Any], policy: str, retain_except_on_create: bool, kept: bool
) -> None:
    resources = {"Kept": {**log_group("kept"), "DeletionPolicy": policy}, "Taken": after(taken, "Kept")}
    account.create("failing", resources, RetainExceptOnCreate=retain_except_on_create)
    groups = account.client("logs").describe_log_groups(logGroupNamePrefix="kept")["logGroups"]
    assert bool(groups) is kept


def test_events_of_a_failed_creation_name_the_resource_and_the_reason(account: Account, taken: dict[str, Any]) -> None:
    account.create("failing", {**topic(), "Taken": after(taken, "Topic")})
    assert [(name, status) for name, status, _ in account.events("failing")] == [
        ("failing", "CREATE_IN_PROGRESS"),
        ("Topic", "CREATE_IN_PROGRESS"),
        ("Topic", "CREATE_IN_PROGRESS"),
        ("Topic", "CREATE_COMPLETE"),
        ("Taken", "CREATE_IN_PROGRESS"),
        ("Taken", "CREATE_FAILED"),
        ("failing", "ROLLBACK_IN_PROGRESS"),
        ("Topic", "DELETE_IN_PROGRESS"),
        ("Topic", "DELETE_COMPLETE"),
        ("failing", "ROLLBACK_COMPLETE"),
    ]
    assert "The specified log group already exists" in account.reason("failing", "CREATE_FAILED")
    assert account.reason("failing", "ROLLBACK_IN_PROGRESS") == (
        "The following resource(s) failed to create: [Taken]. Rollback requested by user."
    )


def test_a_stack_whose_creation_was_rolled_back_can_only_be_deleted(account: Account, taken: dict[str, Any]) -> None:
    account.create("failing", {"Taken": taken})
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        account.update("failing", topic())
    assert account.delete("failing") == "DELETE_COMPLETE"


RICH = {
    **NETWORK,
    **topic(DisplayName="one", Tags=[{"Key": "a", "Value": "1"}]),
    "Role": ROLE,
    "Logs": log_group("rich", RetentionInDays=7),
    "Gone": log_group("gone-in-the-update"),
    "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "one"}},
}


def changed_in_every_way(taken: dict[str, Any]) -> dict[str, Any]:
    """Changes in place, replacements, an addition, a removal; and at their end what cannot be created."""
    resources = with_properties(RICH, "Topic", DisplayName="two", Tags=[{"Key": "b", "Value": "2"}])
    resources = with_properties(resources, "Group", GroupDescription="another")
    resources = with_properties(resources, "Role", Description="two", Policies=[], ManagedPolicyArns=[])
    resources = with_properties(resources, "Logs", RetentionInDays=30)
    resources = with_properties(resources, "Parameter", Value="two", Description="two")
    resources = with_properties(resources, "Vpc", EnableDnsHostnames=False)
    resources["Table2"] = NETWORK["Table"]
    resources = with_properties(resources, "S3", RouteTableIds=[{"Ref": "Table2"}])
    resources = with_properties(resources, "Association", RouteTableId={"Ref": "Table2"})
    del resources["Gone"]
    return {**resources, "Taken": after(taken, *resources)}


def test_a_failed_update_restores_the_state_before(account: Account, taken: dict[str, Any]) -> None:
    account.deploy("rich", RICH, Tags=[{"Key": "stage", "Value": "one"}])
    before = account.inventory()
    resources = account.cfn.describe_stack_resources(StackName="rich")["StackResources"]
    ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    template = account.cfn.get_template(StackName="rich")["TemplateBody"]

    status = account.update("rich", changed_in_every_way(taken), Tags=[{"Key": "stage", "Value": "two"}])

    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert account.inventory() == before
    ids.pop("Association")  # cannot exist twice, so it was deleted and created again
    assert {name: account.physical_id("rich", name) for name in ids} == ids
    assert account.cfn.get_template(StackName="rich")["TemplateBody"] == template
    assert account.stack("rich")["Tags"] == [{"Key": "stage", "Value": "one"}]


def test_a_stack_that_was_rolled_back_can_be_updated_again(account: Account, taken: dict[str, Any]) -> None:
    account.deploy("rich", RICH)
    account.update("rich", changed_in_every_way(taken))
    resources = changed_in_every_way(taken)
    del resources["Taken"]
    assert account.update("rich", resources) == "UPDATE_COMPLETE"
    assert account.delete("rich") == "DELETE_COMPLETE"


def test_an_endpoint_whose_container_refuses_its_new_settings_serves_the_old_ones_again(account: Account) -> None:
    account.deploy("hosting", hosting())
    before = account.inventory()
    status = account.update("hosting", hosting(MAX_INPUT_LENGTH="9000"))
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert "failed to update: [Endpoint]" in account.reason("hosting", "UPDATE_ROLLBACK_IN_PROGRESS")
    assert account.inventory() == before


def test_a_failed_creation_without_rollback_keeps_its_resources(account: Account, taken: dict[str, Any]) -> None:
    resources = {"Kept": log_group("kept"), "Taken": after(taken, "Kept")}
    assert account.create("kept", resources, DisableRollback=True) == "CREATE_FAILED"
    assert account.physical_id("kept", "Kept") == "kept"


def test_a_stack_that_failed_without_rollback_can_be_updated(account: Account, taken: dict[str, Any]) -> None:
    account.create("fixed", {"Kept": log_group("kept"), "Taken": after(taken, "Kept")}, DisableRollback=True)
    repaired = {"Kept": log_group("kept"), "Taken": after(log_group("free"), "Kept")}
    assert account.update("fixed", repaired) == "UPDATE_COMPLETE"
    assert account.physical_id("fixed", "Taken") == "free"


def test_rollback_stack_undoes_a_failed_update(account: Account, taken: dict[str, Any]) -> None:
    account.deploy("paused", RICH)
    before = account.inventory()
    assert account.update("paused", changed_in_every_way(taken), DisableRollback=True) == "UPDATE_FAILED"
    account.cfn.rollback_stack(StackName="paused")
    assert account.status("paused") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.inventory() == before


def test_rollback_stack_undoes_a_failed_creation(account: Account, taken: dict[str, Any]) -> None:
    before = account.inventory()
    account.create("paused", {"Kept": log_group("kept"), "Taken": after(taken, "Kept")}, DisableRollback=True)
    account.cfn.rollback_stack(StackName="paused")
    assert account.status("paused") == "ROLLBACK_COMPLETE"
    assert account.inventory() == before


def test_a_failed_rollback_can_be_continued(
    account: Account, taken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account.deploy("stuck", topic(DisplayName="one"))
    before = account.inventory()
    original = Provider.configure

    def configure(self: Provider, resource: Any, new: Any, old: Any) -> None:
        if new.get("DisplayName") == "one":
            raise ResourceFailure("the service is out of order")
        original(self, resource, new, old)

    with monkeypatch.context() as broken:
        broken.setattr(Provider, "configure", configure)
        failing = {**topic(DisplayName="two"), "Taken": after(taken, "Topic")}
        assert account.update("stuck", failing) == "UPDATE_ROLLBACK_FAILED"
    assert "failed to update: [Topic]" in account.reason("stuck", "UPDATE_ROLLBACK_FAILED")

    account.cfn.continue_update_rollback(StackName="stuck")
    assert account.status("stuck") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.inventory() == before


@pytest.mark.parametrize(
    ("name", "status"),
    [("converge", "UPDATE_FAILED"), ("delete_all", "UPDATE_COMPLETE")],
    ids=["changing", "clearing up"],
)
def test_a_defect_of_the_embedded_aws_ends_the_operation_and_says_so(
    account: Account, monkeypatch: pytest.MonkeyPatch, name: str, status: str
) -> None:
    account.deploy("defect", topic(DisplayName="one"))

    def broken(*_: Any) -> None:
        raise RuntimeError("the defect")

    monkeypatch.setattr(engine, name, broken)
    assert account.update("defect", topic(DisplayName="two")) == status
    assert account.reason("defect", status) == "Internal error of the embedded AWS: RuntimeError: the defect"


def test_a_resource_that_cannot_be_deleted_fails_the_deletion_and_keeps_what_it_depends_on(account: Account) -> None:
    account.deploy("net", NETWORK)
    stranger = account.client("ec2").create_subnet(VpcId=account.physical_id("net", "Vpc"), CidrBlock="10.0.9.0/24")
    assert account.delete("net") == "DELETE_FAILED"
    assert account.reason("net", "DELETE_FAILED") == "The following resource(s) failed to delete: [Vpc]. "
    account.client("ec2").delete_subnet(SubnetId=stranger["Subnet"]["SubnetId"])
    assert account.delete("net") == "DELETE_COMPLETE"


def test_a_failed_deletion_can_retain_the_resource(account: Account) -> None:
    account.deploy("net", {"Vpc": NETWORK["Vpc"]})
    vpc = account.physical_id("net", "Vpc")
    account.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24")
    account.delete("net")
    assert account.delete("net", RetainResources=["Vpc"]) == "DELETE_COMPLETE"
    assert account.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]


def test_resources_deleted_by_others_do_not_fail_the_deletion(account: Account) -> None:
    account.deploy("net", NETWORK)
    account.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[account.physical_id("net", "Runtime")])
    account.client("ec2").delete_security_group(GroupId=account.physical_id("net", "Group"))
    assert account.delete("net") == "DELETE_COMPLETE"
