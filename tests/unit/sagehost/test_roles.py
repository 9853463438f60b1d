"""Who may assume which role: trust policies name exactly those who may, and a session's own role has to allow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagehost import moto_app, roles
from sagehost.roles import AccessDenied, Credentials
from tests.unit.fresh_accounts import fresh_account
from tests.unit.sessions import session_client

BUILDS = "codebuild.amazonaws.com"
ANY = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}


class Account:
    """An account that nothing else uses."""

    def __init__(self) -> None:
        self.id = fresh_account()
        self.root = f"arn:aws:iam::{self.id}:root"

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.id, "us-east-1")

    def role(self, name: str, principal: Any, condition: Any = None, **statement: Any) -> str:
        """A role that this principal may assume."""
        allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **statement}
        if condition:
            allowed["Condition"] = condition
        made = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(allowed))
        return str(made["Role"]["Arn"])

    def permit(self, role: str, *statements: Mapping[str, Any]) -> None:
        self.client("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(*statements))

    def session(self, name: str = "caller", *statements: Mapping[str, Any]) -> roles.Identity:
        """Who calls with `credentials`."""
        return roles.identity(self.credentials(name, *statements)["AccessKeyId"])

    def credentials(self, name: str = "caller", *statements: Mapping[str, Any]) -> Credentials:
        """A session of a new role with these permissions: by default to assume every role."""
        arn = self.role(name, {"Service": BUILDS})
        self.permit(name, *(statements or (ANY,)))
        return roles.assume(arn, by=BUILDS)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def other() -> Account:
    return Account()


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_service_that_a_role_trusts_gets_credentials_of_a_session(account: Account) -> None:
    role = account.role("role", {"Service": BUILDS})
    made = roles.assume(role, by=BUILDS, session_name="build")
    session = session_client("sts", "us-east-1", made)
    assert session.get_caller_identity()["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/role/build"


@pytest.mark.parametrize("principal", [{"Service": "codepipeline.amazonaws.com"}, {"AWS": "*"}])
def test_a_service_that_a_role_does_not_name_is_refused(account: Account, principal: Any) -> None:
    with pytest.raises(AccessDenied, match=f"User: {BUILDS} is not authorized"):
        roles.assume(account.role("role", principal), by=BUILDS)


def test_a_service_assumes_a_role_only_for_the_source_arns_that_it_names(account: Account) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": account.id}, "ArnLike": {"aws:SourceArn": "arn:aws:s:*:*:mine*"}}
    role = account.role("role", {"Service": BUILDS}, condition)
    roles.check(role, by=BUILDS, source_arn=f"arn:aws:s:us-east-1:{account.id}:mine-1")
    for arn in (None, f"arn:aws:s:us-east-1:{account.id}:other", "arn:aws:s:r:1:mine"):
        with pytest.raises(AccessDenied):
            roles.check(role, by=BUILDS, source_arn=arn)


def test_in_china_accounts_and_roles_are_of_its_partition(account: Account) -> None:
    root = {"AWS": f"arn:aws-cn:iam::{account.id}:root"}
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": root})
    iam, sts = (moto_app.client(service, account.id, "cn-north-1") for service in ("iam", "sts"))
    arn = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = "arn:aws-cn:iam::aws:policy/ReadOnlyAccess"
    iam.attach_role_policy(RoleName="role", PolicyArn=policy)
    session = sts.assume_role(RoleArn=arn, RoleSessionName="test")
    assert session["AssumedRoleUser"]["Arn"] == f"arn:aws-cn:sts::{account.id}:assumed-role/role/test"
    again = session_client("sts", "cn-north-1", session["Credentials"])
    with pytest.raises(ClientError, match=r"User: arn:aws-cn:sts::.*/role/test is not authorized"):
        again.assume_role(RoleArn=f"{arn}s", RoleSessionName="test")


@pytest.mark.parametrize("arn", ["arn:aws:iam::{account}:role/absent", "arn:aws:iam::{account}:user/u", "role", ""])
def test_a_role_that_does_not_exist_cannot_be_assumed(account: Account, arn: str) -> None:
    with pytest.raises(AccessDenied):
        roles.assume(arn.format(account=account.id), by=BUILDS)


def test_the_name_of_a_role_counts_with_its_path(account: Account) -> None:
    role = account.role("role", {"Service": BUILDS})
    with pytest.raises(AccessDenied):
        roles.assume(role.replace("role/", "role/path/"), by=BUILDS)


def test_a_role_that_trusts_an_account_trusts_its_sessions(account: Account, other: Account) -> None:
    roles.assume(other.role("role", {"AWS": account.root}), by=account.session())


def test_a_role_that_names_a_role_trusts_no_other_of_the_account(account: Account, other: Account) -> None:
    role = other.role("role", {"AWS": f"arn:aws:iam::{account.id}:role/caller"})
    roles.assume(role, by=account.session("caller"))
    with pytest.raises(AccessDenied):
        roles.assume(role, by=account.session("another"))


def test_a_role_that_names_a_role_does_not_trust_its_accounts_administrator(account: Account, other: Account) -> None:
    role = other.role("role", {"AWS": f"arn:aws:iam::{account.id}:role/caller"})
    with pytest.raises(ClientError, match=f"{account.root} is not authorized"):
        account.client("sts").assume_role(RoleArn=role, RoleSessionName="test")


@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike", "StringEquals", "StringLike"])
def test_a_condition_on_the_callers_role_trusts_only_that_role(account: Account, other: Account, operator: str) -> None:
    condition = {operator: {"aws:PrincipalArn": f"arn:aws:iam::{account.id}:role/caller"}}
    role = other.role("role", {"AWS": account.root}, condition)
    roles.assume(role, by=account.session("caller"))
    with pytest.raises(AccessDenied):
        roles.assume(role, by=account.session("caller2"))


def test_the_external_id_must_match_the_trust_policy(account: Account, other: Account) -> None:
    role = other.role("role", {"AWS": account.root}, {"StringEquals": {"sts:ExternalId": "agreed"}})
    sts = account.client("sts")
    assert sts.assume_role(RoleArn=role, RoleSessionName="test", ExternalId="agreed")["Credentials"]
    for wrong in ({}, {"ExternalId": "another"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=role, RoleSessionName="test", **wrong)


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "condition key aws:PrincipalOrgID is not emulated"),
        ({"DateLessThan": {"aws:CurrentTime": "2030"}}, "condition operator DateLessThan is not emulated"),
    ],
)
def test_what_cannot_be_evaluated_refuses_by_name(account: Account, condition: Any, named: str) -> None:
    role = account.role("role", {"AWS": account.root}, condition)
    with pytest.raises(ClientError, match=named):
        account.client("sts").assume_role(RoleArn=role, RoleSessionName="test")


def test_a_statement_about_others_is_not_evaluated(account: Account, other: Account) -> None:
    about_others = {
        "Effect": "Deny",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": other.root},
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    role = account.role("role", {"AWS": account.root})
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account.root}}
    account.client("iam").update_assume_role_policy(RoleName="role", PolicyDocument=document(allowed, about_others))
    assert account.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]


def test_a_deny_statement_overrides_an_allow_statement(account: Account) -> None:
    role = account.role("role", {"AWS": account.root})
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account.root}}
    account.client("iam").update_assume_role_policy(
        RoleName="role", PolicyDocument=document(allowed, {**allowed, "Effect": "Deny", "Principal": "*"})
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        account.client("sts").assume_role(RoleArn=role, RoleSessionName="test")


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/role"}, True),
        ({"Action": "sts:*", "Resource": "arn:aws:iam::{other}:role/*"}, True),
        ({"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::{other}:role/rol"}, False),
        ({"Action": "sts:GetCallerIdentity", "Resource": "*"}, False),
        ({"Action": "sts:AssumeRole", "Resource": "*", "Effect": "Deny"}, False),
        ({"NotAction": "sts:AssumeRole", "Resource": "*"}, False),
        ({"Action": "sts:AssumeRole", "NotResource": "arn:aws:iam::{other}:role/role"}, False),
    ],
)
def test_a_session_assumes_only_what_its_own_role_allows(
    account: Account, other: Account, statement: Any, allowed: bool
) -> None:
    role = other.role("role", {"AWS": account.root})
    given = json.loads(json.dumps({"Effect": "Allow", **statement}).replace("{other}", other.id))
    caller = account.session("caller", given)
    if allowed:
        roles.assume(role, by=caller)
    else:
        with pytest.raises(AccessDenied):
            roles.assume(role, by=caller)


def test_a_role_of_the_same_account_that_names_the_caller_needs_nothing_of_the_callers_own(account: Account) -> None:
    nothing = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    caller = account.session("caller", nothing)
    roles.assume(account.role("naming", {"AWS": f"arn:aws:iam::{account.id}:role/caller"}), by=caller)
    with pytest.raises(AccessDenied):
        roles.assume(account.role("trusting", {"AWS": account.root}), by=caller)


def test_an_attached_policy_allows_as_an_inline_one_does(account: Account, other: Account) -> None:
    role = other.role("role", {"AWS": account.root})
    caller = account.session("caller", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    iam = account.client("iam")
    policy = iam.create_policy(PolicyName="assume", PolicyDocument=document(ANY))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="caller", PolicyArn=policy)
    roles.assume(role, by=caller)


def test_a_permissions_boundary_limits_a_session(account: Account, other: Account) -> None:
    role = other.role("role", {"AWS": account.root})
    caller = account.session("caller")
    iam = account.client("iam")
    boundary = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    policy = iam.create_policy(PolicyName="boundary", PolicyDocument=boundary)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="caller", PermissionsBoundary=policy)
    with pytest.raises(AccessDenied):
        roles.assume(role, by=caller)


def test_a_policy_may_depend_on_the_tags_of_the_role(account: Account, other: Account) -> None:
    """As CDK Pipelines lets its self-mutation assume the roles of the bootstrap."""
    condition = {"ForAnyValue:StringEquals": {"iam:ResourceTag/aws-cdk:bootstrap-role": ["deploy", "lookup"]}}
    caller = account.session("caller", {**ANY, "Condition": condition})
    role = other.role("role", {"AWS": account.root})
    with pytest.raises(AccessDenied):
        roles.assume(role, by=caller)
    tag = {"Key": "aws-cdk:bootstrap-role", "Value": "lookup"}
    other.client("iam").tag_role(RoleName="role", Tags=[tag])
    roles.assume(role, by=caller)


def test_a_session_that_was_assumed_from_a_session_shows_its_own_role(account: Account, other: Account) -> None:
    role = other.role("gate", {"AWS": account.root})
    sts = session_client("sts", "us-east-1", account.credentials())
    credentials = sts.assume_role(RoleArn=role, RoleSessionName="smoke")["Credentials"]
    shown = session_client("sts", "us-east-1", credentials).get_caller_identity()
    assert (shown["Account"], shown["Arn"]) == (other.id, f"arn:aws:sts::{other.id}:assumed-role/gate/smoke")


def test_user_named_in_trust_policy_may_assume_role(account: Account, other: Account) -> None:
    account.client("iam").create_user(UserName="ann")
    key = account.client("iam").create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    assert roles.identity(key).arn == f"arn:aws:iam::{account.id}:user/ann"
    roles.check(other.role("role", {"AWS": f"arn:aws:iam::{account.id}:user/ann"}), by=roles.identity(key))
