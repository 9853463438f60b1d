"""A client of one endpoint: answers, and answers as streams.

Time-outs and retries are those that generation needs. botocore's own retries, in all their modes, also repeat a request
that timed out or whose connection broke: a slow generation would then run twice, on top of the load that made it slow.
Here a request is sent again only where it cannot have reached the container.
"""

import json
import random
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, TypeVar

import boto3
from botocore.config import Config

from mistral7b.endpoint.errors import (
    BrokenAnswerError,
    ConfigurationError,
    ThrottledError,
    UnreachableError,
    translated,
)
from mistral7b.tgi import GenerateParameters, GenerateRequest, Generation, StreamEvent, StreamParser, parse_generation

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 70.0
"""Above the 60 s that SageMaker gives a container, so that the service's own error arrives."""
STREAM_TIMEOUT_S = 490.0
"""Above the 8 minutes that SageMaker gives a stream; the first token may be long in coming."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """At most `attempts`; between two a random part of a pause that doubles from `first_pause_s` to `longest_pause_s`.

    "Full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    attempts: int = 4
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0

    def call(self, send: Callable[[], T], *, sleep: Callable[[float], object] = time.sleep) -> T:
        """What `send` returns; its last error where every attempt fails, and any other error at once."""
        for attempt in range(1, self.attempts):
            try:
                return send()
            except (ThrottledError, UnreachableError):
                sleep(random.uniform(0, min(self.longest_pause_s, self.first_pause_s * 2 ** (attempt - 1))))
        return send()


NO_RETRIES = RetryPolicy(attempts=1)


class EndpointClient:
    """Calls one endpoint. Threads may share a client.

    Credentials, and an endpoint URL other than AWS's own, are found where boto3 looks for them. Every method raises
    EndpointError, and nothing else, for what goes wrong outside this process.
    """

    def __init__(
        self,
        endpoint_name: str,
        region: str,
        *,
        session: boto3.Session | None = None,
        max_pool_connections: int = 10,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        stream_timeout_s: float = STREAM_TIMEOUT_S,
        retry: RetryPolicy | None = None,
        speed: float = 1.0,
    ) -> None:
        """Makes no connection. `max_pool_connections` is the number of requests that run at once without waiting.

        `speed` is that of the endpoint's clock.
        """
        self.endpoint_name, self.speed = endpoint_name, speed
        self._retry = retry or RetryPolicy()
        with translated():
            session = session or boto3.Session()
            self._answers = _runtime(session, region, answer_timeout_s, max_pool_connections)
            self._streams = _runtime(session, region, stream_timeout_s, max_pool_connections)

    def generate(self, request: GenerateRequest) -> Generation:
        """The whole answer."""
        body = self.invoke(to_json(replace(request, stream=False)))
        try:
            return parse_generation(body)
        except ValueError as error:
            raise BrokenAnswerError(str(error)) from error

    def stream(self, request: GenerateRequest) -> Generator[StreamEvent, None, None]:
        """The answer's tokens as they come; the last one has the whole text.

        Closing the iterator before its end closes the connection, and the container stops generating.
        """
        parser, whole = StreamParser(), False
        with closing(self.invoke_stream(to_json(replace(request, stream=True)))) as parts, translated():
            for part in parts:
                for event in parser.feed(part):
                    whole = whole or event.generated_text is not None
                    yield event
        if not whole:
            raise BrokenAnswerError("the stream ended before its last token")

    def invoke(self, body: bytes) -> bytes:
        """The answer's body to a request's body, both as they are."""
        with translated():
            return bytes(self._send(self._answers.invoke_endpoint, body)["Body"].read())

    def invoke_stream(self, body: bytes) -> Generator[bytes, None, None]:
        """The parts of the answer's body as they come, cut anywhere, to a request's body as it is."""
        with translated():
            response = self._send(self._streams.invoke_endpoint_with_response_stream, body)
            with closing(response["Body"]) as events:
                for event in events:
                    yield event["PayloadPart"]["Bytes"]

    def close(self) -> None:
        """Closes the connections."""
        self._answers.close()
        self._streams.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, operation: Any, body: bytes) -> Any:
        def send() -> Any:
            with translated():
                return operation(EndpointName=self.endpoint_name, ContentType="application/json", Body=body)

        return self._retry.call(send)


def to_json(request: GenerateRequest) -> bytes:
    """The body of a request: what differs from the container's defaults."""
    default = asdict(GenerateParameters())
    parameters = {name: value for name, value in asdict(request.parameters).items() if value != default[name]}
    body: dict[str, object] = {"inputs": request.inputs, "parameters": parameters}
    if request.stream:
        body["stream"] = True
    return json.dumps(body, ensure_ascii=False).encode()


def _runtime(session: boto3.Session, region: str, read_timeout_s: float, max_pool_connections: int) -> Any:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        max_pool_connections=max_pool_connections,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,  # a gateway on the way forgets a connection on which nothing moves for 350 s
    )
    return service_client(session, "sagemaker-runtime", region, config)


def service_client(session: boto3.Session, service: str, region: str, config: Config) -> Any:
    """A client of boto3. Raises ConfigurationError for an endpoint URL that is none."""
    try:
        return session.client(service, region_name=region, config=config)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
