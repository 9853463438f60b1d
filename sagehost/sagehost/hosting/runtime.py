"""The SageMaker runtime API: InvokeEndpoint and InvokeEndpointWithResponseStream, on the event loop.

Errors are as `sagemaker-runtime/2017-05-13` of botocore shapes them.
"""

import json
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

import moto.iam.models
from moto.utilities.utils import get_partition
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from sagehost.hosting import eventstream
from sagehost.hosting.capture import Invocation, Payload
from sagehost.hosting.fleet import Answer, EndpointKey, Fleet, RunningEndpoint, RunningVariant

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The limit of the BodyBlob shape."""

_MESSAGE_LIMIT = 2048
"""Most characters of a message, OriginalMessage included: the Message shape."""

_CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_HANDED_ON = ("content-type", "accept", _CUSTOM_ATTRIBUTES)

_log = logging.getLogger(__name__)


class RuntimeApiError(Exception):
    """An error of the service itself; by default for a request that it refuses."""

    def __init__(self, message: str, code: str = "ValidationError", status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


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

    def route(path: str, respond: Callable[[Request, _Invoked], Awaitable[Response]]) -> Route:
        async def operation(request: Request) -> Response:
            try:
                invoked = await _invoke(fleet, request)
            except RuntimeApiError as error:
                return _error(error.code, error.status, {"Message": str(error)})
            if invoked.response[0] >= HTTPStatus.BAD_REQUEST:
                return _model_error(invoked.key, invoked.response[0], await invoked.body())
            return await respond(request, invoked)

        return Route(path, operation, methods=["POST"])

    return [
        route("/endpoints/{endpoint}/invocations", _complete),
        route("/endpoints/{endpoint}/invocations-response-stream", _streamed),
    ]


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


async def _invoke(fleet: Fleet, request: Request) -> _Invoked:
    key = EndpointKey(*caller(request.headers["authorization"]), request.path_params["endpoint"])
    endpoint = fleet.get(key)
    if endpoint is None:
        raise RuntimeApiError(f"Endpoint {key.name} of account {key.account} not found.")
    endpoint = endpoint.route()
    variant = _variant(request, key, endpoint)
    if len(body := await request.body()) > MAX_BODY_BYTES:
        code, status = "RequestEntityTooLargeException", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        raise RuntimeApiError(f"Request body is larger than {MAX_BODY_BYTES} bytes", code, status)
    handed_on = {name: request.headers[name] for name in _HANDED_ON if name in request.headers}
    response = await variant.choose_instance().invoke(handed_on, body)
    return _Invoked(key, endpoint, variant, Payload(handed_on.get("content-type", ""), body), response)


def caller(authorization: str) -> tuple[str, str]:
    """The account that signed a request, and the region it was signed for. `sagehost.signatures` has checked it."""
    key_id, _, region, *_ = authorization.partition("Credential=")[2].split("/")
    # Looked up on the module: which account a key belongs to is patched there.
    return str(moto.iam.models.get_account_id_from(key_id)), region


def _variant(request: Request, key: EndpointKey, endpoint: RunningEndpoint) -> RunningVariant:
    if "x-amzn-sagemaker-target-model" in request.headers:
        raise RuntimeApiError(f"Endpoint {key.name} of account {key.account} is not a multi-model endpoint.")
    if "x-amzn-sagemaker-inference-component" in request.headers:
        raise RuntimeApiError(f"Endpoint {key.name} of account {key.account} has no inference components.")
    target = request.headers.get("x-amzn-sagemaker-target-variant")
    if target is None:
        return endpoint.choose_variant()
    for variant in endpoint.variants:
        if variant.name == target:
            return variant
    raise RuntimeApiError(f"Variant {target} not found for Endpoint {key.name} of account {key.account}.")


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
