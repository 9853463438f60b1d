"""moto's services, corrected, as one WSGI application, and boto3 clients that call it without a socket."""

import io
import logging
import os
import pkgutil
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from flask import Flask
from moto.core import responses
from moto.core.botocore_stubber import MockRawResponse
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import convert_to_flask_response, method_names_from_class
from moto.moto_server import werkzeug_app
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client, run_wsgi_app

from sagehost import patches, validation
from sagehost.accounts import Credential, access_key_id
from sagehost.aws_errors import Refused, error_response
from sagehost.time_limit import TookTooLong, at_most

LOG = logging.getLogger(__name__)

REQUEST_S = 3.0
"""How long moto may work on a request, which keeps all others waiting."""

MOST_BYTES = 16_000_000
"""Of a request when it is decompressed. CloudWatch, for which SDKs compress, takes a megabyte."""

STATE = threading.RLock()
"""Held while moto works on a request: its back ends are plain dictionaries, not made for threads."""


class OwnService(BaseResponse):
    """A request to a service of our own. moto calls the method that is named like the operation."""

    service: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(service_name=self.service)
        self.automated_parameter_parsing = True

    @property
    def request(self) -> Mapping[str, Any]:
        """The request's parameters, as botocore's model names them."""
        parameters: Mapping[str, Any] = self._get_params()
        return parameters


def page(key: str, items: Sequence[Any], asked: Mapping[str, Any], code: str = "ValidationError") -> ActionResult:
    """One page of the items that a request asks for, and where the next one begins; `code` refuses a wrong token."""
    if not (token := asked.get("NextToken", "0")).isdecimal():
        raise Refused(code, f"The token {token} is not one that this service has given.")
    start = int(token)
    end = start + int(asked.get("MaxResults", 100))
    following = {"NextToken": str(end)} if end < len(items) else {}
    return ActionResult({key: list(items[start:end]), **following})


_OWN = {
    "cloudformation": "sagehost.cloudformation.api:CloudFormation",
    "codeconnections": "sagehost.pipelines.services:CodeConnections",
    "codepipeline": "sagehost.pipelines.services:CodePipeline",
    "codestar-connections": "sagehost.pipelines.services:CodeStarConnections",
    "servicequotas": "sagehost.quotas:ServiceQuotas",
}
"""Services that our own code answers in place of moto's; it is imported when the service is first asked."""


def _service_application(service: Any) -> Flask:
    """The application of one service, by moto's name for it; made when the service is first used."""
    if service not in _OWN:
        patches.install(service)
        return create_backend_app(service)
    application = Flask(service)
    vars(application)["service"] = service
    application.debug = True  # as moto's: failures are raised, not rendered
    application.request_class = BackendRequest
    answer = convert_to_flask_response(pkgutil.resolve_name(_OWN[service]).dispatch)
    application.add_url_rule("/", view_func=answer, methods=["GET", "POST"])
    return application


_FLASKS_ERROR_PAGE = b"<!doctype html>"

_REQUEST = threading.local()


def before_answering(wait: Callable[[], None]) -> None:
    """Have the request that this thread is working on wait for something, without keeping others from being served."""
    _REQUEST.wait = wait


class _Dispatcher(DomainDispatcherApplication):
    """moto's choice of a service, after our own services, which moto may not know."""

    def get_backend_for_host(self, host: str | None) -> Any:
        """The name of the service at a host such as `codeconnections.us-east-1.amazonaws.com`."""
        service = (host or "").partition(".")[0]
        return service if service in _OWN else self._motos_backend(host)

    @lru_cache(maxsize=1000)  # noqa: B019 - there is one dispatcher; moto lists its 200 folders each time
    def _motos_backend(self, host: str | None) -> Any:
        return super().get_backend_for_host(host)


class MotoApplication:
    """All of moto behind one URL, one request at a time, with every failure answered as AWS answers."""

    def __init__(self) -> None:
        self._dispatch = _Dispatcher(_service_application)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        body = environ["wsgi.input"].read()  # before the lock: an upload is as slow as its sender
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)  # moto would take this account for the caller's
        status, headers, content = self._answer(environ, body)
        if wait := _REQUEST.__dict__.pop("wait", None):
            wait()
        start_response(status, headers)
        return [content]

    def _service(self, environ: WSGIEnvironment) -> tuple[Any, str]:
        """The application that answers a request, and botocore's name of its service."""
        try:
            application: Any = self._dispatch.get_application(environ)
            return application, validation.services()[application.service.replace("-", "")]
        except Exception as error:  # moto raises several kinds
            LOG.warning("no service for %s", environ.get("PATH_INFO"), exc_info=error)
            signed = Credential.of(environ.get("HTTP_AUTHORIZATION", ""))
            raise NotImplementedError(f"the service {signed.service}") from error

    def _answer(self, environ: WSGIEnvironment, body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        asked = f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"
        own = False
        with STATE:
            try:
                with at_most(REQUEST_S):
                    application, service = self._service(environ)
                    own = application.service in _OWN
                    body = _decompressed(environ, body) if service != "s3" else body
                    environ["wsgi.input"] = io.BytesIO(body)  # the choice of the service may have read it
                    validation.check(validation.read(environ, body, service))
                    chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
                content = b"".join(chunks)
                if content.startswith(_FLASKS_ERROR_PAGE):  # no operation of moto's has this path
                    raise NotImplementedError(asked)
            except Refused as error:
                refused = error
            except NotImplementedError as error:
                # Its status is 400, not 500 or 501: SDKs would try those again for half a minute.
                refused = Refused("NotImplemented", f"{error} (not emulated)")
            except (TookTooLong, TimeoutError):
                told = f"the embedded AWS works on one request for at most {REQUEST_S:g} s"
                refused = Refused("LimitExceededException", told)
            except Exception as error:
                LOG.exception("%s failed", asked)
                told = f"{type(error).__name__}: {error}"
                refused = Refused("NotImplemented", f"{asked}: {told} (not emulated)")  # moto fails at the operation
                if own:
                    refused = Refused("InternalFailure", told)
                    refused.status = 500
            else:
                return status, list(headers), content
            return error_response(environ, refused)


def _decompressed(environ: WSGIEnvironment, body: bytes) -> bytes:
    """The body of a request that may be compressed, as SDKs send CloudWatch theirs; moto would take a gigabyte."""
    if environ.pop("HTTP_CONTENT_ENCODING", None) == "gzip":
        try:
            body = zlib.decompressobj(wbits=31).decompress(body, MOST_BYTES + 1)
        except zlib.error as error:
            raise Refused("SerializationException", str(error)) from error
        if len(body) > MOST_BYTES:
            raise NotImplementedError(f"a request of more than {MOST_BYTES} bytes when decompressed")
        environ["CONTENT_LENGTH"] = str(len(body))
    return body


@cache
def application() -> MotoApplication:
    """The one application of this process: moto keeps its state in globals."""
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # thousands, for each account and region, that nothing asks for
    patches.install("iam")  # which every request asks for its account
    vars(werkzeug_app)["DISABLE_GLOBAL_CORS"] = True  # moto lets pages of every origin in
    # moto looks into the class of a service at each request
    vars(responses)["method_names_from_class"] = cache(method_names_from_class)
    return MotoApplication()


def _send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
    """Answer a request of botocore from `application`; a `before-send` hook's answer replaces the network."""
    url = urlsplit(request.url)
    headers = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
        if name.lower() != "transfer-encoding"
    }
    answer = Client(application(), use_cookies=False).open(
        path=url._replace(scheme="", netloc="").geturl() or "/",
        method=request.method,
        base_url=f"{url.scheme}://{url.netloc}",
        headers=headers,
        data=request.body,
    )
    return AWSResponse(request.url, answer.status_code, dict(answer.headers), MockRawResponse(answer.data))


_SESSION_LOCK = threading.Lock()


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.set_config_variable("config_file", "/dev/null")  # never the user's own settings
    session.set_config_variable("credentials_file", "/dev/null")
    return session


@cache
def _client(service: str, account: str, region: str) -> Any:
    client = _session().create_client(
        service,
        region_name=region,
        endpoint_url="http://localhost",
        aws_access_key_id=access_key_id(account),
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    client.meta.events.register("before-send", _send)
    return client


def client(service: str, account: str, region: str) -> Any:
    """A boto3-style client of this process's own AWS: same validation and wire protocol, no network, no retries."""
    with _SESSION_LOCK:  # botocore's sessions are not made for threads, its clients are
        return _client(service, account, region)
