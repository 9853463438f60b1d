"""The SageMaker runtime service of the embedded AWS in this process, without a control plane."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sagehost.hosting.fleet import Fleet
from sagehost.hosting.runtime import routes
from sagehost.server import listen
from sagehost.validation import caller


def _caller_identity(request: Request) -> Response:
    authorization = request.headers.get("authorization", "")
    if "/sts/" not in authorization:
        return Response(status_code=404)
    account = caller(authorization)["account"]
    result = f"<GetCallerIdentityResult><Account>{account}</Account></GetCallerIdentityResult>"
    return Response(f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>", media_type="text/xml")


@contextmanager
def serving(fleet: Fleet) -> Iterator[str]:
    """Where the fleet's endpoints answer, and STS says who calls, for the length of a `with` block."""
    sockets = listen(0)
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=[*routes(fleet), Route("/", _caller_identity, methods=["POST"])]),
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://localhost:{sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
