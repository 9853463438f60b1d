"""The SageMaker runtime API: InvokeEndpoint and InvokeEndpointWithResponseStream, on the event loop.

Errors are as `sagemaker-runtime/2017-05-13` of botocore shapes them.
"""

import json
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from sagehost import validation
from sagehost.aws_errors import Refused
from sagehost.hosting import eventstream
from sagehost.hosting.capture import Invocation, Payload
from sagehost.hosting.fleet import Answer, EndpointKey, Fleet, RunningEndpoint, RunningVariant
from sagehost.validation import Asked, caller

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The limit of the BodyBlob shape."""

_MESSAGE_LIMIT = 2048
"""Most characters of a message, OriginalMessage included: the Message shape."""

_SERVICE = "sagemaker-runtime"
_REFUSED, _TOO_LARGE = "ValidationError", "RequestEntityTooLargeException"
_CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_HANDED_ON = ("content-type", "accept", _CUSTOM_ATTRIBUTES)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Invoked:
    """A request that a container has answered."""

    key: EndpointKey
    endpoint: RunningEndpoint
    variant: RunningVariant
    payload: Payload
    response: Answer

    @property
    def content_type(self) -> str:
        return self.response[1].get("content-type", "application/octet-stream")

    @property
    def headers(self) -> dict[str, str]:
        """What SageMaker adds to an answer; of the container's headers it also hands on the custom attributes."""
        own = {"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-invoked-production-variant": self.variant.name}
        return own | {name: value for name, value in self.response[1].items() if name == _CUSTOM_ATTRIBUTES}

    async def body(self) -> bytes:
        """The whole body."""
        return b"".join([part async for part in self.response[2]])


def routes(fleet: Fleet) -> list[Route]:
    """The operations on the endpoints of a fleet."""

    def route(name: str, path: str, respond: Callable[[Request, _Invoked], Awaitable[Response]]) -> Route:
        async def operation(request: Request) -> Response:
            try:
                asked = await _asked(request, name)
                validation.check(asked)
                invoked = await _invoke(fleet, request, asked)
            except Refused as error:
                too_large = error.code == _TOO_LARGE
                status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST
                return _error(error.code, status, {"Message": error.message})
            if invoked.response[0] >= HTTPStatus.BAD_REQUEST:
                return _model_error(invoked.key, invoked.response[0], await invoked.body())
            return await respond(request, invoked)

        return Route(path, operation, methods=["POST"])

    return [
        route("InvokeEndpoint", "/endpoints/{endpoint}/invocations", _complete),
        route("InvokeEndpointWithResponseStream", "/endpoints/{endpoint}/invocations-response-stream", _streamed),
    ]


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


async def _complete(request: Request, invoked: _Invoked) -> Response:
    body = await invoked.body()
    if invoked.endpoint.capture:
        inference_id = request.headers.get("x-amzn-sagemaker-inference-id")
        response = Payload(invoked.content_type, body)
        invoked.endpoint.capture.offer(Invocation(invoked.variant.name, invoked.payload, response, inference_id))
    return Response(body, headers=invoked.headers | {"content-type": invoked.content_type})


async def _streamed(_: Request, invoked: _Invoked) -> Response:
    headers = invoked.headers | {
        "content-type": "application/vnd.amazon.eventstream",
        "x-amzn-sagemaker-content-type": invoked.content_type,
    }
    return _ClosingStream(_messages(invoked), headers=headers)


async def _invoke(fleet: Fleet, request: Request, asked: Asked) -> _Invoked:
    key, body = EndpointKey(asked.account, asked.region, asked.given["EndpointName"]), asked.given["Body"]
    endpoint = fleet.get(key)
    if endpoint is None:
        raise Refused(_REFUSED, f"Endpoint {key.name} of account {key.account} not found.")
    endpoint = endpoint.route()
    variant = _variant(asked.given, key, endpoint)
    handed_on = {name: request.headers[name] for name in _HANDED_ON if name in request.headers}
    response = await variant.choose_instance().invoke(handed_on, body)
    return _Invoked(key, endpoint, variant, Payload(handed_on.get("content-type", ""), body), response)


def _variant(given: Mapping[str, Any], key: EndpointKey, endpoint: RunningEndpoint) -> RunningVariant:
    target = given.get("TargetVariant")
    if target is None:
        return endpoint.choose_variant()
    for variant in endpoint.variants:
        if variant.name == target:
            return variant
    raise Refused(_REFUSED, f"Variant {target} not found for Endpoint {key.name} of account {key.account}.")


async def _messages(invoked: _Invoked) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(invoked.response[2]) as whole, aclosing(eventstream.recut(whole)) as parts:
            async for part in parts:
                yield eventstream.payload_part(part)
    except Exception:  # noqa: BLE001 - the response has begun: only a message in the stream can report it
        _log.exception("a stream failed")
        message = "The stream processing failed because of an unknown error"
        yield eventstream.exception("InternalStreamFailure", json.dumps({"Message": message}).encode())


def _model_error(key: EndpointKey, status: int, body: bytes) -> Response:
    """The response for a container that answered with a status of 400 or more."""
    original = body.decode(errors="replace")[:_MESSAGE_LIMIT]
    side = "client" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server"
    group = f"/aws/sagemaker/Endpoints/{key.name}"
    console = f"https://{key.region}.console.aws.amazon.com/cloudwatch/home?region={key.region}"
    message = (
        f'Received {side} error ({status}) from primary with message "{original}". '
        f"See {console}#logEventViewer:group={group} in account {key.account} for more information."
    )
    members = {
        "ErrorCode": f"{side.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:{get_partition(key.region)}:logs:{key.region}:{key.account}:log-group:{group}",
        "Message": message,
        "OriginalMessage": original,
        "OriginalStatusCode": status,
    }
    return _error("ModelError", HTTPStatus.FAILED_DEPENDENCY, members)


def _error(code: str, status: int, members: dict[str, object]) -> Response:
    headers = {"x-amzn-errortype": code, "x-amzn-requestid": str(uuid.uuid4())}
    return Response(json.dumps(members), status, headers, media_type="application/json")


class _ClosingStream(StreamingResponse):
    """Closes the body as soon as the client disconnects, so that the container stops working on it."""

    def __init__(self, body: AsyncGenerator[bytes, None], headers: dict[str, str]) -> None:
        super().__init__(body, headers=headers)
        self._body = body

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._body):
            await super().stream_response(send)
