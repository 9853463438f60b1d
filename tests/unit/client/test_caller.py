"""Whose credentials these are, and which URLs are the embedded AWS's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mistral7b.endpoint.caller import caller_account, clock, is_embedded, open_session
from mistral7b.endpoint.errors import EndpointError, MissingCredentialsError, UnreachableError

if TYPE_CHECKING:
    from tests.unit.client.conftest import Service

ANSWER = b"""<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def test_the_account_is_that_of_sts(service: Service) -> None:
    service.reply(ANSWER)
    assert caller_account(open_session(), "us-east-1") == "111122223333"


def test_sts_is_called_once_with_a_short_timeout(service: Service) -> None:
    service.stall()
    started = time.monotonic()
    with pytest.raises(EndpointError):
        caller_account(open_session(), "us-east-1")
    assert time.monotonic() - started < 6
    assert len(service.paths) == 1


def test_a_missing_sts_is_unreachable(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port}")
    with pytest.raises(UnreachableError):
        caller_account(open_session(), "us-east-1")


def test_missing_credentials_are_reported(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_embedded_aws_tells_its_time_and_speed(service: Service) -> None:
    service.reply(b'{"now": "2030-01-01T08:00:00+00:00", "speed": 20.0}')
    assert clock() == (datetime(2030, 1, 1, 8, tzinfo=UTC), 20.0)


@pytest.mark.parametrize("answer", [b"{}", b"not found", b'{"now": "soon", "speed": 1}'])
def test_another_server_on_this_machine_has_this_machines_time(service: Service, answer: bytes) -> None:
    service.reply(answer)
    now, speed = clock()
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert speed == 1


def test_aws_has_this_machines_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("mistral7b.endpoint.caller.build_opener", lambda *_, **__: pytest.fail("something was called"))
    assert clock()[1] == 1
