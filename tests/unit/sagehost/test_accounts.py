"""Accounts by key id."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagehost import accounts


@given(st.integers(1, 10**12 - 1).map(lambda number: f"{number:012}"))
def test_a_key_id_is_one_that_moto_recognises_and_carries_its_account(account: str) -> None:
    key_id = accounts.access_key_id(account)
    assert len(key_id) == 20
    assert key_id.isalnum()
    assert key_id.isupper()
    assert accounts.account_of(key_id) == account


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "000000000000", "12345678901x"])
def test_malformed_account_ids_are_rejected(account: str) -> None:
    with pytest.raises(ValueError, match="not an AWS account id"):
        accounts.access_key_id(account)


@pytest.mark.parametrize("key_id", ["", "AKIAIOSFODNN7EXAMPLE", "ASIA1234567890123456", "AKIALOCA12345678901"])
def test_other_key_ids_carry_no_account(key_id: str) -> None:
    assert accounts.account_of(key_id) is None


def test_credentials_keep_tools_away_from_the_users_own_configuration() -> None:
    variables = accounts.credentials("111122223333", "eu-west-1", secret="secret")
    assert variables["AWS_ACCESS_KEY_ID"] == "AKIALOCA111122223333"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A process that knows no proxy and no credentials."""
    for name in ("NO_PROXY", "no_proxy", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_credentials_keep_requests_to_this_machine_away_from_a_proxy(no_proxies: pytest.MonkeyPatch, host: str) -> None:
    no_proxies.setenv("NO_PROXY", "corp.example")
    variables = accounts.credentials(secret="secret")
    assert variables["NO_PROXY"] == variables["no_proxy"]
    assert variables["NO_PROXY"].split(",")[0] == "corp.example"
    assert host in variables["NO_PROXY"].split(",")


def test_credentials_are_the_same_in_a_shell_that_has_them(no_proxies: pytest.MonkeyPatch) -> None:
    once = accounts.credentials(secret="secret")
    for name, value in once.items():
        no_proxies.setenv(name, value)
    assert accounts.credentials(secret="secret") == once


def test_a_no_proxy_of_all_hosts_stays_as_it_is(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("NO_PROXY", "*")
    assert accounts.credentials(secret="secret")["NO_PROXY"] == "*"


@pytest.mark.parametrize("before", ["", "corp.example", "corp.example,localhost,127.0.0.1,::1", "*"])
def test_no_proxy_is_restored_to_what_it_was(no_proxies: pytest.MonkeyPatch, before: str) -> None:
    no_proxies.setenv("NO_PROXY", before)
    for name, value in accounts.credentials(secret="secret").items():
        no_proxies.setenv(name, value)
    undone = accounts.without_credentials()
    assert (undone["NO_PROXY"], undone["no_proxy"]) == (before or None, before or None)


def test_every_setting_is_undone(no_proxies: pytest.MonkeyPatch) -> None:
    assert set(accounts.without_credentials()) == {"AWS_ENDPOINT_URL", *accounts.credentials(secret="secret")}


def test_other_credentials_are_kept(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    assert accounts.without_credentials() == {}


def test_the_server_asks_no_proxy_for_its_own_address(no_proxies: pytest.MonkeyPatch) -> None:
    kept = dict(os.environ)
    try:
        accounts.isolate()
        assert os.environ["NO_PROXY"].endswith("localhost")
    finally:
        os.environ.clear()
        os.environ.update(kept)
