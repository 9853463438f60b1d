"""The handshake of a connection, in place of the click in the console: a POST to `/_localaws/connections`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localaws.pipelines import connections

PATH = "/_localaws/connections"

_MEMBERS = ("arn", "repository", "path")


def routes() -> list[Route]:
    """Where handshakes are taken."""
    return [Route(PATH, _post, methods=["POST"])]


async def _post(request: Request) -> JSONResponse:
    """Takes `{"arn": …, "repository": "owner/name", "path": "/folder/of/a/clone"}`."""
    # A page in the user's browser can send any body, but not this type to another origin without being asked first.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _refused(415, "the content type of a handshake is application/json")
    try:
        members = _members(await request.body())
    except ValueError as error:
        return _refused(400, str(error))
    connection = connections.find(members["arn"])
    if connection is None:
        return _refused(404, f"connection {members['arn']} does not exist")
    folder = Path(members["path"])
    try:
        commit = await run_in_threadpool(connections.handshake, connection, members["repository"], folder)
    except connections.HandshakeRefused as error:
        return _refused(400, str(error))
    return JSONResponse({"arn": connection.arn, "status": connection.status, "commit": commit})


def _members(body: bytes) -> dict[str, str]:
    """The members of a handshake.

    Raises:
        ValueError: they are not all there, or not all text.
    """
    try:
        given: Any = json.loads(body)
    except ValueError as error:
        raise ValueError(f"the handshake is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise ValueError("a handshake is a JSON object")
    for name in _MEMBERS:
        if not isinstance(given.get(name), str) or not given[name]:
            raise ValueError(f"{name} is missing, or no text; a handshake has {', '.join(_MEMBERS)}")
    if unknown := sorted(set(given) - set(_MEMBERS)):
        raise ValueError(f"{unknown[0]} is no member of a handshake, which has {', '.join(_MEMBERS)}")
    return {name: given[name] for name in _MEMBERS}


def _refused(status: int, message: str) -> JSONResponse:
    return JSONResponse({"message": message}, status_code=status)
