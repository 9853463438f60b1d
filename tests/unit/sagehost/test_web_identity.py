"""AssumeRoleWithWebIdentity: tokens of an identity provider whose keys a file holds."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from joserfc import jwt
from joserfc.jwk import RSAKey

from sagehost import moto_app
from tests.unit.fresh_accounts import fresh_account

ISSUER = "https://issuer.example"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({ISSUER: {"keys": [KEY.as_dict(private=False)]}}))
    monkeypatch.setenv("SAGEHOST_OIDC_KEYS", str(file))


@pytest.fixture
def role() -> str:
    """A role that trusts jobs of the branch main."""
    account = fresh_account()
    iam = moto_app.client("iam", account, "us-east-1")
    provider = iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["me"], ThumbprintList=["0" * 40])
    trusted = {
        "Effect": "Allow",
        "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {"issuer.example:aud": "me"},
            "StringLike": {"issuer.example:sub": ["repo:*:ref:main"]},
        },
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    return str(iam.create_role(RoleName="job", AssumeRolePolicyDocument=trust)["Role"]["Arn"])


def token(key: RSAKey = KEY, **claims: Any) -> str:
    said = {"iss": ISSUER, "aud": "me", "sub": "repo:mine:ref:main", "exp": int(time.time()) + 60}
    return jwt.encode({"alg": "RS256", "kid": "one"}, {**said, **claims}, key)


def assume(role: str, web_token: str) -> Any:
    sts = moto_app.client("sts", role.split(":")[4], "us-east-1")
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="me", WebIdentityToken=web_token)


def refused(role: str, web_token: str) -> str:
    with pytest.raises(ClientError) as error:
        assume(role, web_token)
    return str(error.value.response["Error"]["Code"])


def test_a_token_of_the_provider_gets_a_session_of_the_role(role: str) -> None:
    assert assume(role, token())["AssumedRoleUser"]["Arn"].endswith(":assumed-role/job/me")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "repo:mine:ref:other"}, "AccessDenied"),
        ({"aud": "somebody else"}, "InvalidIdentityToken"),
        ({"exp": 1}, "ExpiredTokenException"),
        ({"iss": "https://unknown.example"}, "InvalidIdentityToken"),
        ({"iss": "issuer.example"}, "InvalidIdentityToken"),
        ({"iss": None}, "InvalidIdentityToken"),
    ],
)
def test_a_token_that_says_otherwise_is_refused(role: str, claims: dict[str, Any], code: str) -> None:
    assert refused(role, token(**claims)) == code


@pytest.mark.parametrize(
    "forged",
    ["a.job.token", "none", "....", token(OTHER), token()[:-4] + "AAAA"],
    ids=["no token", "no parts", "empty parts", "another key", "another signature"],
)
def test_a_token_that_the_provider_has_not_signed_is_refused(role: str, forged: str) -> None:
    assert refused(role, forged) == "InvalidIdentityToken"


def test_a_token_without_an_algorithm_is_refused(role: str) -> None:
    header, payload, _ = token().split(".")
    assert refused(role, f"eyJhbGciOiJub25lIn0.{payload}.") == "InvalidIdentityToken"
    assert header


def test_a_role_that_does_not_exist_is_refused(role: str) -> None:
    assert refused(role + "-other", token()) == "AccessDenied"


def test_without_the_providers_keys_the_token_cannot_be_checked(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGEHOST_OIDC_KEYS")
    with pytest.raises(ClientError, match="Couldn't retrieve verification key from your identity provider"):
        assume(role, token())
