"""Keys, encrypted log groups and flow logs: created, changed, rolled back, deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from mistral7b.operate.inventory import Resource, inventory
from tests.unit.sagehost.cloudformation.templates import NETWORK, Resources, log_group, with_properties

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

OWNER = {
    "Effect": "Allow",
    "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
    "Action": "kms:*",
    "Resource": "*",
}
LOGS = {
    "Effect": "Allow",
    "Principal": {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}},
    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
    "Resource": "*",
}
# A failure after everything else, so that an update has done all of its changes when it rolls back.
FAILS = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/aws/reserved", "Type": "String", "Value": "v"}}


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def key(**properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": policy(OWNER, LOGS), "PendingWindowInDays": 7, **properties},
    }


def alias(target: str) -> dict[str, Any]:
    properties = {"AliasName": "alias/of-the-test", "TargetKeyId": {"Fn::GetAtt": [target, "Arn"]}}
    return {"Type": "AWS::KMS::Alias", "Properties": properties}


def encrypted(target: str) -> dict[str, Any]:
    return log_group("/of/the/test", KmsKeyId={"Fn::GetAtt": [target, "Arn"]})


KEYS: Resources = {
    "First": key(EnableKeyRotation=True, Description="one", Tags=[{"Key": "stage", "Value": "dev"}]),
    "Second": key(),
    "Alias": alias("First"),
    "Group": encrypted("First"),
}


def described(account: Account, logical_id: str = "First") -> dict[str, Any]:
    kms, key_id = account.client("kms"), account.physical_id("keys", logical_id)
    metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    return {
        "description": metadata["Description"],
        "state": metadata["KeyState"],
        "rotation": kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
        "policy": json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]),
        "tags": {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key_id)["Tags"]},
    }


def group_key(account: Account) -> str | None:
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    arn: str | None = group.get("kmsKeyId")
    return arn and arn.rsplit("/", 1)[1]


def test_a_key_changes_in_place(account: Account) -> None:
    account.deploy("keys", KEYS)
    before = account.physical_id("keys", "First")
    resources = with_properties(
        KEYS,
        "First",
        EnableKeyRotation=False,
        Description="two",
        Enabled=False,
        KeyPolicy=policy(OWNER),
        Tags=[{"Key": "stage", "Value": "prod"}],
    )
    assert account.update("keys", resources) == "UPDATE_COMPLETE"
    changed = described(account)
    assert account.physical_id("keys", "First") == before
    assert (changed["description"], changed["state"], changed["rotation"]) == ("two", "Disabled", False)
    assert len(changed["policy"]["Statement"]) == 1
    assert changed["tags"] == {"stage": "prod"}


def test_an_alias_and_a_log_group_move_to_another_key_and_back_when_the_update_fails(account: Account) -> None:
    account.deploy("keys", KEYS)
    first = account.physical_id("keys", "First")
    moved = {**KEYS, "Alias": alias("Second"), "Group": encrypted("Second")}
    fails = {**FAILS, "DependsOn": ["Alias", "Group"]}
    assert account.update("keys", {**moved, "Fails": fails}) == "UPDATE_ROLLBACK_COMPLETE"
    kms = account.client("kms")
    assert kms.describe_key(KeyId="alias/of-the-test")["KeyMetadata"]["KeyId"] == group_key(account) == first
    assert account.update("keys", moved) == "UPDATE_COMPLETE"
    second = account.physical_id("keys", "Second")
    assert kms.describe_key(KeyId="alias/of-the-test")["KeyMetadata"]["KeyId"] == group_key(account) == second


def test_a_log_group_that_is_no_longer_encrypted_stays(account: Account) -> None:
    account.deploy("keys", KEYS)
    assert account.update("keys", {**KEYS, "Group": log_group("/of/the/test")}) == "UPDATE_COMPLETE"
    assert group_key(account) is None


def test_a_key_of_another_kind_is_refused_rather_than_replaced(account: Account) -> None:
    account.deploy("keys", KEYS)
    before = account.physical_id("keys", "First")
    resources = with_properties(KEYS, "First", MultiRegion=True, Description="two")
    assert account.update("keys", resources) == "UPDATE_ROLLBACK_COMPLETE"
    assert "cannot change the MultiRegion of an existing KMS key" in account.reason("keys", "UPDATE_FAILED")
    assert account.physical_id("keys", "First") == before
    assert described(account)["description"] == "one"


def test_a_key_of_another_stack_is_used_by_its_export(account: Account) -> None:
    outputs = {"Key": {"Value": {"Fn::GetAtt": ["First", "Arn"]}, "Export": {"Name": "key-arn"}}}
    account.deploy("keys", {"First": key()}, Outputs=outputs)
    account.deploy("logs", {"Group": log_group("/g", KmsKeyId={"Fn::ImportValue": "key-arn"})})
    assert group_key(account) == account.physical_id("keys", "First")


class Session:
    """What `inventory` takes, for an account in this process."""

    def __init__(self, account: Account) -> None:
        self.client = account.client


def resources_of(account: Account) -> set[Resource]:
    return inventory(Session(account))


def test_a_deleted_key_is_pending_and_counts_as_removed(account: Account) -> None:
    before = resources_of(account)
    account.deploy("keys", KEYS)
    key_id = account.physical_id("keys", "First")
    assert {Resource("key", key_id), Resource("key alias", "alias/of-the-test")} <= resources_of(account)
    account.delete("keys")
    metadata = account.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    assert metadata["KeyState"] == "PendingDeletion"
    assert resources_of(account) == before


@pytest.mark.parametrize(
    ("statements", "created"),
    [
        ([OWNER], "ROLLBACK_COMPLETE"),
        ([OWNER, {**LOGS, "Action": "kms:Decrypt"}], "ROLLBACK_COMPLETE"),
        ([OWNER, {**LOGS, "Principal": {"Service": "logs.eu-west-1.amazonaws.com"}}], "ROLLBACK_COMPLETE"),
        ([OWNER, {**LOGS, "Effect": "Deny"}], "ROLLBACK_COMPLETE"),
        ([OWNER, {**LOGS, "Principal": "*", "Action": "kms:*"}], "CREATE_COMPLETE"),
    ],
)
def test_a_log_group_accepts_only_a_key_that_grants_cloudwatch_logs(
    account: Account, statements: list[dict[str, Any]], created: str
) -> None:
    resources = {"First": key(KeyPolicy=policy(*statements)), "Group": encrypted("First")}
    assert account.create("keys", resources) == created
    if created == "ROLLBACK_COMPLETE":
        assert "is not allowed to be used with Arn" in account.reason("keys", "CREATE_FAILED")


@pytest.mark.parametrize(("group", "created"), [("/of/the/*", "CREATE_COMPLETE"), ("/of/another", "ROLLBACK_COMPLETE")])
def test_a_key_policy_for_some_log_groups_grants_no_others(account: Account, group: str, created: str) -> None:
    arn = {"Fn::Sub": f"arn:aws:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{group}"}
    condition = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": [arn]}}
    resources = {
        "First": key(KeyPolicy=policy(OWNER, {**LOGS, "Condition": condition})),
        "Group": encrypted("First"),
    }
    assert account.create("keys", resources) == created


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Enabled": False}, "is not enabled"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, "only symmetric KMS keys"),
    ],
)
def test_a_key_that_cannot_encrypt_logs_is_refused(account: Account, properties: dict[str, Any], reason: str) -> None:
    assert account.create("keys", {"First": key(**properties), "Group": encrypted("First")}) == "ROLLBACK_COMPLETE"
    assert reason in account.reason("keys", "CREATE_FAILED")


def test_a_key_that_is_not_there_is_refused(account: Account) -> None:
    arn = {"Fn::Sub": "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/00000000-0000-0000-0000-000000000000"}
    assert account.create("keys", {"Group": log_group("/g", KmsKeyId=arn)}) == "ROLLBACK_COMPLETE"
    assert "does not exist" in account.reason("keys", "CREATE_FAILED")


DELIVERY = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": policy(
            {
                "Effect": "Allow",
                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
            }
        ),
        "Policies": [
            {
                "PolicyName": "deliver",
                "PolicyDocument": policy(
                    {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": {"Fn::GetAtt": ["Group", "Arn"]}}
                ),
            }
        ],
    },
}
FLOW: Resources = {
    "Vpc": NETWORK["Vpc"],
    "Group": log_group("/flow"),
    "Role": DELIVERY,
    "Flow": {
        "Type": "AWS::EC2::FlowLog",
        "Properties": {
            "ResourceType": "VPC",
            "ResourceId": {"Ref": "Vpc"},
            "TrafficType": "ALL",
            "LogDestinationType": "cloud-watch-logs",
            "LogGroupName": {"Ref": "Group"},
            "DeliverLogsPermissionArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "Tags": [{"Key": "Name", "Value": "flow"}],
        },
    },
}


def flow_logs(account: Account) -> list[dict[str, Any]]:
    return list(account.client("ec2").describe_flow_logs()["FlowLogs"])


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"TrafficType": "REJECT"}, "TrafficType"),
        ({"MaxAggregationInterval": 60}, "MaxAggregationInterval"),
        ({"LogFormat": "${srcaddr} ${dstaddr}"}, "LogFormat"),
    ],
)
def test_a_flow_log_is_replaced_by_a_changed_one(account: Account, changes: dict[str, Any], shown: str) -> None:
    account.deploy("flow", FLOW)
    (before,) = flow_logs(account)
    assert account.update("flow", with_properties(FLOW, "Flow", **changes)) == "UPDATE_COMPLETE"
    (after,) = flow_logs(account)
    assert after["FlowLogId"] != before["FlowLogId"]
    assert after[shown] == changes[shown]
    assert after["DeliverLogsStatus"] == "SUCCESS"


def test_a_flow_log_is_tagged_in_place(account: Account) -> None:
    account.deploy("flow", FLOW)
    (before,) = flow_logs(account)
    account.update("flow", with_properties(FLOW, "Flow", Tags=[{"Key": "Name", "Value": "two"}]))
    (after,) = flow_logs(account)
    assert after["FlowLogId"] == before["FlowLogId"]
    assert {"Key": "Name", "Value": "two"} in after["Tags"]


def test_a_flow_log_whose_replacement_is_rolled_back_stays(account: Account) -> None:
    account.deploy("flow", FLOW)
    before = account.inventory()
    fails = {**FAILS, "DependsOn": ["Flow"]}
    resources = {**with_properties(FLOW, "Flow", TrafficType="REJECT"), "Fails": fails}
    assert account.update("flow", resources) == "UPDATE_ROLLBACK_COMPLETE"
    assert account.inventory() == before


def test_a_second_flow_log_of_the_same_configuration_is_refused(account: Account) -> None:
    assert account.create("flow", {**FLOW, "Again": FLOW["Flow"]}) == "ROLLBACK_COMPLETE"
    assert "existing Flow Log with the same configuration" in account.reason("flow", "CREATE_FAILED")


def test_a_flow_log_finds_its_log_group_by_arn(account: Account) -> None:
    properties = {key: value for key, value in FLOW["Flow"]["Properties"].items() if key != "LogGroupName"}
    properties["LogDestination"] = {"Fn::GetAtt": ["Group", "Arn"]}
    account.deploy("flow", {**FLOW, "Flow": {**FLOW["Flow"], "Properties": properties}})
    (shown,) = flow_logs(account)
    assert (shown["LogGroupName"], shown["DeliverLogsStatus"]) == ("/flow", "SUCCESS")
    account.delete("flow")
    assert flow_logs(account) == []
