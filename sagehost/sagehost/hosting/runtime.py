"""The SageMaker runtime API: InvokeEndpoint and InvokeEndpointWithResponseStream, on the event loop.

Errors are as `sagemaker-runtime/2017-05-13` of botocore shapes them.
"""

import asyncio
import json
import logging
import random
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple

from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sagehost import validation
from sagehost.aws_errors import Refused
from sagehost.clock import CLOCK, Clock
from sagehost.hosting import eventstream, metrics
from sagehost.hosting.capture import Invocation, Payload
from sagehost.hosting.fleet import EndpointKey, Fleet, RunningEndpoint, RunningVariant
from sagehost.validation import Asked, caller

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The limit of the BodyBlob shape."""

_MESSAGE_LIMIT = 2048
"""Most characters of a message, OriginalMessage included: the Message shape."""

_SERVICE = "sagemaker-runtime"
_REFUSED, _TOO_LARGE = "ValidationError", "RequestEntityTooLargeException"
_EVENT_STREAM = "application/vnd.amazon.eventstream"
_CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_HANDED_ON = ("content-type", "accept", _CUSTOM_ATTRIBUTES)

_WHOLE, _STREAMED = "InvokeEndpoint", "InvokeEndpointWithResponseStream"
_LIMITS_S = {_WHOLE: 60, _STREAMED: 480}
"""How long a container may take to answer."""

_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
"""As callers of SageMaker report it, with status 0: amazon-sagemaker-examples#1407, SageMaker-Deployment#3."""

_log = logging.getLogger(__name__)


def routes(fleet: Fleet, clock: Callable[[], Clock | None] = lambda: None) -> list[Route]:
    """The operations on the endpoints of a fleet. Without a clock, answers have no time limit and no metrics."""
    names = {"invocations": _WHOLE, "invocations-response-stream": _STREAMED}
    return [
        Route(f"/endpoints/{{endpoint}}/{path}", _Operation(name, fleet, clock), methods=["POST"])
        for path, name in names.items()
    ]


class _Answer(NamedTuple):
    """What a container has answered; status 0: nothing in time."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    """Empty if it was streamed."""


class _Reply:
    """The answer to a client."""

    def __init__(self, send: Send, clock: Clock | None) -> None:
        self._send = send
        request_id = uuid.UUID(int=random.getrandbits(128), version=4)  # the system's random numbers cost more
        speed = {"x-sagehost-speed": f"{clock.speed:g}"} if clock else {}
        self._headers = {"x-amzn-requestid": str(request_id), **speed}
        self.begun = False
        self._recut = eventstream.Recut()

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status and headers."""
        self.begun = True
        raw = [(name.encode(), value.encode("latin-1")) for name, value in (self._headers | dict(headers)).items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send an answer."""
        await self.begin(status, {**headers, "content-length": str(len(body))})
        await self._part(body, more=False)

    async def events(self, part: bytes) -> None:
        """Send a part of a stream."""
        await self._part(b"".join(map(eventstream.payload_part, self._recut.cut(part))))

    async def end(self, error: bytes) -> None:
        """Send the end of a stream, after its error."""
        held = self._recut.held
        await self._part((eventstream.payload_part(held) if held else b"") + error, more=False)

    async def _part(self, body: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def error(self, code: str, status: int, members: Mapping[str, object]) -> None:
        """Send an error of the service."""
        headers = {"x-amzn-errortype": code, "content-type": "application/json"}
        await self.whole(status, headers, json.dumps(members).encode())


@asynccontextmanager
async def _while_connected(receive: Receive) -> AsyncGenerator[None, None]:
    """Cancels the block when the client disconnects."""
    block = asyncio.current_task()
    assert block

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        block.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not watching.done():  # the server stops
            raise
        block.uncancel()
    finally:
        watching.cancel()


@dataclass(frozen=True)
class _Operation:
    """One of the API's operations, as an ASGI application."""

    name: str
    fleet: Fleet
    clock: Callable[[], Clock | None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, reply, received = Request(scope, receive), _Reply(send, self.clock()), CLOCK.seconds()
        try:
            asked = await _asked(request, self.name)
            validation.check(asked)
            async with _while_connected(receive):
                await self._invoke(request, asked, reply, received)
        except Refused as error:
            too_large = error.code == _TOO_LARGE
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST
            await reply.error(error.code, status, {"Message": error.message})

    async def _invoke(self, request: Request, asked: Asked, reply: _Reply, received: float) -> None:
        key, body = EndpointKey(asked.account, asked.region, asked.given["EndpointName"]), asked.given["Body"]
        serving, clock = self.fleet.get(key), self.clock()
        if serving is None:
            raise Refused(_REFUSED, f"Endpoint {key.name} of account {key.account} not found.")
        endpoint = serving.route()
        variant = _variant(asked.given, key, endpoint)
        begun = CLOCK.seconds()
        if clock:
            share = 1 / len(serving.instances[variant.name])
            metrics.add(key, variant.name, {"Invocations": 1.0, "InvocationsPerInstance": share})
        handed_on = {name: request.headers[name] for name in _HANDED_ON if name in request.headers}
        limit_s = clock.real(_LIMITS_S[self.name]) if clock else None
        answer = await self._answer(variant, handed_on, body, reply, limit_s)
        if clock:
            latencies = {"ModelLatency": 1e6 * (CLOCK.seconds() - begun), "OverheadLatency": 1e6 * (begun - received)}
            metrics.add(key, variant.name, latencies | metrics.errors(answer.status, begun=reply.begun))
        failed = not HTTPStatus.OK <= answer.status < HTTPStatus.BAD_REQUEST
        if reply.begun:
            await reply.end(_stream_error(answer) if failed else b"")
        elif failed:
            await reply.error("ModelError", HTTPStatus.FAILED_DEPENDENCY, _model_error(key, answer))
        else:
            if endpoint.capture:
                inference_id = request.headers.get("x-amzn-sagemaker-inference-id")
                sent = Payload(handed_on.get("content-type", ""), body)
                got = Payload(answer.headers["content-type"], answer.body)
                endpoint.capture.offer(Invocation(variant.name, sent, got, inference_id))
            await reply.whole(HTTPStatus.OK, answer.headers, answer.body)

    async def _answer(
        self, variant: RunningVariant, handed_on: Mapping[str, str], body: bytes, reply: _Reply, limit_s: float | None
    ) -> _Answer:
        """What a container answers. A stream is sent as it comes."""
        limit = asyncio.timeout(limit_s)
        try:
            async with limit, variant.choose_instance().invoke(handed_on, body) as (status, answered, content):
                content_type = answered.get("content-type", "application/octet-stream")
                headers = {"x-amzn-invoked-production-variant": variant.name, "content-type": content_type}
                headers |= {name: value for name, value in answered.items() if name == _CUSTOM_ATTRIBUTES}
                if self.name == _WHOLE or status >= HTTPStatus.BAD_REQUEST:
                    return _Answer(status, headers, b"".join([part async for part in _parts(content)]))
                headers |= {"content-type": _EVENT_STREAM, "x-amzn-sagemaker-content-type": content_type}
                await reply.begin(HTTPStatus.OK, headers)
                async for part in _parts(content):
                    await reply.events(part)
                return _Answer(status, headers)
        except Exception:  # noqa: BLE001 - of the container, or that it takes too long
            if limit.expired():
                return _Answer(0, {}, _TIMED_OUT.encode())
            _log.exception("a container failed")
            return _Answer(500, {}, b"Internal Server Error")


async def _parts(content: bytes | AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    if isinstance(content, bytes):
        yield content
    else:
        async for part in content:
            yield part


@cache
def _headers(operation: str) -> Mapping[str, str]:
    """Members of an operation's request by the headers that hold them."""
    members = get_service_model(_SERVICE).operation_model(operation).input_shape.members
    located = {name: member.serialization for name, member in members.items()}
    return {one["name"].lower(): name for name, one in located.items() if one.get("location") == "header"}


async def _asked(request: Request, operation: str) -> Asked:
    """What a request asks for. Raises Refused: the body is too large."""
    if len(body := await request.body()) > MAX_BODY_BYTES:
        raise Refused(_TOO_LARGE, f"Request body is larger than {MAX_BODY_BYTES} bytes")
    members = _headers(operation)
    given: dict[str, Any] = {members[name]: value for name, value in request.headers.items() if name in members}
    given |= {"EndpointName": request.path_params["endpoint"], "Body": body}
    return Asked(service=_SERVICE, operation=operation, given=given, **caller(request.headers["authorization"]))


def _variant(given: Mapping[str, Any], key: EndpointKey, endpoint: RunningEndpoint) -> RunningVariant:
    target = given.get("TargetVariant")
    named = [one for one in endpoint.variants if one.name == target]
    if target is not None and not named:
        raise Refused(_REFUSED, f"Variant {target} not found for Endpoint {key.name} of account {key.account}.")
    return named[0] if named else endpoint.choose_variant()


def _stream_error(answer: _Answer) -> bytes:
    """The message that ends a stream whose container failed, or took too long."""
    if answer.status == 0:
        message = (
            "The model failed to finish sending the response within the timeout period allowed by Amazon SageMaker."
        )
        members = {"Message": message, "ErrorCode": "ModelInvocationTimeExceeded"}
        return eventstream.exception("ModelStreamError", json.dumps(members).encode())
    message = "The stream processing failed because of an unknown error"
    return eventstream.exception("InternalStreamFailure", json.dumps({"Message": message}).encode())


def _model_error(key: EndpointKey, answer: _Answer) -> dict[str, object]:
    """The members of ModelError, for a container that answered with a status of 400 or more, or not in time."""
    status, original = answer.status, answer.body.decode(errors="replace")[:_MESSAGE_LIMIT]
    side = "client" if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else "server"
    group = f"/aws/sagemaker/Endpoints/{key.name}"
    console = f"https://{key.region}.console.aws.amazon.com/cloudwatch/home?region={key.region}"
    message = (
        f'Received {side} error ({status}) from primary with message "{original}". '
        f"See {console}#logEventViewer:group={group} in account {key.account} for more information."
    )
    return {
        "ErrorCode": f"{side.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:{get_partition(key.region)}:logs:{key.region}:{key.account}:log-group:{group}",
        "Message": message,
        "OriginalMessage": original,
        "OriginalStatusCode": status,
    }
