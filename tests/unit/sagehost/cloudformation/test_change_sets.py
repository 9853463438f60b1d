"""Change sets: what they announce, what they refuse, and how they are executed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.sagehost.cloudformation.templates import NETWORK, hosting, log_group, topic, with_properties

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account


def announced(change_set: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Logical id -> action and replacement."""
    changes = [change["ResourceChange"] for change in change_set["Changes"]]
    return {change["LogicalResourceId"]: (change["Action"], change.get("Replacement")) for change in changes}


def test_a_change_set_for_a_new_stack_adds_every_resource(account: Account) -> None:
    change_set = account.change_set("new", NETWORK, "CREATE")
    assert change_set["Status"] == "CREATE_COMPLETE"
    assert announced(change_set) == dict.fromkeys(NETWORK, ("Add", None))
    assert account.status("new") == "REVIEW_IN_PROGRESS"


def test_a_change_set_does_nothing_until_it_is_executed(account: Account) -> None:
    before = account.inventory()
    account.change_set("new", NETWORK, "CREATE")
    assert account.inventory() == before
    account.cfn.execute_change_set(StackName="new", ChangeSetName="changes")
    assert account.status("new") == "CREATE_COMPLETE"


def test_a_change_set_lists_modified_replaced_added_and_removed_resources(account: Account) -> None:
    account.deploy("net", {**NETWORK, **topic(DisplayName="one"), "Gone": log_group("gone")})
    changed = with_properties({**NETWORK, **topic(DisplayName="two")}, "Group", GroupDescription="another")
    change_set = account.change_set("net", {**changed, "New": log_group("new")})
    assert announced(change_set) == {
        "Topic": ("Modify", "False"),
        "Group": ("Modify", "True"),
        "Runtime": ("Modify", "False"),
        "New": ("Add", None),
        "Gone": ("Remove", None),
    }


def test_a_change_of_a_setting_of_the_container_replaces_model_and_config_and_updates_the_endpoint(
    account: Account,
) -> None:
    account.deploy("hosting", hosting())
    change_set = account.change_set("hosting", hosting(MAX_CONCURRENT_REQUESTS="4"))
    assert announced(change_set) == {
        "Model": ("Modify", "True"),
        "Config": ("Modify", "Conditional"),
        "Endpoint": ("Modify", "False"),
    }


def test_executing_that_change_keeps_the_endpoint_and_leaves_no_old_model(account: Account) -> None:
    account.deploy("hosting", hosting())
    endpoint = account.physical_id("hosting", "Endpoint")
    account.update("hosting", hosting(MAX_CONCURRENT_REQUESTS="4"))
    sagemaker = account.client("sagemaker")
    (model,) = sagemaker.list_models()["Models"]
    (config,) = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    (shown,) = sagemaker.list_endpoints()["Endpoints"]
    described = sagemaker.describe_model(ModelName=model["ModelName"])
    assert described["PrimaryContainer"]["Environment"]["MAX_CONCURRENT_REQUESTS"] == "4"
    assert shown["EndpointArn"] == endpoint
    serving = sagemaker.describe_endpoint(EndpointName=shown["EndpointName"])
    assert serving["EndpointConfigName"] == config["EndpointConfigName"]


def test_details_name_the_property_and_whether_it_requires_recreation(account: Account) -> None:
    account.deploy("net", NETWORK)
    change_set = account.change_set("net", with_properties(NETWORK, "Group", GroupDescription="another"))
    (group,) = [
        change["ResourceChange"]
        for change in change_set["Changes"]
        if change["ResourceChange"]["LogicalResourceId"] == "Group"
    ]
    (detail,) = group["Details"]
    assert detail["Target"] == {
        "Attribute": "Properties",
        "Name": "GroupDescription",
        "RequiresRecreation": "Always",
    }
    assert group["PolicyAction"] == "ReplaceAndDelete"


def test_a_change_set_without_changes_fails_in_the_words_that_the_cdk_looks_for(account: Account) -> None:
    account.deploy("same", NETWORK)
    change_set = account.change_set("same", NETWORK)
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert change_set["StatusReason"].startswith("The submitted information didn't contain changes.")


@pytest.mark.parametrize(
    "change",
    [
        {"Outputs": {"Name": {"Value": {"Ref": "Topic"}}}},
        {"Tags": [{"Key": "a", "Value": "b"}]},
    ],
    ids=["outputs", "tags"],
)
def test_outputs_and_tags_are_changes(account: Account, change: dict[str, Any]) -> None:
    account.deploy("same", topic())
    assert account.change_set("same", topic(), **change)["Status"] == "CREATE_COMPLETE"


def test_a_change_of_metadata_is_a_change_that_touches_no_property(account: Account) -> None:
    account.deploy("same", topic())
    changed = {"Topic": {**topic()["Topic"], "Metadata": {"aws:cdk:path": "somewhere"}}}
    change_set = account.change_set("same", changed)
    (change,) = change_set["Changes"]
    assert change["ResourceChange"]["Scope"] == ["Metadata"]
    account.cfn.execute_change_set(StackName="same", ChangeSetName="changes")
    assert account.status("same") == "UPDATE_COMPLETE"
    assert account.change_set("same", changed)["Status"] == "FAILED"


def test_a_change_set_lists_every_problem_with_its_path(account: Account) -> None:
    resources = {
        "Unknown": {"Type": "AWS::S3::Buckett"},
        "Foreign": {"Type": "AWS::Lambda::Function", "Properties": {}},
        "Custom": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "x"}},
        "Misspelt": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayNam": "x"}},
        "Nested": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {}, "Policies": [{"PolicyNam": "x"}]},
        },
        "Left": {"Type": "AWS::S3::Bucket", "Properties": {"WebsiteConfiguration": {"IndexDocument": "index.html"}}},
        "Wrong": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": "soon"}},
    }
    change_set = account.change_set("wrong", resources, "CREATE")
    assert change_set["Status"] == "FAILED"
    events = account.cfn.describe_events(StackName="wrong", ChangeSetName="changes", Filters={"FailedEvents": True})
    told = {
        (event["ValidationPath"], event["ValidationStatusReason"].rpartition(" with message: ")[2])
        for event in events["OperationEvents"]
    }
    policy = "/Resources/Nested/Properties/Policies/0"
    retention = "/Resources/Wrong/Properties/RetentionInDays"
    unrecognized = (
        "Template format error: Unrecognized resource types: [AWS::S3::Buckett] (did you mean AWS::S3::Bucket?)"
    )
    assert told == {
        ("/Resources/Unknown/Type", f"{unrecognized} (resource Unknown)"),
        ("/Resources/Foreign/Type", "Resource type AWS::Lambda::Function is not emulated (resource Foreign)"),
        ("/Resources/Custom/Type", "Custom resource Custom (Custom::Thing) is not emulated"),
        (
            "/Resources/Misspelt/Properties",
            "#: extraneous key [DisplayNam] is not permitted (did you mean DisplayName?)",
        ),
        (policy, "#/Policies/0: extraneous key [PolicyNam] is not permitted (did you mean PolicyName?)"),
        (policy, "#/Policies/0: required key [PolicyName] not found"),
        (policy, "#/Policies/0: required key [PolicyDocument] not found"),
        (
            "/Resources/Left/Properties/WebsiteConfiguration",
            "Property WebsiteConfiguration of AWS::S3::Bucket is not emulated (resource Left)",
        ),
        (retention, "#/RetentionInDays: expected type: integer, found: str"),
    }


def test_a_change_set_that_failed_cannot_be_executed(account: Account) -> None:
    account.change_set("wrong", {"It": {"Type": "AWS::No::Such"}}, "CREATE")
    with pytest.raises(account.cfn.exceptions.InvalidChangeSetStatusException):
        account.cfn.execute_change_set(StackName="wrong", ChangeSetName="changes")


def test_a_number_in_the_containers_environment_fails_the_model_as_on_aws(account: Account) -> None:
    resources = hosting()
    resources["Model"]["Properties"]["PrimaryContainer"]["Environment"]["PORT"] = 8080
    assert account.create("numbers", resources) == "ROLLBACK_COMPLETE"
    reason = account.reason("numbers", "CREATE_FAILED")
    assert "#/PrimaryContainer/Environment/PORT: expected type: String, found: int" in reason


def test_change_sets_are_named_within_their_stack(account: Account) -> None:
    first = account.change_set("first", topic(), "CREATE")
    second = account.change_set("second", topic(), "CREATE")
    assert first["ChangeSetId"] != second["ChangeSetId"]
    account.cfn.delete_change_set(StackName="first", ChangeSetName="changes")
    assert account.cfn.list_change_sets(StackName="first")["Summaries"] == []
    (left,) = account.cfn.list_change_sets(StackName="second")["Summaries"]
    assert left["ChangeSetId"] == second["ChangeSetId"]


def test_a_change_set_that_does_not_exist_can_be_deleted_but_not_described(account: Account) -> None:
    account.deploy("it", topic())
    account.cfn.delete_change_set(StackName="it", ChangeSetName="never-was")
    with pytest.raises(account.cfn.exceptions.ChangeSetNotFoundException) as missing:
        account.cfn.describe_change_set(StackName="it", ChangeSetName="never-was")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_stack_that_was_only_reviewed_can_be_deleted(account: Account) -> None:
    account.change_set("reviewed", topic(), "CREATE")
    assert account.delete("reviewed") == "DELETE_COMPLETE"


def test_iam_resources_require_a_capability(account: Account) -> None:
    body = json.dumps({"Resources": {"Role": hosting()["Role"]}})
    with pytest.raises(account.cfn.exceptions.InsufficientCapabilitiesException, match="CAPABILITY_IAM"):
        account.cfn.create_stack(StackName="iam", TemplateBody=body)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("NotificationARNs", ["arn:aws:sns:us-east-1:123456789012:topic"]),
        ("RollbackConfiguration", {"MonitoringTimeInMinutes": 5}),
        ("DeploymentConfig", {"Mode": "EXPRESS"}),
        ("ResourcesToImport", [{"ResourceType": "a", "LogicalResourceId": "b", "ResourceIdentifier": {"c": "d"}}]),
    ],
)
def test_options_that_are_not_emulated_are_refused_by_name(account: Account, option: str, value: Any) -> None:
    with pytest.raises(ClientError, match=f"{option} .* is not emulated"):
        account.change_set("options", topic(), "CREATE", **{option: value})


def test_a_template_can_be_read_from_s3(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket=f"templates-{account.id}")
    s3.put_object(Bucket=f"templates-{account.id}", Key="a/b.json", Body=json.dumps({"Resources": topic()}).encode())
    for host in (f"s3.us-east-1.amazonaws.com/templates-{account.id}", f"templates-{account.id}.s3.amazonaws.com"):
        url = f"https://{host}/a/b.json"
        summary = account.cfn.get_template_summary(TemplateURL=url)
        assert summary["ResourceTypes"] == ["AWS::SNS::Topic"]
