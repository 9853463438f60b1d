"""Runs the checks, one after the other, each within its time limit."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from threading import Thread

from mistral7b.endpoint import errors
from mistral7b.endpoint.client import EndpointClient, to_json
from mistral7b.operate.smoke.answers import CheckResult, Verdict, error_event
from mistral7b.operate.smoke.checks import Check, Reply
from mistral7b.tgi import GenerateRequest

TOTAL_S = 55.0
"""Of all checks together: under the minute that a step of a pipeline may take."""


def run_checks(
    client: EndpointClient,
    checks: Iterable[Check],
    *,
    request_timeout_s: float = 10.0,
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
        reply, verdict = _run_check(client, check, passed, min(request_timeout_s, ends - started), total_s)
        if isinstance(reply, errors.NOT_REACHED) and not reached:
            raise reply
        reached = reached or not isinstance(reply, (*errors.NOT_REACHED, errors.TimedOutError))
        if verdict.passed:
            passed.add(check.name)
        yield CheckResult(
            check.name,
            verdict.passed,
            time.monotonic() - started,
            check.expected,
            verdict.got,
            isinstance(reply, errors.OverloadedError),
        )


def _run_check(
    client: EndpointClient, check: Check, passed: set[str], seconds: float, total_s: float
) -> tuple[Reply, Verdict]:
    if failed := [name for name in check.after if name not in passed]:
        return b"", Verdict(False, f"not sent: without {' and '.join(failed)} as in the file it might run")
    if seconds <= 0:
        return b"", Verdict(False, f"not sent: the {total_s:g} s of all checks together are over")
    reply = _send(client, check.request, seconds)
    return reply, check.judge(reply)


def _send(client: EndpointClient, request: GenerateRequest, seconds: float) -> Reply:
    """The reply, or a TimedOutError after so many seconds, whatever the request is waiting for by then."""
    asked: Future[bytes] = Future()
    deadline = time.monotonic() + seconds

    def run() -> None:
        try:
            body = to_json(request)
            asked.set_result(_stream(client, body, deadline) if request.stream else client.invoke(body))
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            asked.set_exception(error)

    # A socket's time-out starts anew with every byte, and none counts looking up names and credentials. A daemon: what
    # is still waiting must not keep the command from ending.
    Thread(target=run, daemon=True, name="smoke").start()
    wait([asked], timeout=seconds)
    if not asked.done():
        return errors.TimedOutError(f"it took over {seconds:.3g} s")
    error = asked.exception()
    return error if isinstance(error, errors.EndpointError) else asked.result()


def _stream(client: EndpointClient, body: bytes, deadline: float) -> bytes:
    received = b""
    with closing(client.invoke_stream(body)) as parts:
        for part in parts:
            received += part
            if time.monotonic() > deadline:
                break  # the check has ended: closing the connection stops the container
    if error := error_event(received):
        raise errors.container_error(error)
    return received
