"""Errors as AWS gives them: which service a request is for, its codes and messages, and its wire protocol."""

import http
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moto.core import errors
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from sagehost.accounts import Credential

_BY_SIGNING_NAME = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}
"""Services whose name in a signature is not botocore's."""

_TABLE: Mapping[str, Mapping[str, tuple[int, str, str]]] = json.loads(
    Path(__file__).with_name("error_codes.json").read_text()
)
"""Service or family of services -> kind of refusal -> HTTP status (0: that of its model), code and message."""

_LIKE = {"wrong token": "unknown key", "expired": "skewed", "other body": "mismatch", "not signed": "mismatch"} | {
    f"{what} header": f"{what} member" for what in ("missing", "invalid")
}
"""The kind that stands in for one that a service does not tell apart."""

# moto warns of every code that a service's model lacks. AWS has those of its front in none.
vars(errors)["warn"] = lambda *_, **__: None


class Refused(ServiceException):
    """An error of a service, by code and message. Our own: moto looks for the service in an exception's package."""

    status = 0
    """HTTP status; 0 is that of the service's model."""


def refused(service: str, kind: str, **values: object) -> Refused:
    """The refusal of a request, of a kind of `error_codes.json`: in the service's words, or else in its family's."""
    groups = [_TABLE[one] for one in (service, _family(get_service_model(service)), "json") if one in _TABLE]
    kinds = (kind, _LIKE.get(kind, ""))
    status, code, message = next(group[one] for group in groups for one in kinds if one in group)
    error = Refused(code, message.format_map(values))
    error.status = status
    return error


# The service of a request whose signature does not say it, by how its content type begins.
_BY_CONTENT_TYPE = {"application/x-www-form-urlencoded": "sts", "application/x-amz-json": "ssm"}


def service_of(environ: Mapping[str, Any]) -> ServiceModel:
    """The service that is asked; S3, as moto takes it, where the request does not tell or botocore does not know it."""
    content_type = environ.get("CONTENT_TYPE", "")
    unsigned = next((name for start, name in _BY_CONTENT_TYPE.items() if content_type.startswith(start)), "s3")
    name = Credential.of(environ.get("HTTP_AUTHORIZATION", "")).service or unsigned
    if environ.get("PATH_INFO", "").startswith("/endpoints/"):
        name = "sagemaker-runtime"  # which is signed as sagemaker
    try:
        return get_service_model(_BY_SIGNING_NAME.get(name, name))
    except Exception:  # noqa: BLE001 - botocore and moto raise several kinds for a name they do not know
        return get_service_model("s3")


def _family(service: ServiceModel) -> str:
    """How the service words errors of its own front: `s3`, `ec2`, `query`, `json` or `rest-json`."""
    if service.service_name in ("s3", "ec2"):
        return str(service.service_name)
    protocols = service.metadata.get("protocols", [service.protocol])
    return "query" if "query" in protocols else "rest-json" if protocols[0].startswith("rest") else "json"


def error_response(environ: Mapping[str, Any], error: Refused) -> tuple[str, list[tuple[str, str]], bytes]:
    """WSGI status line, headers and body of an AWS error, in the service's protocol."""
    asked = service_of(environ)
    try:
        protocol = determine_request_protocol(asked, environ.get("CONTENT_TYPE", ""))
    except NotImplementedError:
        protocol = str(asked.protocol)
    protocol = "json" if protocol.endswith("cbor") else protocol  # which moto does not write
    serializer = get_serializer_class(asked.service_name, protocol)(operation_model=OperationModel({}, asked))
    serialized = serializer.serialize(error)
    headers = {name.lower(): value for name, value in serialized["headers"].items()}
    headers |= {"x-amzn-errortype": error.code, "x-amzn-requestid": str(uuid.uuid4())}
    content = serialized["body"]
    status = error.status or int(serialized["status_code"])
    phrase = http.HTTPStatus(status).phrase
    return f"{status} {phrase}", list(headers.items()), content.encode() if isinstance(content, str) else content
