"""Requests to routes of the server's own, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route


def ask(
    routes: Sequence[Route], method: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> tuple[int, Any]:
    """Status and JSON of the answer."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Starlette(routes=list(routes))(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))
