"""The SageMaker runtime API: InvokeEndpoint and InvokeEndpointWithResponseStream, on the event loop."""

import json
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from sagehost.hosting import eventstream
from sagehost.hosting.capture import Invocation, Payload
from sagehost.hosting.container import ContainerResponse
from sagehost.hosting.fleet import EndpointKey, Fleet, RunningEndpoint, RunningVariant
from sagehost.hosting.runtime_errors import RuntimeApiError, endpoint_not_found, model_error
from sagehost.hosting.signature import NotSignedError, caller

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The limit of the BodyBlob shape."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    """A request that a container has taken, and its answer."""

    key: EndpointKey
    endpoint: RunningEndpoint
    variant: RunningVariant
    payload: Payload
    answer: ContainerResponse


class Runtime:
    """The API over one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def invoke_endpoint(self, request: Request) -> Response:
        """InvokeEndpoint: the whole answer, or the error."""
        try:
            asked = await self._ask(request)
        except RuntimeApiError as error:
            return error.response()
        answer = asked.answer
        body = await _whole(answer)
        if answer.status != HTTPStatus.OK:
            return model_error(asked.key, answer.status, body)
        if asked.endpoint.capture:
            inference_id = request.headers.get("x-amzn-sagemaker-inference-id")
            response = Payload(answer.content_type, body)
            asked.endpoint.capture.offer(Invocation.now(asked.variant.name, asked.payload, response, inference_id))
        return Response(body, headers=_headers(asked.variant) | {"content-type": answer.content_type})

    async def invoke_endpoint_with_response_stream(self, request: Request) -> Response:
        """InvokeEndpointWithResponseStream: the answer as it comes; what fails before that is an ordinary error."""
        try:
            asked = await self._ask(request)
        except RuntimeApiError as error:
            return error.response()
        answer = asked.answer
        if answer.status != HTTPStatus.OK:
            return model_error(asked.key, answer.status, await _whole(answer))
        headers = _headers(asked.variant) | {
            "content-type": "application/vnd.amazon.eventstream",
            "x-amzn-sagemaker-content-type": answer.content_type,
        }
        return _ClosingStream(_messages(answer), headers=headers)

    async def _ask(self, request: Request) -> _Asked:
        try:
            who = caller(request.headers.get("authorization"))
        except NotSignedError as error:
            raise RuntimeApiError("MissingAuthenticationTokenException", HTTPStatus.FORBIDDEN, str(error)) from None
        key = EndpointKey(who.account, who.region, request.path_params["endpoint"])
        endpoint = self._fleet.find(key)
        if endpoint is None:
            raise endpoint_not_found(key)
        variant = _variant(request, key, endpoint)
        content_type, body = request.headers.get("content-type"), await _read(request)
        answer = await variant.choose_instance().container.invoke(content_type, body)
        return _Asked(key, endpoint, variant, Payload(content_type or "", body), answer)


def _variant(request: Request, key: EndpointKey, endpoint: RunningEndpoint) -> RunningVariant:
    if "x-amzn-sagemaker-target-model" in request.headers:
        raise RuntimeApiError.validation(f"Endpoint {key.name} of account {key.account} is not a multi-model endpoint.")
    if "x-amzn-sagemaker-inference-component" in request.headers:
        raise RuntimeApiError.validation(f"Endpoint {key.name} of account {key.account} has no inference components.")
    target = request.headers.get("x-amzn-sagemaker-target-variant")
    if target is None:
        return endpoint.choose_variant()
    variant = endpoint.variant(target)
    if variant is None:
        raise RuntimeApiError.validation(
            f"Variant {target} not found for Endpoint {key.name} of account {key.account}."
        )
    return variant


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            message = f"Request body is larger than {MAX_BODY_BYTES} bytes"
            raise RuntimeApiError("RequestEntityTooLargeException", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        parts.append(part)
    return b"".join(parts)


async def _whole(answer: ContainerResponse) -> bytes:
    if isinstance(answer.body, bytes):
        return answer.body
    async with aclosing(answer.body) as parts:
        return b"".join([part async for part in parts])


async def _messages(answer: ContainerResponse) -> AsyncGenerator[bytes, None]:
    if isinstance(answer.body, bytes):
        yield eventstream.payload_part(answer.body)
        return
    try:
        async with aclosing(answer.body) as parts:
            async for part in parts:
                yield eventstream.payload_part(part)
    except Exception:  # noqa: BLE001  # the response has begun: it can only be told inside the stream
        _log.exception("a stream failed")
        message = "The stream processing failed because of an unknown error"
        yield eventstream.exception("InternalStreamFailure", json.dumps({"Message": message}).encode())


def _headers(variant: RunningVariant) -> dict[str, str]:
    """What SageMaker says of an answer; of the container's own headers it hands on the content type alone."""
    return {"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-invoked-production-variant": variant.name}


class _ClosingStream(StreamingResponse):
    """Ends the body as soon as the client has gone, so that its permit is free at once."""

    def __init__(self, body: AsyncGenerator[bytes, None], headers: dict[str, str]) -> None:
        super().__init__(body, headers=headers)
        self._body = body

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._body):
            await super().stream_response(send)
