"""Creating, updating, replacing and deleting, and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.unit.sagehost.cloudformation.templates import NETWORK, log_group, topic, with_properties

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

TOPIC = topic(DisplayName="one")


def test_resources_are_created_after_what_they_refer_to(account: Account) -> None:
    assert account.create("net", NETWORK) == "CREATE_COMPLETE"
    done = [name for name, status, _ in account.events("net") if status == "CREATE_COMPLETE"]
    assert done.index("Vpc") < done.index("Subnet") < done.index("Association") < done.index("net")
    assert done.index("Table") < done.index("S3")
    assert done.index("Group") < done.index("Runtime")


def test_depends_on_is_an_order_too(account: Account) -> None:
    resources = {
        "A": {**log_group("a"), "DependsOn": "Z"},
        "Z": {**log_group("z"), "DependsOn": ["B"]},
        "B": log_group("b"),
    }
    account.deploy("ordered", resources)
    assert [name for name, status, _ in account.events("ordered") if status == "CREATE_COMPLETE"] == [
        "B",
        "Z",
        "A",
        "ordered",
    ]


def test_deleting_a_stack_leaves_the_account_as_it_was(account: Account) -> None:
    before = account.inventory()
    account.deploy("net", NETWORK)
    assert account.inventory() != before
    assert account.delete("net") == "DELETE_COMPLETE"
    assert account.inventory() == before


def test_an_update_without_interruption_keeps_the_resource(account: Account) -> None:
    account.deploy("topic", topic(DisplayName="one"))
    arn = account.physical_id("topic", "Topic")
    assert account.update("topic", topic(DisplayName="two")) == "UPDATE_COMPLETE"
    assert account.physical_id("topic", "Topic") == arn
    assert account.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "two"


def test_a_removed_property_returns_to_its_default(account: Account) -> None:
    account.deploy("logs", {"Group": log_group("g", RetentionInDays=7)})
    account.update("logs", {"Group": log_group("g")})
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    assert "retentionInDays" not in group


def test_a_replacement_deletes_the_old_resource_last(
    account: Account,
) -> None:
    account.deploy("net", NETWORK)
    old = account.physical_id("net", "Group")
    changed = with_properties(NETWORK, "Group", GroupDescription="another")
    assert account.update("net", changed) == "UPDATE_COMPLETE"
    new = account.physical_id("net", "Group")
    assert new != old
    found = [group["GroupId"] for group in account.client("ec2").describe_security_groups()["SecurityGroups"]]
    assert new in found
    assert old not in found
    events = [(name, status) for name, status, _ in account.events("net")]
    cleaning = events.index(("net", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert events.index(("Runtime", "UPDATE_COMPLETE")) < cleaning < events.index(("Group", "DELETE_COMPLETE"))


def test_what_refers_to_a_replaced_resource_is_moved_to_the_new_one(account: Account) -> None:
    account.deploy("net", NETWORK)
    account.update("net", with_properties(NETWORK, "Group", GroupDescription="another"))
    endpoint = account.physical_id("net", "Runtime")
    (shown,) = account.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert [group["GroupId"] for group in shown["Groups"]] == [account.physical_id("net", "Group")]


def test_a_resource_removed_from_the_template_is_deleted(account: Account) -> None:
    account.deploy("logs", {"One": log_group("one"), "Two": log_group("two")})
    account.update("logs", {"One": log_group("one")})
    assert [group["logGroupName"] for group in account.client("logs").describe_log_groups()["logGroups"]] == ["one"]


def test_an_association_that_cannot_exist_twice_is_deleted_before_its_replacement_is_created(account: Account) -> None:
    account.deploy("net", NETWORK)
    other = {**NETWORK, "Other": NETWORK["Table"]}
    changed = with_properties(other, "Association", RouteTableId={"Ref": "Other"})
    assert account.update("net", changed) == "UPDATE_COMPLETE"
    wanted = account.physical_id("net", "Other")
    (table,) = account.client("ec2").describe_route_tables(RouteTableIds=[wanted])["RouteTables"]
    assert [association["SubnetId"] for association in table["Associations"]] == [account.physical_id("net", "Subnet")]


def test_replacing_a_custom_named_resource_is_refused(account: Account) -> None:
    resources = {
        "Vpc": NETWORK["Vpc"],
        "Group": with_properties(NETWORK, "Group", GroupName="fixed")["Group"],
    }
    account.deploy("named", resources)
    with pytest.raises(ClientError) as refused:
        account.update("named", with_properties(resources, "Group", GroupDescription="another"))
    assert refused.value.response["Error"]["Message"] == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename fixed and update the stack again."
    )
    assert account.status("named") == "CREATE_COMPLETE"


def test_a_change_of_type_under_the_same_logical_id_is_refused(account: Account) -> None:
    account.deploy("typed", {"It": log_group("g")})
    with pytest.raises(ClientError, match="Update of resource type is not permitted"):
        account.update("typed", {"It": TOPIC["Topic"]})


def test_an_update_that_changes_nothing_is_refused_in_cloudformations_words(account: Account) -> None:
    account.deploy("same", TOPIC)
    with pytest.raises(ClientError, match=r"No updates are to be performed\."):
        account.update("same", TOPIC)


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_a_resource_with_a_deletion_policy_outlives_its_stack(account: Account, policy: str) -> None:
    account.deploy("kept", {"Group": {**log_group("kept"), "DeletionPolicy": policy}})
    account.delete("kept")
    assert [group["logGroupName"] for group in account.client("logs").describe_log_groups()["logGroups"]] == ["kept"]


def test_a_resource_with_an_update_replace_policy_outlives_its_replacement(account: Account) -> None:
    kept = {**NETWORK, "Group": {**NETWORK["Group"], "UpdateReplacePolicy": "Retain"}}
    account.deploy("net", kept)
    old = account.physical_id("net", "Group")
    account.update("net", with_properties(kept, "Group", GroupDescription="another"))
    found = [group["GroupId"] for group in account.client("ec2").describe_security_groups()["SecurityGroups"]]
    assert {old, account.physical_id("net", "Group")} <= set(found)


def test_a_stack_under_termination_protection_is_not_deleted(account: Account) -> None:
    account.deploy("safe", TOPIC, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        account.delete("safe")
    account.cfn.update_termination_protection(StackName="safe", EnableTerminationProtection=False)
    assert account.delete("safe") == "DELETE_COMPLETE"


def test_a_deleted_stack_can_no_longer_be_protected(account: Account) -> None:
    account.deploy("gone", TOPIC)
    stack_id = account.stack("gone")["StackId"]
    account.delete("gone")
    with pytest.raises(ClientError, match="is in DELETE_COMPLETE state and can not be updated"):
        account.cfn.update_termination_protection(StackName=stack_id, EnableTerminationProtection=True)


def test_a_deleted_stack_is_found_only_by_its_id(account: Account) -> None:
    account.deploy("gone", TOPIC)
    stack_id = account.stack("gone")["StackId"]
    account.delete("gone")
    assert account.status(stack_id) == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Stack with id gone does not exist"):
        account.status("gone")


def test_the_name_of_a_deleted_stack_can_be_used_again(account: Account) -> None:
    account.deploy("again", TOPIC)
    account.delete("again")
    assert account.create("again", TOPIC) == "CREATE_COMPLETE"


def test_resources_take_the_tags_of_their_stack_unless_they_have_their_own(account: Account) -> None:
    tags = [{"Key": "project", "Value": "stack"}, {"Key": "stage", "Value": "dev"}]
    own = [{"Key": "stage", "Value": "own"}]
    account.deploy("tagged", topic(Tags=own), Tags=tags)
    arn = account.physical_id("tagged", "Topic")
    found = {tag["Key"]: tag["Value"] for tag in account.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]}
    assert found == {"project": "stack", "stage": "own"}


def test_a_change_of_the_stacks_tags_reaches_its_resources(account: Account) -> None:
    account.deploy("tagged", NETWORK, Tags=[{"Key": "stage", "Value": "dev"}, {"Key": "old", "Value": "x"}])
    account.update("tagged", NETWORK, Tags=[{"Key": "stage", "Value": "prod"}])
    vpc = account.physical_id("tagged", "Vpc")
    (shown,) = account.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    tags = {tag["Key"]: tag["Value"] for tag in shown["Tags"]}
    assert tags == {
        "stage": "prod",
        "aws:cloudformation:stack-name": "tagged",
        "aws:cloudformation:stack-id": account.stack("tagged")["StackId"],
        "aws:cloudformation:logical-id": "Vpc",
    }


def test_adding_a_subnet_to_an_endpoint_adds_an_interface_and_removing_it_removes_it(account: Account) -> None:
    second = {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1b"},
    }
    wider = {**with_properties(NETWORK, "Runtime", SubnetIds=[{"Ref": "Subnet"}, {"Ref": "Second"}]), "Second": second}
    account.deploy("net", NETWORK)
    account.update("net", wider)
    interfaces = account.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    subnets = {account.physical_id("net", name) for name in ("Subnet", "Second")}
    assert {interface["SubnetId"] for interface in interfaces} == subnets
    account.update("net", NETWORK)
    (left,) = account.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    assert left["SubnetId"] == account.physical_id("net", "Subnet")
