"""Operations of stacks: their ids, the roles in whose name they run, and requests that CloudFormation refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from sagehost import moto_app
from tests.unit.sagehost.cloudformation.templates import NETWORK, log_group, topic

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

INVALID = "is invalid or cannot be assumed"


def operations(account: Account, name: str) -> list[tuple[str, str]]:
    """Type and id of each operation in the order of the stack's events."""
    events = account.cfn.describe_events(StackName=name)["OperationEvents"]
    return list(dict.fromkeys((event["OperationType"], event["OperationId"]) for event in reversed(events)))


def failing(account: Account, stack: str) -> dict[str, Any]:
    """Resources whose creation fails for a reason that names the stack."""
    name = f"taken-by-{stack}"
    account.client("logs").create_log_group(logGroupName=name)
    return {"Taken": log_group(name)}


def service_role(account: Account, service: str = "cloudformation.amazonaws.com") -> str:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    iam = account.client("iam")
    made = iam.create_role(RoleName="deploys", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    return str(made["Role"]["Arn"])


def as_session(credentials: dict[str, str], region: str) -> Any:
    """A client of this process's CloudFormation with the credentials of a role's session."""
    client = botocore.session.Session().create_client(
        "cloudformation",
        region_name=region,
        endpoint_url="http://localhost",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    client.meta.events.register("before-send", moto_app._send)
    return client


def test_a_rollback_is_an_operation_of_its_own(account: Account) -> None:
    made = account.cfn.create_stack(StackName="it", TemplateBody=json.dumps({"Resources": failing(account, "it")}))
    (created, created_id), (rolled_back, rolled_back_id) = operations(account, "it")
    assert (created, rolled_back) == ("CREATE_STACK", "ROLLBACK")
    assert created_id != rolled_back_id
    assert account.stack("it")["LastOperations"][::-1] == [
        {"OperationType": "CREATE_STACK", "OperationId": created_id},
        {"OperationType": "ROLLBACK", "OperationId": rolled_back_id},
    ]
    assert made["StackId"] == account.stack("it")["StackId"]


def test_stack_events_carry_the_id_of_their_operation(account: Account) -> None:
    account.deploy("it", topic())
    account.update("it", topic(DisplayName="two"))
    events = account.cfn.describe_stack_events(StackName="it")["StackEvents"]
    assert len({event["OperationId"] for event in events}) == 2
    first = [event for event in events if event["OperationId"] == events[-1]["OperationId"]]
    assert first[0]["ResourceStatus"] == "CREATE_COMPLETE"


def test_events_of_one_operation_tell_only_its_own_failures(account: Account) -> None:
    account.deploy("it", topic())
    for attempt in ("first", "second"):
        account.update("it", {**topic(), **failing(account, attempt)})
    _, _, _, (kind, update), _ = operations(account, "it")
    assert kind == "UPDATE_STACK"
    (failed,) = account.cfn.describe_events(OperationId=update, Filters={"FailedEvents": True})["OperationEvents"]
    assert (failed["EventType"], failed["LogicalResourceId"]) == ("PROVISIONING_ERROR", "Taken")
    assert json.loads(failed["ResourceProperties"])["LogGroupName"] == "taken-by-second"


def test_a_request_token_of_an_earlier_operation_is_refused(account: Account) -> None:
    account.create("it", topic(), ClientRequestToken="one")
    account.update("it", topic(DisplayName="it"), ClientRequestToken="two")
    for token in ("one", "two"):
        with pytest.raises(account.cfn.exceptions.TokenAlreadyExistsException):
            account.cfn.delete_stack(StackName="it", ClientRequestToken=token)
    assert account.status("it") == "UPDATE_COMPLETE"
    assert account.delete("it", ClientRequestToken="three") == "DELETE_COMPLETE"


def test_events_have_the_token_of_the_request_that_executed_the_change_set(account: Account) -> None:
    account.change_set("it", topic(), "CREATE", ClientToken="made")
    account.cfn.execute_change_set(StackName="it", ChangeSetName="changes", ClientRequestToken="executed")
    newest = account.cfn.describe_stack_events(StackName="it")["StackEvents"][0]
    assert newest["ClientRequestToken"] == "executed"


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [("cloudformation", "list_stacks", "ValidationError"), ("sagemaker", "list_models", "ValidationException")],
)
def test_a_page_token_that_the_service_has_not_given_is_refused(
    account: Account, service: str, operation: str, code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(account.client(service), operation)(NextToken="none")
    assert refused.value.response["Error"]["Code"] == code


def test_events_of_an_unknown_operation_are_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        account.cfn.describe_events(OperationId="0")


@pytest.mark.parametrize("service", [None, "lambda.amazonaws.com"])
def test_a_role_that_cloudformation_cannot_assume_is_refused(account: Account, service: str | None) -> None:
    role = service_role(account, service) if service else f"arn:aws:iam::{account.id}:role/none"
    with pytest.raises(ClientError, match=f"Role {role} {INVALID}"):
        account.create("it", topic(), RoleARN=role)
    with pytest.raises(ClientError, match=INVALID):
        account.change_set("it", topic(), "CREATE", RoleARN=role)
    account.deploy("it", topic())
    with pytest.raises(ClientError, match=INVALID):
        account.update("it", topic(DisplayName="two"), RoleARN=role)
    with pytest.raises(ClientError, match=INVALID):
        account.delete("it", RoleARN=role)


def test_a_stack_whose_role_is_gone_cannot_be_changed_or_deleted(account: Account) -> None:
    role, iam = service_role(account), account.client("iam")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName="deploys", PolicyName="all", PolicyDocument=document)
    account.deploy("it", topic(), RoleARN=role)
    account.change_set("it", topic(DisplayName="two"))
    iam.delete_role_policy(RoleName="deploys", PolicyName="all")
    iam.delete_role(RoleName="deploys")
    with pytest.raises(ClientError, match=INVALID):
        account.delete("it")
    with pytest.raises(ClientError, match=INVALID):
        account.cfn.execute_change_set(StackName="it", ChangeSetName="changes")
    assert account.status("it") == "CREATE_COMPLETE"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_session_passes_only_the_roles_that_its_policies_allow(account: Account, allowed: bool) -> None:
    role, iam = service_role(account), account.client("iam")
    root = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account.id}}
    caller = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=json.dumps({"Statement": [root]}))
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role if allowed else "arn:aws:iam::1:role/x"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [passing]})
    iam.put_role_policy(RoleName="caller", PolicyName="passes", PolicyDocument=document)
    session = account.client("sts").assume_role(RoleArn=caller["Role"]["Arn"], RoleSessionName="test")["Credentials"]
    client = as_session(session, account.region)
    request = {"StackName": "it", "TemplateBody": json.dumps({"Resources": topic()}), "RoleARN": role}
    if allowed:
        assert client.create_stack(**request)["StackId"]
    else:
        with pytest.raises(ClientError, match="iam:PassRole on resource") as refused:
            client.create_stack(**request)
        assert refused.value.response["Error"]["Code"] == "AccessDenied"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"DisableRollback": True, "OnFailure": "ROLLBACK"}, "not both"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "aws:"),
        ({"Tags": [{"Key": "x", "Value": "y"}, {"Key": "x", "Value": "z"}]}, "unique"),
        ({"Description": "é" * 513}, "'Description' length is greater than 1024"),
        ({"Outputs": {n: {"Value": n, "Export": {"Name": "e"}} for n in ("A", "B")}}, "export name e"),
    ],
)
def test_a_stack_that_cloudformation_refuses_is_not_created(
    account: Account, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        account.create("it", topic(), **options)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert list(account.cfn.list_stacks()["StackSummaries"]) == []


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"TemplateURL": "https://example.com/t.json"},
            "Domain name specified in example.com is not a valid S3 domain",
        ),
        ({"TemplateBody": '{"AWSTemplateFormatVersion": "2011"}'}, "unsupported value for AWSTemplateFormatVersion"),
    ],
)
def test_a_template_that_cloudformation_refuses_is_not_valid(
    account: Account, request_: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        account.cfn.validate_template(**request_)


def test_previous_template_and_a_new_one_exclude_each_other(account: Account) -> None:
    account.deploy("it", topic())
    with pytest.raises(ClientError, match="Either Template URL or Template Body"):
        account.update("it", topic(DisplayName="two"), UsePreviousTemplate=True)


def test_a_deletion_retains_only_resources_of_the_stack(account: Account) -> None:
    account.deploy("net", {"Vpc": NETWORK["Vpc"]})
    account.client("ec2").create_subnet(VpcId=account.physical_id("net", "Vpc"), CidrBlock="10.0.9.0/24")
    account.delete("net")
    with pytest.raises(ClientError, match="Other"):
        account.delete("net", RetainResources=["Other"])


def test_a_failed_first_deployment_keeps_its_termination_protection(account: Account) -> None:
    assert account.create("it", failing(account, "it"), EnableTerminationProtection=True) == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        account.delete("it")
