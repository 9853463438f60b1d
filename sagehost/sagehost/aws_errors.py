"""Error answers in the wire protocol of whichever service was asked."""

import http
import re
import uuid
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_BY_SIGNING_NAME = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}
"""Services whose name in a signature is not botocore's."""


class Refused(ServiceException):
    """An error of a service, by code and message. Our own: moto looks for the service in an exception's package."""


# The service of a request whose signature does not say it, by how its content type begins.
_BY_CONTENT_TYPE = {"application/x-www-form-urlencoded": "sts", "application/x-amz-json": "ssm"}


def _service(environ: Mapping[str, Any]) -> ServiceModel:
    """The service that is asked; S3, as moto takes it, where the request does not tell or botocore does not know it."""
    content_type = environ.get("CONTENT_TYPE", "")
    name = next((name for start, name in _BY_CONTENT_TYPE.items() if content_type.startswith(start)), "s3")
    if scope := _SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")):
        name = _BY_SIGNING_NAME.get(scope[1], scope[1])
    if environ.get("PATH_INFO", "").startswith("/endpoints/"):
        name = "sagemaker-runtime"  # which is signed as sagemaker
    try:
        return get_service_model(name)
    except Exception:  # noqa: BLE001 - botocore and moto raise several kinds for a name they do not know
        return get_service_model("s3")


def family(environ: Mapping[str, Any]) -> str:
    """How the service words errors of its own front: `s3`, `ec2`, `query`, `json` or `rest-json`."""
    service = _service(environ)
    if service.service_name in ("s3", "ec2"):
        return str(service.service_name)
    protocols = service.metadata.get("protocols", [service.protocol])
    return "query" if "query" in protocols else "rest-json" if protocols[0].startswith("rest") else "json"


def error_response(
    environ: Mapping[str, Any], status: int, code: str, message: str
) -> tuple[str, list[tuple[str, str]], bytes]:
    """WSGI status line, headers and body of an AWS error, in the service's protocol; status 0 is that of its model."""
    service = _service(environ)
    try:
        protocol = determine_request_protocol(service, environ.get("CONTENT_TYPE", ""))
    except NotImplementedError:
        protocol = str(service.protocol)
    protocol = "json" if protocol.endswith("cbor") else protocol  # which moto does not write
    serializer = get_serializer_class(service.service_name, protocol)(operation_model=OperationModel({}, service))
    serialized = serializer.serialize(Refused(code, message))
    headers = {name.lower(): value for name, value in serialized["headers"].items()}
    headers |= {"x-amzn-errortype": code, "x-amzn-requestid": str(uuid.uuid4())}
    content = serialized["body"]
    status = status or int(serialized["status_code"])
    phrase = http.HTTPStatus(status).phrase
    return f"{status} {phrase}", list(headers.items()), content.encode() if isinstance(content, str) else content
