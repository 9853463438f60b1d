"""Error answers in the wire protocol of whichever service was asked."""

import http
import re
import uuid
from wsgiref.types import WSGIEnvironment

from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_BY_SIGNING_NAME = {"monitoring": "cloudwatch"}
"""Services whose name in a signature is not botocore's."""


class _Failure(ServiceException):
    """One of our own: moto looks for the service of an exception in the package that its class comes from."""


def _service(environ: WSGIEnvironment) -> ServiceModel | None:
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    try:
        return get_service_model(_BY_SIGNING_NAME.get(scope[1], scope[1]))
    except Exception:  # noqa: BLE001 - botocore and moto raise several kinds for a name they do not know
        return None


def error_response(
    environ: WSGIEnvironment, status: int, code: str, message: str
) -> tuple[str, list[tuple[str, str]], bytes]:
    """WSGI status line, headers and body of an AWS error.

    A request without a signature, or for a service that botocore does not know, is answered in the protocol of S3, as
    moto takes such requests for S3's.
    """
    service = _service(environ) or get_service_model("s3")
    try:
        protocol = determine_request_protocol(service, environ.get("CONTENT_TYPE", ""))
    except NotImplementedError:
        protocol = str(service.protocol)
    serializer = get_serializer_class(service.service_name, protocol)(operation_model=OperationModel({}, service))
    serialized = serializer.serialize(_Failure(code, message))
    headers = {name.lower(): value for name, value in serialized["headers"].items()}
    headers |= {"x-amzn-errortype": code, "x-amzn-requestid": str(uuid.uuid4())}
    content = serialized["body"]
    phrase = http.HTTPStatus(status).phrase
    return f"{status} {phrase}", list(headers.items()), content.encode() if isinstance(content, str) else content
