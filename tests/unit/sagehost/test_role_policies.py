"""What an execution role may do, from its policies and the resource's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sagehost import moto_app
from sagehost.roles import AccessDenied, allows_action, check_action
from tests.unit.fresh_accounts import fresh_account

OBJECT = "arn:aws:s3:::bucket/prefix/one"
WRITE = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/prefix/*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def iam() -> Any:
    made = moto_app.client("iam", fresh_account(), "us-east-1")
    trusted = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made.create_role(RoleName="role", AssumeRolePolicyDocument=document(trusted))
    return made


def role(iam: Any) -> str:
    return str(iam.get_role(RoleName="role")["Role"]["Arn"])


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([WRITE], True),
        ([{**WRITE, "Action": ["s3:put*"]}], True),
        ([{**WRITE, "Action": "s3:GetObject"}], False),
        ([{**WRITE, "Resource": "arn:aws:s3:::bucket/prefix/on?"}], True),
        ([{**WRITE, "Resource": "arn:aws:s3:::bucket/[p]refix/one"}], False),
        ([{**WRITE, "Resource": ["arn:aws:s3:::other/*", "arn:aws:s3:::bucket"]}], False),
        ([WRITE, {**WRITE, "Effect": "Deny"}], False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::bucket/*"}], False),
        ([WRITE, {**WRITE, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], True),
        ([{**WRITE, "Condition": {"StringEquals": {"aws:ResourceAccount": "111122223333"}}}], False),
        ([{**WRITE, "Condition": {"StringEquals": {"aws:Unknown": "1"}}}], False),
        ([WRITE, {**WRITE, "Effect": "Deny", "Condition": {"StringEquals": {"aws:Unknown": "1"}}}], False),
    ],
)
def test_the_inline_policies_of_a_role_decide(iam: Any, statements: list[dict[str, Any]], *, allowed: bool) -> None:
    for number, statement in enumerate(statements):
        iam.put_role_policy(RoleName="role", PolicyName=str(number), PolicyDocument=document(statement))
    assert allows_action(role(iam), "s3:PutObject", OBJECT, "{}", {}) is allowed


def test_the_version_of_a_managed_policy_that_counts_is_the_default(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="write", PolicyDocument=document(WRITE))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="role", PolicyArn=arn)
    assert allows_action(role(iam), "s3:PutObject", OBJECT, "{}", {})
    nothing = document({**WRITE, "Action": "s3:GetObject"})
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=nothing, SetAsDefault=True)
    assert not allows_action(role(iam), "s3:PutObject", OBJECT, "{}", {})


@pytest.mark.parametrize(("principal", "allowed"), [("role", True), ("*", True), ("another", False)])
def test_the_resources_own_policy_may_let_a_role_in(iam: Any, principal: str, *, allowed: bool) -> None:
    arn = principal if principal == "*" else role(iam).removesuffix("role") + principal
    policy = document({**WRITE, "Principal": {"AWS": arn}})
    assert allows_action(role(iam), "s3:PutObject", OBJECT, policy, {}) is allowed


def test_a_refusal_names_the_session_the_action_and_what_could_not_be_evaluated(iam: Any) -> None:
    unknown = {**WRITE, "Condition": {"StringEquals": {"aws:Unknown": "1"}}}
    iam.put_role_policy(RoleName="role", PolicyName="unknown", PolicyDocument=document(unknown))
    with pytest.raises(AccessDenied) as refusal:
        check_action(role(iam), "s3:PutObject", OBJECT, {})
    account = role(iam).split(":")[4]
    assert refusal.value.message == (
        f"User: arn:aws:sts::{account}:assumed-role/role/SageMaker is not authorized to perform: s3:PutObject "
        f"on resource: {OBJECT} (condition key aws:Unknown is not emulated)"
    )


def test_a_role_that_does_not_exist_is_allowed_nothing(iam: Any) -> None:
    assert not allows_action(role(iam) + "-gone", "s3:PutObject", OBJECT, "{}", {})


READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
DECRYPT = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
OTHER, OWN = "999988887777", ""


@pytest.mark.parametrize(
    ("own", "policy", "principal", "owner", "allowed"),
    [
        (READ, READ, ":root", OTHER, True),
        (READ, READ, ":role/role", OTHER, True),
        (READ, READ, ":role/another", OTHER, False),
        (READ, None, "", OTHER, False),
        (None, READ, ":role/role", OTHER, False),
        (READ, None, "", OWN, True),
        (None, READ, ":role/role", OWN, True),
        (DECRYPT, DECRYPT, ":root", OWN, True),
        (None, DECRYPT, ":role/role", OWN, True),
        (DECRYPT, None, "", OWN, False),
        (None, DECRYPT, ":root", OWN, False),
        (DECRYPT, DECRYPT, ":root", OTHER, True),
        (None, DECRYPT, ":role/role", OTHER, False),
    ],
)
def test_another_accounts_resource_and_a_key_take_their_own_policy_too(
    iam: Any, own: Any, policy: Any, principal: str, owner: str, *, allowed: bool
) -> None:
    """IAM user guide, "Cross-account policy evaluation logic"; AWS KMS developer guide, "Key policies"."""
    arn, account = role(iam), role(iam).split(":")[4]
    if own:
        iam.put_role_policy(RoleName="role", PolicyName="own", PolicyDocument=document(own))
    named = {"Principal": {"AWS": f"arn:aws:iam::{account}{principal}"}}
    of_resource = document({**policy, **named}) if policy else "{}"
    action = (own or policy)["Action"]
    key = f"arn:aws:kms:us-east-1:{owner or account}:key/1"
    resource = "arn:aws:s3:::bucket/a" if action.startswith("s3:") else key
    try:
        check_action(arn, action, resource, {}, of_resource, owner=owner or account)
        found = True
    except AccessDenied:
        found = False
    assert found is allowed
