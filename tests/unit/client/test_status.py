"""How an endpoint is doing, if the credentials may see it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mistral7b.endpoint.caller import endpoint_status

if TYPE_CHECKING:
    from tests.unit.client.conftest import Service


@pytest.mark.parametrize(
    ("description", "status"),
    [
        ({"EndpointStatus": "Creating"}, ("Creating", "")),
        ({"EndpointStatus": "Failed", "FailureReason": "no capacity"}, ("Failed", "no capacity")),
    ],
)
def test_an_endpoint_has_a_status_and_the_reason_of_a_failure(
    service: Service, description: dict[str, str], status: tuple[str, str]
) -> None:
    service.reply(json.dumps(description).encode())
    assert endpoint_status("mistral", "us-east-1") == status
    assert json.loads(service.bodies[0]) == {"EndpointName": "mistral"}


@pytest.mark.parametrize(
    ("status", "code"), [(400, "ValidationException"), (400, "AccessDeniedException"), (500, "InternalFailure")]
)
def test_there_is_no_status_where_it_cannot_be_seen(service: Service, status: int, code: str) -> None:
    service.fail(status, code, "Could not find endpoint")
    assert endpoint_status("mistral", "us-east-1") is None
