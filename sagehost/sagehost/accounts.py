"""Accounts of the embedded AWS: the access key id says which one is calling.

moto recognises access key ids of exactly 20 capital letters and digits. `AKIALOCA` and the 12 digits of an account are
20, so a key id carries its account and nothing has to be registered. Their secret is made when a server starts, one for
all accounts. Temporary credentials of `sts:AssumeRole` are moto's own.
"""

import os
import re
from dataclasses import dataclass

DEFAULT_ACCOUNT = "123456789012"
"""Account of callers whose key id names none."""

DEFAULT_REGION = "us-east-1"

ISOLATION = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Environment variables that keep an AWS tool away from the user's configuration and the metadata service of EC2."""

_NO_PROXY = ("NO_PROXY", "no_proxy")
# In an order that nobody else writes: so what was there before can be told from it.
_LOOPBACK = "::1,127.0.0.1,localhost"

JUMPSTART_BUCKET = re.compile(r"jumpstart-cache-prod-(?P<region>[a-z0-9-]+)")
"""AWS's own, one in each region."""

_SCOPE = re.compile(r"Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9.-]+)/aws4_request(?![^,&\s])")
_ACCOUNT = re.compile(r"\d{12}")
_KEY_ID = re.compile(r"AKIALOCA(\d{12})")


@dataclass(frozen=True)
class Credential:
    """Who calls which service where, as a signature says it."""

    key_id: str = ""
    date: str = ""
    region: str = ""
    service: str = ""

    @classmethod
    def of(cls, text: str) -> "Credential":
        """The one in an Authorization header or in a presigned URL's query; empty if there is none."""
        found = _SCOPE.search(text)
        return cls(*found.groups()) if found else cls()

    def __str__(self) -> str:
        """The same, as headers write it."""
        return f"Credential={self.key_id}/{self.date}/{self.region}/{self.service}/aws4_request"


def access_key_id(account: str) -> str:
    """The access key id with which to call as `account`.

    Raises:
        ValueError: `account` is not 12 digits, or is all zeros, which no AWS account is.
    """
    if not _ACCOUNT.fullmatch(account) or not int(account):
        raise ValueError(f"not an AWS account id (12 digits, not all zero): {account!r}")
    return f"AKIALOCA{account}"


def account_of(key_id: str) -> str | None:
    """The account that an access key id carries, or None if it is not one of ours."""
    match = _KEY_ID.fullmatch(key_id)
    return match[1] if match else None


def credentials(account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION, *, secret: str) -> dict[str, str]:
    """Environment variables with which any AWS tool calls the embedded AWS as `account`.

    `secret` is the server's, for every account. The variables also keep the tool away from the user's configuration,
    and requests to this machine away from a proxy. Raises ValueError: see `access_key_id`.
    """
    return {
        "AWS_ACCESS_KEY_ID": access_key_id(account),
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **ISOLATION,
        **_no_proxy(),
    }


def url_suffix(region: str) -> str:
    """The domain of AWS's services in a region's partition."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def without_credentials() -> dict[str, str | None]:
    """What undoes `credentials` and AWS_ENDPOINT_URL in this process's environment; None unsets a variable.

    Empty where the environment has credentials of another origin, which must stay.
    """
    key_id = os.environ.get("AWS_ACCESS_KEY_ID")
    if key_id and account_of(key_id) is None:
        return {}
    own = dict.fromkeys(_NO_PROXY, _users_no_proxy() or None)
    return {"AWS_ENDPOINT_URL": None, **dict.fromkeys(credentials(secret="")), **own}


def _users_no_proxy() -> str:
    value = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return value.removesuffix(_LOOPBACK).rstrip(",")


def _no_proxy() -> dict[str, str]:
    """The user's NO_PROXY, with this machine's names after it; `*` means all hosts, and only where it stands alone."""
    users = _users_no_proxy()
    value = users if users == "*" else ",".join(filter(None, (users, _LOOPBACK)))
    return dict.fromkeys(_NO_PROXY, value)


def isolate() -> None:
    """Drop every AWS variable of this process, and keep it from asking a proxy for its own address.

    Settings for AWS itself are not for the embedded one.

    Has to come before botocore is imported, of which some parts read the configuration at once.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(ISOLATION | _no_proxy())
