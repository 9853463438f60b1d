"""The endpoint that gives the commands of a build the credentials of their project's service role.

Tools find it as they do on AWS, by AWS_CONTAINER_CREDENTIALS_FULL_URI:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localaws import roles
from localaws.codebuild.api import PRINCIPAL
from localaws.codebuild.builds import Build

PATH = "/_localaws/codebuild/credentials"


@dataclass(frozen=True)
class Grant:
    """What lets the commands of a build have its role's credentials."""

    build: Build
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def environment(self, server: str) -> dict[str, str]:
        """The variables by which tools find the endpoint of the server at the URL `server`."""
        return {
            "AWS_ENDPOINT_URL": server,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server}{PATH}/{self.build.uuid}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.token,
        }

    def credentials(self) -> roles.Credentials:
        """Credentials of a new session.

        Raises:
            AccessDenied: the role has gone, or does not trust CodeBuild any more.
        """
        return roles.assume(
            self.build.project["serviceRole"],
            by=PRINCIPAL,
            session_name=f"AWSCodeBuild-{self.build.uuid}",
            source_account=self.build.account,
            source_arn=self.build.project["arn"],
        )


_GRANTS: dict[str, Grant] = {}
_LOCK = threading.Lock()


def grant(build: Build) -> Grant:
    """Let the commands of a build have credentials, until `revoke`.

    Raises:
        AccessDenied: the project's service role does not exist, or does not trust CodeBuild.
    """
    made = Grant(build)
    made.credentials()
    with _LOCK:
        _GRANTS[build.uuid] = made
    return made


def revoke(build: Build) -> None:
    """Give no more credentials to a build."""
    with _LOCK:
        _GRANTS.pop(build.uuid, None)


def routes() -> list[Route]:
    """The endpoint."""
    return [Route(f"{PATH}/{{build}}", _get, methods=["GET"])]


async def _get(request: Request) -> JSONResponse:
    with _LOCK:
        found = _GRANTS.get(request.path_params["build"])
    given = request.headers.get("authorization", "")
    if found is None or not hmac.compare_digest(given.encode(), found.token.encode()):
        return JSONResponse({"code": "AccessDenied", "message": "no build has this token"}, status_code=403)
    try:
        credentials = await run_in_threadpool(found.credentials)
    except roles.AccessDenied as error:
        return JSONResponse({"code": "AccessDenied", "message": error.message}, status_code=403)
    expiration: datetime = credentials["Expiration"]
    return JSONResponse(
        {
            "RoleArn": found.build.project["serviceRole"],
            "AccessKeyId": credentials["AccessKeyId"],
            "SecretAccessKey": credentials["SecretAccessKey"],
            "Token": credentials["SessionToken"],
            "Expiration": expiration.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
