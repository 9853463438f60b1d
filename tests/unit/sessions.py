"""Clients of this process's embedded AWS with the credentials of a session."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from sagehost import moto_app


def session_client(service: str, region: str, credentials: Mapping[str, Any]) -> Any:
    """A client with credentials of STS, without a socket."""
    client = boto3.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], region
    ).client(service, endpoint_url="http://localhost", config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-send", moto_app._send)
    return client
