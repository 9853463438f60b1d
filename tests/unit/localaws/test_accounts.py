"""Accounts by key id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws import accounts


@given(st.integers(1, 10**12 - 1).map(lambda number: f"{number:012}"))
def test_a_key_id_is_one_that_moto_recognises_and_carries_its_account(account: str) -> None:
    key_id = accounts.access_key_id(account)
    assert len(key_id) == 20
    assert key_id.isalnum()
    assert key_id.isupper()
    assert accounts.account_of(key_id) == account


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "000000000000", "12345678901x"])
def test_what_is_no_account_has_no_key_id(account: str) -> None:
    with pytest.raises(ValueError, match="not an AWS account id"):
        accounts.access_key_id(account)


@pytest.mark.parametrize("key_id", ["", "AKIAIOSFODNN7EXAMPLE", "ASIA1234567890123456", "AKIALOCA12345678901"])
def test_other_key_ids_carry_no_account(key_id: str) -> None:
    assert accounts.account_of(key_id) is None


def test_credentials_keep_tools_away_from_the_users_own_configuration() -> None:
    variables = accounts.credentials("111122223333", "eu-west-1")
    assert variables["AWS_ACCESS_KEY_ID"] == "AKIALOCA111122223333"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
