"""Every policy by IAM's grammar can be read by whatever reads policies: with a result, or a refusal of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.operate.bootstrap import _trusted
from mistral7b.operate.permissions import StackPolicies
from mistral7b.promotion.grants import grants
from sagehost import moto_app, policies, roles
from sagehost.policies import NotEvaluated
from sagehost.roles import AccessDenied
from tests.unit.fresh_accounts import fresh_account

ACCOUNT = fresh_account()
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One value by itself, or a list."""
    return values | st.lists(values, min_size=1, max_size=3)


def either(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An element, or its negation."""
    return st.tuples(st.sampled_from([name, f"Not{name}"]), values).map(lambda pair: dict([pair]))


PRINCIPALS = st.just("*") | st.dictionaries(
    st.sampled_from(["AWS", "Service", "Federated", "CanonicalUser"]),
    some(st.sampled_from(["*", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ROLE, "logs.us-east-1.amazonaws.com"])),
    min_size=1,
)
OPERATORS = ["StringEquals", "StringLike", "StringNotEquals", "ArnLike", "Bool", "Null", "NumericLessThan", "IpAddress"]
CONDITIONS = st.dictionaries(
    st.sampled_from([*OPERATORS, "ForAnyValue:StringLike", "StringEqualsIfExists"]),
    st.dictionaries(
        st.sampled_from(["aws:SourceAccount", "aws:PrincipalArn", "aws:SecureTransport", "kms:ViaService"]),
        some(st.sampled_from(["a", "*", ROLE, "true", "10.0.0.0/8"])) | st.booleans() | st.integers(0, 9),
    ),
    max_size=2,
)


def documents(actions: list[str], resource: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    statements = st.builds(
        lambda effect, *parts: {"Effect": effect, **{key: value for part in parts for key, value in part.items()}},
        st.sampled_from(["Allow", "Deny"]),
        either("Principal", PRINCIPALS),
        either("Action", some(st.sampled_from(actions))) if resource else st.just({"Action": actions}),
        either("Resource", some(st.sampled_from(["*", "arn:aws:s3:::b*"]))) if resource else st.just({}),
        st.just({}) | CONDITIONS.map(lambda conditions: {"Condition": conditions}),
        st.just({}) | st.just({"Sid": ""}),
    )
    versions = st.sampled_from([{}, {"Version": "2012-10-17"}, {"Version": "2008-10-17", "Id": "x"}])
    return st.builds(lambda version, found: {**version, "Statement": found}, versions, some(statements))


RESOURCE_POLICIES = documents(["*", "kms:*", "kms:Encrypt", "s3:GetObject"])


def allows_service(policy: Mapping[str, Any]) -> None:
    policies.allows_service(json.dumps(policy), "kms:Encrypt", "logs.us-east-1.amazonaws.com", {"kms:viaservice": "a"})


def check_action(policy: Mapping[str, Any]) -> None:
    roles.check_action(ROLE, "s3:GetObject", "arn:aws:s3:::b/k", {}, json.dumps(policy))


def read_permissions(policy: Mapping[str, Any]) -> None:
    resources = {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}}
    StackPolicies("dev", resources, {"Key": "Key"}, {}).statements()


def review(policy: Mapping[str, Any]) -> None:
    list(grants({"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}}}, {}))


@pytest.mark.parametrize(
    ("read", "refusals"),
    [
        (allows_service, (NotEvaluated,)),
        (check_action, (AccessDenied,)),
        (read_permissions, (ValueError,)),
        (review, ()),
        (lambda policy: list(_trusted(policy)), ()),
    ],
    ids=["allows_service", "check_action", "permissions", "review", "bootstrap"],
)
@given(policy=RESOURCE_POLICIES)
def test_a_policy_is_read_or_refused(
    read: Callable[[Mapping[str, Any]], None],
    refusals: tuple[type[Exception], ...],
    policy: dict[str, Any],
) -> None:
    with suppress(*refusals):
        read(policy)


def _with_reader() -> Any:
    """A client of an IAM with the role that the policies name."""
    iam, trusted = moto_app.client("iam", ACCOUNT, "us-east-1"), {"Service": "sagemaker.amazonaws.com"}
    trust = {"Statement": {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}}
    made = code(lambda: iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust)))
    assert made in ("", "EntityAlreadyExists")
    return iam


@settings(max_examples=15)
@given(policy=documents(["sts:AssumeRole"], resource=False))
def test_a_role_with_any_trust_policy_is_assumed_or_not(policy: dict[str, Any]) -> None:
    iam = _with_reader()
    arn = iam.create_role(RoleName="assumed", AssumeRolePolicyDocument=json.dumps(policy))["Role"]["Arn"]
    with suppress(AccessDenied):
        roles.check(arn, by="sagemaker.amazonaws.com", source_arn=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/m")
    iam.delete_role(RoleName="assumed")


@settings(max_examples=15)
@given(policy=RESOURCE_POLICIES)
def test_a_bucket_and_a_key_with_any_policy_can_be_used_or_not(policy: dict[str, Any]) -> None:
    s3, kms, logs = (moto_app.client(service, ACCOUNT, "us-east-1") for service in ("s3", "kms", "logs"))
    _with_reader()
    s3.create_bucket(Bucket=f"b-{ACCOUNT}")
    # Of every resource, as the policy of a key may be, S3 takes none.
    assert code(lambda: s3.put_bucket_policy(Bucket=f"b-{ACCOUNT}", Policy=json.dumps(policy))) in (
        "",
        "MalformedPolicy",
    )
    key = kms.create_key(Policy=json.dumps(policy), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    for use in (
        lambda: s3.get_object(Bucket=f"b-{ACCOUNT}", Key="k"),
        lambda: (logs.create_log_group(logGroupName="g", kmsKeyId=key), logs.delete_log_group(logGroupName="g")),
    ):
        assert code(use) in ("", "403", "AccessDenied", "NoSuchKey", "AccessDeniedException")


def code(use: Callable[[], Any]) -> str:
    """The error code that a call ends with, or none."""
    try:
        use()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


MALFORMED = [
    "",
    "x",
    "[]",
    '{"Statement": []}',
    '{"Statement": [1]}',
    '{"Statement": {"Action": "a:b", "Principal": "*"}}',
    '{"Statement": {"Effect": "Allow", "Action": 5}}',
    '{"Statement": {"Effect": "Allow", "Action": "a:b", "Condition": []}}',
    '{"Statement": {"Effect": "Allow", "Action": "a:b", "Condition": {"Bool": 1}}}',
    '{"Statement": ' + "[" * 5000 + "]" * 5000 + "}",
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_policy_lets_nobody_in(text: str) -> None:
    with pytest.raises(NotEvaluated, match="a policy document is malformed"):
        policies.statements(text)


@pytest.mark.parametrize("text", MALFORMED[1:], ids=range(1, len(MALFORMED)))
def test_a_bucket_takes_no_malformed_policy(text: str) -> None:
    s3 = moto_app.client("s3", ACCOUNT, "us-east-1")
    s3.create_bucket(Bucket=f"b-{ACCOUNT}")
    with pytest.raises(ClientError, match="MalformedPolicy"):
        s3.put_bucket_policy(Bucket=f"b-{ACCOUNT}", Policy=text)


def test_an_effect_that_is_not_exactly_allow_denies() -> None:
    assert not policies.allows([{"Effect": "allow", "Action": "a:b"}], "a:b", lambda _: True, {})


def test_a_bootstrap_role_that_trusts_everyone_names_no_account() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    assert list(_trusted({"Statement": statement})) == []
    assert list(_trusted({"Statement": [{**statement, "Principal": {"AWS": ACCOUNT}}]})) == [ACCOUNT]
