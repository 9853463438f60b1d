"""The HTTP server of the embedded AWS."""

import json
import logging
import os
import secrets
import shlex
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import uvicorn
from a2wsgi import WSGIMiddleware
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from sagehost import hosting, moto_app
from sagehost.accounts import credentials
from sagehost.clock import CLOCK, INSTANT
from sagehost.containers import installed
from sagehost.hosting.settings import HostingSettings
from sagehost.pipelines import backstage
from sagehost.signatures import Front

HEALTH_PATH = "/_sagehost/health"
HOST = "localhost"
WORKERS = 32
"""Requests to moto at a time. It works on one, but several may be sent slowly or wait for a stack."""

GRACE_S = 1
"""How long open connections may take to finish when the server stops."""

LOG = logging.getLogger(__name__)


async def _health(_: Request) -> JSONResponse:
    told = {"now": CLOCK.now().isoformat(), "speed": CLOCK.speed}
    return JSONResponse({"status": "ready", "version": version("sagehost"), "pid": os.getpid(), **told})


def create_app(secret: str) -> Front:
    """The application: the data plane of SageMaker's hosting first, moto for everything else.

    `secret` is the secret access key with which requests have to be signed.
    """
    # a2wsgi types WSGI and ASGI by its own definitions of the same.
    services: Any = WSGIMiddleware(cast("Any", moto_app.application()), workers=WORKERS)
    own = [Route(HEALTH_PATH, _health), *backstage.routes()]
    return Front(Starlette(routes=[*own, *hosting.routes(), Mount("/", app=services)]), secret)


def listen(port: int) -> list[socket.socket]:
    """Sockets on every loopback address of `localhost`: IPv4, and IPv6 where the machine has it.

    Clients on macOS try `::1` first. `port` 0 takes a free one, the same for both.

    Raises:
        OSError: the port is taken on 127.0.0.1.
    """
    first = socket.create_server(("127.0.0.1", port), backlog=1024)
    sockets = [first]
    if socket.has_ipv6:
        try:
            sockets.append(socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6, backlog=1024))
        except OSError as error:  # no IPv6 on loopback, as in many containers: 127.0.0.1 will do
            LOG.info("not listening on ::1: %s", error)
    for listener in sockets:
        # asyncio leaves Nagle's algorithm on for sockets of `create_server`, and every answer then waits 40 ms
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sockets


def end_with_standard_input() -> None:
    """End the server when the process that started it has ended in any way, unless that has sent a byte before."""

    def wait() -> None:
        if not sys.stdin.buffer.read(1):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def serve(port: int, ready_file: Path | None = None, *, until_stdin_closes: bool = False) -> int:
    """Run until SIGTERM or SIGINT; the exit code.

    Once the server listens, `ready_file`, which only its owner may read, gets pid, port, url and the secret access key
    that is made for it; without one, standard output gets the settings for a shell.
    """
    os.umask(0o077)  # what it writes is its owner's
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        sockets = listen(port)
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {port}: {error.strerror or error}\n")
        return 1
    try:
        settings = HostingSettings.from_environment()
        hosting.install(settings)
        CLOCK.run(1.0 if settings.speed == INSTANT else settings.speed)
    except ValueError as error:  # a variable of the environment with a wrong value, or two packages for one image
        sys.stderr.write(f"{error}\n")
        return 2
    port = sockets[0].getsockname()[1]
    url = f"http://{HOST}:{port}"
    secret = secrets.token_urlsafe(30)  # 40 characters, as AWS's
    config = uvicorn.Config(
        create_app(secret),
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="off",
        ws="none",
    )
    if ready_file:
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        partial = ready_file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        speed = "instant" if settings.speed == INSTANT else f"{settings.speed:g}"
        told = {
            "pid": os.getpid(),
            "port": port,
            "url": url,
            "started_at": started_at,
            "secret": secret,
            "speed": speed,
        }
        partial.write_text(json.dumps(told))
        partial.replace(ready_file)  # readers see all of it or nothing
    else:
        for name, value in {"AWS_ENDPOINT_URL": url, **credentials(secret=secret)}.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 - what a user came for
    LOG.info("listening on %s; containers for images of: %s", url, ", ".join(installed()) or "none installed")
    # uvicorn stops on these signals and then raises them again. Stack operations and requests are threads that may be
    # in the middle of something; nothing of theirs outlives the process, so there is nothing to wait for.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if until_stdin_closes:
        end_with_standard_input()
    uvicorn.Server(config).run(sockets=sockets)
    return 0
