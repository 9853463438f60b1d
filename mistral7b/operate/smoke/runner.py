"""Makes the checks, one after the other, each within its time."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from threading import Thread

from mistral7b.endpoint import errors
from mistral7b.endpoint.client import EndpointClient, to_json
from mistral7b.operate.smoke.answers import CheckResult, Reply, Verdict, error_event
from mistral7b.operate.smoke.checks import Check
from mistral7b.tgi import GenerateRequest

REQUEST_TIMEOUT_S = 10.0
TOTAL_S = 55.0
"""Of all checks together: under the minute that a step of a pipeline may take."""

_NOT_REACHED = (
    *(errors.AccessDeniedError, errors.ConfigurationError, errors.CredentialsError),
    *(errors.EndpointNotFoundError, errors.UnreachableError),
)


def run_checks(
    client: EndpointClient,
    checks: Iterable[Check],
    *,
    request_timeout_s: float = REQUEST_TIMEOUT_S,
    total_s: float = TOTAL_S,
) -> Iterator[CheckResult]:
    """The results as they come. No request is sent twice, if `client` retries nothing.

    Raises EndpointError if the endpoint cannot be reached, or not by these credentials, and has not answered before.
    """
    ends = time.monotonic() + total_s
    passed: set[str] = set()
    reached = False
    for check in checks:
        started = time.monotonic()
        reply, verdict = _make(client, check, passed, min(request_timeout_s, ends - started), total_s)
        if isinstance(reply.error, _NOT_REACHED) and not reached:
            raise reply.error
        reached = reached or not isinstance(reply.error, (*_NOT_REACHED, errors.TimedOutError))
        if verdict.passed:
            passed.add(check.name)
        yield CheckResult(
            check.name,
            verdict.passed,
            time.monotonic() - started,
            check.expected,
            verdict.got,
            isinstance(reply.error, errors.OverloadedError),
        )


def _make(
    client: EndpointClient, check: Check, passed: set[str], seconds: float, total_s: float
) -> tuple[Reply, Verdict]:
    if failed := [name for name in check.after if name not in passed]:
        return Reply(), Verdict(False, f"not sent: without {' and '.join(failed)} as in the file it might run")
    if seconds <= 0:
        return Reply(), Verdict(False, f"not sent: the {total_s:g} s of all checks together are over")
    reply = _ask(client, check.request, seconds)
    return reply, check.judge(reply)


def _ask(client: EndpointClient, request: GenerateRequest, seconds: float) -> Reply:
    """The reply, or a errors.TimedOutError after so many seconds, whatever the request is waiting for by then."""
    asked: Future[Reply] = Future()
    gives_up = time.monotonic() + seconds

    def run() -> None:
        try:
            body = to_json(request)
            asked.set_result(_stream(client, body, gives_up) if request.stream else Reply(client.invoke(body)))
        except errors.EndpointError as error:
            asked.set_result(Reply(error=error))
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            asked.set_exception(error)

    # A socket's time-out starts anew with every byte, and none counts looking up names and credentials. A daemon: what
    # is still waiting must not keep the command from ending.
    Thread(target=run, daemon=True, name="smoke").start()
    wait([asked], timeout=seconds)
    if not asked.done():
        return Reply(error=errors.TimedOutError(f"it took over {seconds:.3g} s"))
    return asked.result()


def _stream(client: EndpointClient, body: bytes, gives_up: float) -> Reply:
    received = b""
    with closing(client.invoke_stream(body)) as parts:
        for part in parts:
            received += part
            if time.monotonic() > gives_up:
                break  # nobody waits any more: the connection is closed, and the container stops generating
    error = error_event(received)
    return Reply(received) if error is None else Reply(error=errors.container_error(error))
