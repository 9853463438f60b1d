"""Exports, imports, parameters from SSM, and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.sagehost.cloudformation.templates import log_group, topic

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

EXPORTING: dict[str, Any] = {"Outputs": {"Name": {"Value": {"Ref": "Group"}, "Export": {"Name": "the-name"}}}}
IMPORTING = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": "the-name"}}}}


@pytest.fixture
def two_stacks(account: Account) -> Account:
    account.deploy("exporter", {"Group": log_group("one")}, **EXPORTING)
    account.deploy("importer", IMPORTING)
    return account


def test_an_import_is_the_value_of_the_export(two_stacks: Account) -> None:
    arn = two_stacks.physical_id("importer", "Topic")
    assert two_stacks.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "one"
    assert two_stacks.cfn.list_imports(ExportName="the-name")["Imports"] == ["importer"]


def test_a_stack_whose_export_is_in_use_is_not_deleted(two_stacks: Account) -> None:
    assert two_stacks.delete("exporter") == "CREATE_COMPLETE"
    assert two_stacks.stack("exporter")["StackStatusReason"] == (
        "Delete canceled. Cannot delete export the-name as it is in use by importer."
    )
    two_stacks.delete("importer")
    assert two_stacks.delete("exporter") == "DELETE_COMPLETE"


def test_an_export_in_use_does_not_change(two_stacks: Account) -> None:
    before = two_stacks.inventory()
    status = two_stacks.update("exporter", {"Group": log_group("two")}, **EXPORTING)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert "Cannot update export the-name as it is in use by importer" in two_stacks.reason(
        "exporter", "UPDATE_ROLLBACK_IN_PROGRESS"
    )
    assert two_stacks.inventory() == before


def test_an_export_in_use_is_not_removed(two_stacks: Account) -> None:
    assert two_stacks.update("exporter", {"Group": log_group("one")}) == "UPDATE_ROLLBACK_COMPLETE"
    assert [export["Name"] for export in two_stacks.cfn.list_exports()["Exports"]] == ["the-name"]


def test_an_export_name_is_unique(two_stacks: Account) -> None:
    status = two_stacks.create("second", {"Group": log_group("other")}, **EXPORTING)
    assert status == "ROLLBACK_COMPLETE"
    assert "Export with name the-name is already exported by stack exporter" in two_stacks.reason(
        "second", "ROLLBACK_IN_PROGRESS"
    )


def test_an_import_without_an_export_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match=r"No export named the-name found\."):
        account.create("importer", IMPORTING)


PARAMETERS = {
    "Declared": {
        "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/the/version"},
        "Secret": {"Type": "String", "Default": "shh", "NoEcho": True},
    },
    "Rules": {
        "NewEnough": {
            "Assertions": [
                {
                    "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Version"}]}]},
                    "AssertDescription": "version 3 is needed",
                }
            ]
        }
    },
}
NAMED_BY_PARAMETER = {"Group": log_group("group"), **topic(DisplayName={"Ref": "Version"})}


@pytest.fixture
def versioned(account: Account) -> Account:
    account.client("ssm").put_parameter(Name="/the/version", Value="6", Type="String")
    account.deploy("versioned", NAMED_BY_PARAMETER, **PARAMETERS)
    return account


def display_name(account: Account) -> str:
    arn = account.physical_id("versioned", "Topic")
    return str(account.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"])


def test_a_parameter_from_ssm_has_the_value_behind_its_name(versioned: Account) -> None:
    assert display_name(versioned) == "6"
    shown = {parameter["ParameterKey"]: parameter for parameter in versioned.stack("versioned")["Parameters"]}
    assert shown["Version"] == {
        "ParameterKey": "Version",
        "ParameterValue": "/the/version",
        "ResolvedValue": "6",
    }


def test_the_previous_value_of_a_parameter_from_ssm_is_its_name(versioned: Account) -> None:
    versioned.client("ssm").put_parameter(Name="/the/version", Value="7", Type="String", Overwrite=True)
    previous = [{"ParameterKey": "Version", "UsePreviousValue": True}]
    versioned.update("versioned", NAMED_BY_PARAMETER, Parameters=previous, **PARAMETERS)
    assert display_name(versioned) == "7"


def test_a_parameter_without_echo_is_not_shown(versioned: Account) -> None:
    shown = {p["ParameterKey"]: p["ParameterValue"] for p in versioned.stack("versioned")["Parameters"]}
    assert shown["Secret"] == "****"


def test_a_rule_that_does_not_hold_refuses_the_stack(account: Account) -> None:
    account.client("ssm").put_parameter(Name="/the/version", Value="2", Type="String")
    with pytest.raises(ClientError, match="version 3 is needed"):
        account.create("versioned", NAMED_BY_PARAMETER, **PARAMETERS)


def test_a_parameter_that_ssm_does_not_have_is_named(account: Account) -> None:
    with pytest.raises(ClientError, match=r"Unable to fetch parameters \[/the/version\] from parameter store"):
        account.create("versioned", NAMED_BY_PARAMETER, **PARAMETERS)


def test_a_dynamic_reference_to_ssm_is_resolved(account: Account) -> None:
    account.client("ssm").put_parameter(Name="display", Value="from ssm", Type="String")
    account.deploy("versioned", topic(DisplayName="{{resolve:ssm:display}}"))
    assert display_name(account) == "from ssm"


def test_a_dynamic_reference_to_another_service_is_refused_by_name(account: Account) -> None:
    with pytest.raises(ClientError, match="resolve:secretsmanager:x}} is not emulated"):
        account.create("versioned", topic(DisplayName="{{resolve:secretsmanager:x}}"))


def test_a_resource_whose_condition_does_not_hold_is_not_created(account: Account) -> None:
    resources = {"Group": {**log_group("group"), "Condition": "Never"}, **topic()}
    never = {"Conditions": {"Never": {"Fn::Equals": [{"Ref": "AWS::Region"}, "mars-north-1"]}}}
    account.deploy("conditional", resources, **never)
    assert account.client("logs").describe_log_groups()["logGroups"] == []
