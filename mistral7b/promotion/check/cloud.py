"""boto3 as the checks use it: clients of any account whose roles let the caller in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

# The checks ask a dozen small questions: whoever does not answer within seconds is not there.
_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})
_SESSION_NAME = "mistral7b-pipeline-check"
_SHORTEST_SESSION_S = 900  # STS API, AssumeRole, DurationSeconds


@dataclass(frozen=True)
class Credentials:
    """Of a role's session."""

    access_key_id: str
    secret_access_key: str
    session_token: str


class Cloud:
    """Clients of the caller's own account, and of roles that it may assume."""

    def client(self, service: str, region: str, credentials: Credentials | None = None) -> Any:
        """A client of boto3's, with the credentials of the shell unless others are given."""
        given: Mapping[str, str] = {}
        if credentials is not None:
            given = {
                "aws_access_key_id": credentials.access_key_id,
                "aws_secret_access_key": credentials.secret_access_key,
                "aws_session_token": credentials.session_token,
            }
        # A session of its own, since checks run in threads and sessions are not for several.
        return boto3.Session(region_name=region, **given).client(service, config=_CONFIG)

    def assume(self, role_arn: str, region: str) -> Credentials:
        """Credentials of a role's shortest session."""
        answer = self.client("sts", region).assume_role(
            RoleArn=role_arn, RoleSessionName=_SESSION_NAME, DurationSeconds=_SHORTEST_SESSION_S
        )["Credentials"]
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
