"""No secret of an account or a person reaches a recording, wherever it is; what has to differ still differs."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.conformance.redaction import OWN_ACCOUNT, Redactor

ACCOUNT = "345678901234"
SECRETS = (
    ACCOUNT,
    "999988887777",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "FwoGZXIvYXdzE" + "Ab/+c9" * 40 + "==",
    "jane.doe@corp.example.com",
    "jane-session",
    "AIDAIOSFODNN7EXAMPLE",
    "AROAIOSFODNN7EXAMPLE:jane-session",
    "54.240.197.12",
    "2600:1f18:abcd::17",
)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
texts = st.builds(
    lambda before, secret, after: f"{before} {secret} {after}", words, st.sampled_from(SECRETS), words
) | st.sampled_from(SECRETS)
nested = st.recursive(
    texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | words, inner, max_size=3)
        | inner.map(json.dumps)
        | inner.map(lambda value: quote(json.dumps(value)))
        | inner.map(lambda value: json.dumps({"Statement": json.dumps(value)}))
    ),
    max_leaves=6,
)


def redactor() -> Redactor:
    return Redactor(ACCOUNT, ["jane-session", SECRETS[4]])


@given(nested)
def test_no_secret_is_left_anywhere(value: Any) -> None:
    written = json.dumps(redactor()(value), ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in written or quote(secret) in written] == []


@given(st.lists(st.from_regex(r"\A[0-9]{12}\Z"), unique=True, max_size=5))
def test_accounts_stay_distinguishable(accounts: list[str]) -> None:
    redact = redactor()
    first = [redact(f"arn:aws:iam::{one}:role/a") for one in accounts]
    assert len(set(first)) == len(accounts)
    assert [redact(f"arn:aws:iam::{one}:role/a") for one in accounts] == first


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/verify-1a2b3c", f"arn:aws:iam::{OWN_ACCOUNT}:role/verify-1a2b3c"),
        (f"cdk-assets-{ACCOUNT}-us-east-1", f"cdk-assets-{OWN_ACCOUNT}-us-east-1"),
        ("User: arn:aws:iam::111122223333:user/bob is not", "User: arn:aws:iam::000000000002:user/<caller-1> is not"),
        ("Request ID: 1e0d2f5c-aaaa", "Request ID: <request-1>"),
        ("from 10.20.0.7 to 54.1.2.3", "from 10.20.0.7 to <ip-1>"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("vpc-0a1b2c3d4e5f67890", "vpc-0a1b2c3d4e5f67890"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tgi:1", "763104351884.dkr.ecr.us-east-1.amazonaws.com/tgi:1"),
        ("12:30:45", "12:30:45"),
        ("arn:aws:s3:::verify-1a2b3c", "arn:aws:s3:::verify-1a2b3c"),
    ],
)
def test_only_what_identifies_is_replaced(text: str, redacted: str) -> None:
    assert redactor()(text) == redacted


@pytest.mark.parametrize("key", ["SecretAccessKey", "SessionToken", "NextToken", "RoleSessionName", "UserName"])
def test_fields_that_hold_a_secret_are_hidden_whatever_they_hold(key: str) -> None:
    assert redactor()({key: "short"}) == {key: "<hidden-1>"}
