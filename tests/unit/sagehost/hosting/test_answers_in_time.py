"""How long a container may take to answer, and what becomes of its work when the client disconnects."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from starlette.applications import Starlette

from sagehost import moto_app
from sagehost.accounts import Credential, access_key_id
from sagehost.clock import Clock
from sagehost.containers import Response
from sagehost.hosting.fleet import EndpointKey, Fleet, Instance, RunningEndpoint, RunningVariant
from sagehost.hosting.runtime import routes

ACCOUNT, REGION = "111122223333", "us-east-1"
KEY = EndpointKey(ACCOUNT, REGION, "mine")
WHOLE, STREAMED = "invocations", "invocations-response-stream"


class Slow:
    """A container that never ends its answer; a stream has a first part."""

    def __init__(self) -> None:
        self.working = asyncio.Event()
        self.ended = False

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        if body == b"stream":
            return 200, {"content-type": "text/event-stream"}, self._parts()
        return await self._for_ever(), {}, b""

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        yield b"first"
        yield bytes(await self._for_ever())

    async def _for_ever(self) -> int:
        self.working.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True
        return 0


class Raising:
    """A container that fails."""

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        raise RuntimeError("as a test wants it")


class Breaking:
    """A container that breaks off its answer."""

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        return 200, {}, self._parts()

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        yield b"first"
        raise RuntimeError("as a test wants it")


class Late(Clock):
    """A clock by which every time is up at once."""

    def __init__(self) -> None:
        super().__init__()
        self.speed, self.asked = 20.0, list[float]()

    def real(self, seconds: float) -> float:
        self.asked.append(seconds)
        return 0.0


@dataclass
class Exchange:
    """A request of a client, and what it is sent."""

    path: str
    body: bytes
    key: EndpointKey = KEY
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[MutableMapping[str, Any]] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def content(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def events(self) -> list[tuple[str, bytes]]:
        buffer = EventStreamBuffer()
        buffer.add_data(self.content)
        return [(one.headers.get(":event-type") or one.headers[":exception-type"], one.payload) for one in buffer]

    async def run(self, fleet: Fleet, clock: Clock | None) -> None:
        moto_app.application()  # which makes moto know the account of the key
        parts = [{"type": "http.request", "body": self.body, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            if not parts:
                await self.gone.wait()
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            self.sent.append(message)

        signed = f"AWS4-HMAC-SHA256 {Credential(access_key_id(ACCOUNT), '20260302', REGION, 'sagemaker')}, Signature=0"
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/endpoints/{self.key.name}/{self.path}",
            "query_string": b"",
        }
        scope["headers"] = [(b"authorization", signed.encode()), (b"content-type", b"application/json")]
        await Starlette(routes=routes(fleet, lambda: clock))(scope, receive, send)


def fleet_of(instance: Instance) -> Fleet:
    """An endpoint with this instance."""
    return {KEY: RunningEndpoint((RunningVariant("AllTraffic", 1.0, (instance,)),))}


def ask(path: str, body: bytes, container: Callable[[], Any] = Slow, clock: Clock | None = None) -> Exchange:
    """An exchange that has ended, after which nothing is in flight."""

    async def run() -> Exchange:
        exchange, instance = Exchange(path, body), Instance(container())
        await exchange.run(fleet_of(instance), clock)
        assert instance.in_flight == 0
        assert getattr(instance.container, "ended", True)
        return exchange

    return asyncio.run(run())


def test_a_container_that_does_not_answer_in_60_seconds_is_a_model_error() -> None:
    clock = Late()
    exchange = ask(WHOLE, b"{}", clock=clock)
    error = json.loads(exchange.content)
    assert clock.asked == [60]
    assert exchange.sent[0]["status"] == 424
    assert exchange.headers["x-amzn-errortype"] == "ModelError"
    assert error["OriginalStatusCode"] == 0
    assert error["Message"].startswith(
        'Received server error (0) from primary with message "Your invocation timed out while waiting for a response '
        "from container primary. Review the latency metrics for each container in Amazon CloudWatch, resolve the "
        'issue, and try again.". See https://us-east-1.console.aws.amazon.com/cloudwatch/home'
    )


def test_a_stream_that_takes_over_8_minutes_ends_in_a_model_stream_error() -> None:
    clock = Late()
    *_, (kind, payload) = ask(STREAMED, b"stream", clock=clock).events
    assert clock.asked == [480]
    assert kind == "ModelStreamError"
    assert json.loads(payload)["ErrorCode"] == "ModelInvocationTimeExceeded"


@pytest.mark.parametrize(("container", "clock"), [(Slow, Late()), (Breaking, None)], ids=["too long", "fails"])
def test_what_a_container_sent_comes_before_the_error_of_its_stream(container: Any, clock: Clock | None) -> None:
    *parts, _ = ask(STREAMED, b"stream", container, clock).events
    assert {kind for kind, _ in parts} == {"PayloadPart"}
    assert b"".join(payload for _, payload in parts) == b"first"


@pytest.mark.parametrize(("path", "container"), [(WHOLE, Breaking), (WHOLE, Raising), (STREAMED, Raising)])
def test_a_container_that_fails_before_its_answer_is_whole_is_a_model_error(path: str, container: Any) -> None:
    exchange = ask(path, b"{}", container)
    error = json.loads(exchange.content)
    assert exchange.headers["x-amzn-errortype"] == "ModelError"
    assert (error["OriginalStatusCode"], error["OriginalMessage"]) == (500, "Internal Server Error")


@pytest.mark.parametrize(("path", "body"), [(WHOLE, b"{}"), (STREAMED, b"{}"), (STREAMED, b"stream")])
def test_a_client_that_disconnects_ends_the_containers_work(path: str, body: bytes) -> None:
    async def run() -> tuple[bool, int, int]:
        container = Slow()
        exchange, instance = Exchange(path, body), Instance(container)
        request = asyncio.create_task(exchange.run(fleet_of(instance), None))
        await container.working.wait()
        in_flight = instance.in_flight
        exchange.gone.set()
        await request
        assert len(asyncio.all_tasks()) == 1
        return container.ended, in_flight, instance.in_flight

    assert asyncio.run(run()) == (True, 1, 0)


def test_a_server_that_stops_ends_the_containers_work() -> None:
    async def run() -> bool:
        container = Slow()
        request = asyncio.create_task(Exchange(WHOLE, b"{}").run(fleet_of(Instance(container)), None))
        await container.working.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        return container.ended

    assert asyncio.run(run())


@pytest.mark.parametrize(("path", "body"), [(WHOLE, b"{}"), (STREAMED, b"stream")])
def test_an_answer_tells_the_speed_of_the_clock(path: str, body: bytes) -> None:
    assert ask(path, body, clock=Late()).headers["x-sagehost-speed"] == "20"


def test_an_answer_without_a_clock_tells_no_speed() -> None:
    assert "x-sagehost-speed" not in ask(WHOLE, b"{}", Breaking).headers
