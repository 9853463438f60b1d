"""Whose credentials these are, and which URLs are the embedded AWS's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from mistral7b.endpoint.caller import caller_account, is_embedded, open_session
from mistral7b.endpoint.errors import EndpointError, MissingCredentialsError, UnreachableError

if TYPE_CHECKING:
    from tests.unit.client.conftest import Service

ANSWER = b"""<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def test_the_account_is_that_of_sts(service: Service) -> None:
    service.reply(ANSWER)
    assert caller_account(open_session(), "us-east-1") == "111122223333"


def test_sts_is_asked_once_and_not_for_long(service: Service) -> None:
    service.stall()
    started = time.monotonic()
    with pytest.raises(EndpointError):
        caller_account(open_session(), "us-east-1")
    assert time.monotonic() - started < 6
    assert len(service.paths) == 1


def test_sts_that_is_not_there_is_unreachable(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port}")
    with pytest.raises(UnreachableError):
        caller_account(open_session(), "us-east-1")


def test_missing_credentials_are_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MissingCredentialsError):
        caller_account(open_session(), "us-east-1")


@pytest.mark.parametrize(
    ("url", "embedded"),
    [
        ("http://localhost:5600", True),
        ("http://127.0.0.1:5600/", True),
        ("http://[::1]:5600", True),
        ("https://localhost", True),
        ("http://localhost.example:5600", False),
        ("https://sts.us-east-1.amazonaws.com", False),
        ("localhost:5600", False),
        (None, False),
    ],
)
def test_the_embedded_aws_is_on_this_machine(url: str | None, embedded: bool) -> None:
    assert is_embedded(url) is embedded
