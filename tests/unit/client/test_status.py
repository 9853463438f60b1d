"""How an endpoint is doing, if the credentials may see it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest

from mistral7b.endpoint import EndpointStatus, endpoint_status

if TYPE_CHECKING:
    from tests.unit.client.conftest import Service


@pytest.mark.parametrize(
    ("description", "status"),
    [
        ({"EndpointStatus": "Creating"}, EndpointStatus("Creating", None)),
        ({"EndpointStatus": "Failed", "FailureReason": "no capacity"}, EndpointStatus("Failed", "no capacity")),
    ],
)
def test_the_status_and_the_reason_of_a_failure_are_told(
    service: Service, session: boto3.Session, description: dict[str, str], status: EndpointStatus
) -> None:
    service.reply(json.dumps(description).encode())
    assert endpoint_status("mistral", "us-east-1", session=session) == status
    assert json.loads(service.bodies[0]) == {"EndpointName": "mistral"}


@pytest.mark.parametrize(
    ("status", "code"), [(400, "ValidationException"), (400, "AccessDeniedException"), (500, "InternalFailure")]
)
def test_there_is_no_status_where_it_cannot_be_seen(
    service: Service, session: boto3.Session, status: int, code: str
) -> None:
    service.fail(status, code, "Could not find endpoint")
    assert endpoint_status("mistral", "us-east-1", session=session) is None
