"""boto3 as checks, review and protection use it: clients of any account whose roles let the caller in."""

import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from mistral7b.operate.calls import Client

# A dozen small requests: a service that does not answer within seconds is unreachable.
_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})
_SESSION_NAME = "mistral7b"
_SHORTEST_SESSION_S = 900  # STS API, AssumeRole, DurationSeconds
_CREDENTIALS = {
    "aws_access_key_id": "AccessKeyId",
    "aws_secret_access_key": "SecretAccessKey",
    "aws_session_token": "SessionToken",
}

Credentials = Mapping[str, str]
"""Of a role's session, as `boto3.Session.client` takes them."""


class Cloud:
    """Clients of the caller's own account, and of roles that it may assume."""

    def __init__(self) -> None:
        self._session, self._making = boto3.Session(), threading.Lock()

    def client(self, service: str, region: str, credentials: Credentials | None = None) -> Any:
        """A client of boto3's, with the credentials of the shell unless others are given."""
        with self._making:  # checks run in threads, for which boto3's clients are made, its sessions are not
            return self._session.client(service, region, config=_CONFIG, **(credentials or {}))

    def own_account(self, region: str) -> str:
        """The account of the shell's credentials."""
        return str(self.client("sts", region).get_caller_identity()["Account"])

    def acting_as(self, role_arn: str, region: str, seconds: int = _SHORTEST_SESSION_S) -> Client:
        """Makes clients with a role's session, the shortest unless `seconds` are given."""
        made = self.client("sts", region).assume_role(
            RoleArn=role_arn, RoleSessionName=_SESSION_NAME, DurationSeconds=seconds
        )["Credentials"]
        credentials = {name: made[key] for name, key in _CREDENTIALS.items()}
        return lambda service: self.client(service, region, credentials)
