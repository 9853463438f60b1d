"""How an endpoint is doing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mistral7b.operate.hours import endpoint_status

if TYPE_CHECKING:
    import boto3

    from tests.unit.client.conftest import Service


@pytest.mark.parametrize(
    ("description", "status"),
    [
        ({"EndpointStatus": "Creating"}, ("Creating", "")),
        ({"EndpointStatus": "Failed", "FailureReason": "no capacity"}, ("Failed", "no capacity")),
    ],
)
def test_an_endpoint_has_a_status_and_the_reason_of_a_failure(
    service: Service, session: boto3.Session, description: dict[str, str], status: tuple[str, str]
) -> None:
    service.reply(json.dumps(description).encode())
    assert endpoint_status(session.client("sagemaker", "us-east-1"), "mistral") == status
    assert json.loads(service.bodies[0]) == {"EndpointName": "mistral"}
