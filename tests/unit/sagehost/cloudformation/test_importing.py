"""Change sets that import existing resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.sagehost.cloudformation.conftest import Account
from tests.unit.sagehost.cloudformation.templates import log_group, topic

IMPORTED = ["IMPORT_IN_PROGRESS", "IMPORT_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


def kept(resource: Mapping[str, Any], policy: str = "Retain") -> dict[str, Any]:
    return {"Logs": {**resource, "DeletionPolicy": policy}}


def importing(account: Account, name: str, resources: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    return account.change_set(name, resources, "CREATE", ImportExistingResources=True, **options)


def executed(account: Account, name: str) -> str:
    account.cfn.execute_change_set(StackName=name, ChangeSetName="changes")
    return account.status(name)


def statuses(account: Account, name: str) -> list[str]:
    return [status for logical_id, status, _ in account.events(name) if logical_id == "Logs"]


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_a_retained_log_group_is_imported_with_its_properties_and_gets_the_tags_of_the_stack(
    account: Account, policy: str
) -> None:
    account.deploy("first", kept(log_group("/it", RetentionInDays=7)))
    account.delete("first")
    tags = [{"Key": "team", "Value": "search"}]
    described = importing(account, "second", kept(log_group("/it", RetentionInDays=30), policy), Tags=tags)
    (change,) = described["Changes"]
    assert change["ResourceChange"]["Action"] == "Import"
    assert change["ResourceChange"]["PhysicalResourceId"] == "/it"
    assert executed(account, "second") == "CREATE_COMPLETE"
    assert statuses(account, "second") == IMPORTED
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7
    assert account.client("logs").list_tags_log_group(logGroupName="/it")["tags"] == {"team": "search"}


def test_a_change_of_an_imported_resource_is_deployed_by_the_next_update(account: Account) -> None:
    account.client("logs").create_log_group(logGroupName="/it")
    importing(account, "it", kept(log_group("/it", RetentionInDays=7)))
    executed(account, "it")
    assert account.update("it", kept(log_group("/it", RetentionInDays=30))) == "UPDATE_COMPLETE"
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30


def test_a_change_set_without_the_option_creates_what_exists_and_fails(account: Account) -> None:
    account.client("logs").create_log_group(logGroupName="/it")
    (change,) = account.change_set("it", kept(log_group("/it")), "CREATE")["Changes"]
    assert change["ResourceChange"]["Action"] == "Add"
    assert executed(account, "it") == "ROLLBACK_COMPLETE"


@pytest.mark.parametrize("policy", ["Delete", None])
def test_an_existing_resource_that_the_template_would_not_retain_fails_the_change_set(
    account: Account, policy: str | None
) -> None:
    account.client("logs").create_log_group(logGroupName="/it")
    resources = kept(log_group("/it"), policy) if policy else {"Logs": log_group("/it")}
    described = importing(account, "it", resources)
    assert described["Status"] == "FAILED"
    assert described["StatusReason"] == (
        "CloudFormation is attempting to import some resources because they already exist in your account. The "
        "resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template "
        "for successful import. The affected resources are Logs ({LogGroupName=/it})"
    )


def test_a_resource_of_another_stack_is_not_imported(account: Account) -> None:
    account.deploy("first", kept(log_group("/it")))
    importing(account, "second", kept(log_group("/it")))
    assert executed(account, "second") == "ROLLBACK_COMPLETE"
    assert "already exists" in account.reason("second", "CREATE_FAILED")


def test_a_resource_that_is_gone_when_the_change_set_is_executed_fails_to_import(account: Account) -> None:
    account.client("logs").create_log_group(logGroupName="/it")
    importing(account, "it", kept(log_group("/it")))
    account.client("logs").delete_log_group(logGroupName="/it")
    assert executed(account, "it") == "ROLLBACK_COMPLETE"
    assert "does not exist" in account.reason("it", "IMPORT_FAILED")


def test_a_new_resource_beside_an_imported_one_is_created(account: Account) -> None:
    account.client("logs").create_log_group(logGroupName="/it")
    importing(account, "it", {**kept(log_group("/it")), **topic()})
    assert executed(account, "it") == "CREATE_COMPLETE"
    assert [status for name, status, _ in account.events("it") if name == "Topic"][-1] == "CREATE_COMPLETE"


@pytest.mark.parametrize("kind", ["CREATE", "UPDATE"])
def test_a_rollback_leaves_an_imported_resource_in_the_account_and_takes_it_out_of_the_stack(
    account: Account, kind: str
) -> None:
    account.client("logs").create_log_group(logGroupName="/it")
    if kind == "UPDATE":
        account.deploy("it", topic())
    same = {"Same": {**log_group("/it"), "DependsOn": "Logs"}}
    resources = {**kept(log_group("/it"), "RetainExceptOnCreate"), **topic(), **same}
    account.change_set("it", resources, kind, ImportExistingResources=True)
    assert executed(account, "it") == ("ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE")
    account.delete("it")
    assert [one["logGroupName"] for one in account.client("logs").describe_log_groups()["logGroups"]] == ["/it"]


EXISTING = [
    ("AWS::S3::Bucket", "BucketName", "s3", "create_bucket", "Bucket"),
    ("AWS::ECR::Repository", "RepositoryName", "ecr", "create_repository", "repositoryName"),
    ("AWS::SSM::Parameter", "Name", "ssm", "put_parameter", "Name"),
]


@pytest.mark.parametrize("existing", EXISTING, ids=lambda existing: existing[0])
def test_a_resource_that_the_service_finds_by_name_is_imported(account: Account, existing: tuple[str, ...]) -> None:
    resource_type, property_name, service, operation, argument = existing
    name = f"it-{account.id}"
    more = {"Type": "String", "Value": "1"} if service == "ssm" else {}
    getattr(account.client(service), operation)(**{argument: name}, **more)
    properties = {property_name: {"Fn::Sub": "it-${AWS::AccountId}"}, **more}
    importing(account, "it", kept({"Type": resource_type, "Properties": properties}))
    assert executed(account, "it") == "CREATE_COMPLETE"
    assert (account.physical_id("it", "Logs"), statuses(account, "it")) == (name, IMPORTED)
