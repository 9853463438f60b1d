"""A service that answers as each test says, and clients for it."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from mistral7b.endpoint.client import NO_RETRIES, EndpointClient
from sagehost.hosting import eventstream

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Service:
    """The SageMaker runtime service. It gives the answers in turn, the last one again and again."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when the client ends a stream that has no end."""

    def fail(self, status: int, code: str, message: str, **members: object) -> None:
        """Answer with an error of the service."""
        body = json.dumps({"Message": message, **members}).encode()
        self.answers.append(lambda handler: _send(handler, status, body, {"x-amzn-errortype": code}))

    def reply(self, body: bytes) -> None:
        """Answer with a body."""
        self.answers.append(lambda handler: _send(handler, 200, body, {}))

    def stream(self, messages: Sequence[bytes], *, whole: bool = True) -> None:
        """Answer with messages of an event stream, and break the connection after them unless the answer is `whole`."""
        self.answers.append(lambda handler: _send_stream(handler, messages, whole=whole))

    def stall(self, messages: Sequence[bytes] = ()) -> None:
        """Answer with some messages, and then with nothing more; without messages, not at all."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if messages:
                _send_stream(handler, messages, whole=False)
            self.ending.wait(timeout=30)
            handler.close_connection = True

        self.answers.append(answer)

    def stream_without_end(self, message: bytes) -> None:
        """Answer with the same message again and again, until the client hangs up."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            _begin_stream(handler)
            try:
                while not self.ending.is_set():
                    _send_messages(handler, [message])
            except ConnectionError:
                self.hung_up.set()

        self.answers.append(answer)

    def reply_together(self, requests: int) -> None:
        """Answer when so many requests are there, not before."""
        together = threading.Barrier(requests)

        def answer(handler: BaseHTTPRequestHandler) -> None:
            together.wait(timeout=30)
            _send(handler, 200, b"answer", {})

        self.answers.append(answer)

    def hang_up(self) -> None:
        """Close the connection instead of an answer."""
        self.answers.append(lambda handler: setattr(handler, "close_connection", True))


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _send_stream(handler: BaseHTTPRequestHandler, messages: Sequence[bytes], *, whole: bool) -> None:
    _begin_stream(handler)
    _send_messages(handler, messages)
    if whole:
        handler.wfile.write(b"0\r\n\r\n")
    else:
        handler.close_connection = True


def _begin_stream(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/vnd.amazon.eventstream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def _send_messages(handler: BaseHTTPRequestHandler, messages: Sequence[bytes]) -> None:
    for message in messages:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(message), message))


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that hangs up is no error of the server
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service on a port of its own, which boto3 finds by AWS_ENDPOINT_URL."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            service.paths.append(self.path)
            service.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            answer = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
            answer(self)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
    yield service
    service.ending.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody, and none of this machine's settings."""
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One session for all clients: it reads botocore's data once."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def client(service: Service, session: boto3.Session) -> Iterator[EndpointClient]:
    """A client that never tries again."""
    with EndpointClient("mistral", "us-east-1", session=session, retry=NO_RETRIES) as client:
        yield client


@pytest.fixture
def impatient_client(service: Service, session: boto3.Session) -> Iterator[EndpointClient]:
    """A client that waits a quarter of a second."""
    with EndpointClient(
        "mistral", "us-east-1", session=session, answer_timeout_s=0.25, stream_timeout_s=0.25, retry=NO_RETRIES
    ) as client:
        yield client


@pytest.fixture
def payload_parts() -> Callable[[Sequence[bytes]], list[bytes]]:
    """Parts of an answer's body as messages of an event stream."""
    return lambda parts: [eventstream.payload_part(part) for part in parts]


def event(text: str, **last: Any) -> bytes:
    """One token as a server-sent event; `last` is what only the last one has."""
    values = {"token": {"id": 7, "text": text, "logprob": -0.5, "special": False}, "generated_text": None}
    return f"data:{json.dumps({**values, 'details': None, **last}, ensure_ascii=False)}\n\n".encode()


@pytest.fixture
def answer_body() -> bytes:
    """The body of a streamed answer of three tokens, with characters of two, three and four bytes."""
    details = {"finish_reason": "length", "generated_tokens": 3, "seed": None}
    return event("é") + event("你") + event("😀", generated_text="é你😀", details=details)


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
