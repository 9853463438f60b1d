"""The caller's account, and whether requests go to the embedded AWS."""

import json
import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from urllib.request import ProxyHandler, build_opener

import boto3
from botocore.config import Config

from mistral7b.endpoint.client import service_client
from mistral7b.endpoint.errors import translated

_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?/?", re.IGNORECASE)
# A VPC without a way to STS must not make every command slow.
_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})


def endpoint_url() -> str | None:
    """Where the environment sends requests to the endpoint instead of AWS."""
    return os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or os.environ.get("AWS_ENDPOINT_URL") or None


def is_embedded(url: str | None) -> bool:
    """Whether a URL leads to this machine, as that of the embedded AWS does."""
    return url is not None and _LOOPBACK.fullmatch(url) is not None


def clock() -> tuple[datetime, float]:
    """The time where requests go, and how many of its seconds pass in one of this machine's: on AWS, one."""
    url = endpoint_url()
    if is_embedded(url):
        direct = build_opener(ProxyHandler({}))  # a proxy's localhost is another machine
        health = f"{str(url).rstrip('/')}/_sagehost/health"
        with suppress(OSError, ValueError, KeyError), direct.open(health, timeout=1) as answer:
            told = json.load(answer)
            return datetime.fromisoformat(told["now"]), float(told["speed"])
    return datetime.now(UTC), 1.0


def open_session() -> boto3.Session:
    """A session with the credentials of the shell. Raises EndpointError."""
    with translated():
        return boto3.Session()


def caller_account(session: boto3.Session, region: str) -> str:
    """The account of the session's credentials, by STS: that takes no permission. Raises EndpointError."""
    with translated():
        client = service_client(session, "sts", region, _CONFIG)
        return str(client.get_caller_identity()["Account"])
