"""Requests as any SDK sends them, but without an SDK's own validation."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from botocore.awsrequest import prepare_request_dict
from botocore.serialize import create_serializer
from moto.core.utils import get_service_model
from werkzeug.test import EnvironBuilder, run_wsgi_app

from sagehost import moto_app, validation
from sagehost.accounts import access_key_id
from sagehost.aws_errors import Refused

PROTOCOLS = ("json", "rest-json", "query", "ec2", "rest-xml")
ACCOUNT = "222233334444"


def protocol_of(service: str) -> str:
    offered = get_service_model(service).metadata.get("protocols", [get_service_model(service).protocol])
    return next(one for one in PROTOCOLS if one in offered)


def serialized(service: str, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Method, path with query, headers and body."""
    model = get_service_model(service).operation_model(operation)
    request: dict[str, Any] = create_serializer(protocol_of(service), False).serialize_to_request(dict(given), model)
    prepare_request_dict(request, "http://localhost")
    return request


def environ_of(service: str, method: str, url: str, headers: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    signer = get_service_model(service).signing_name
    scope = f"Credential={access_key_id(ACCOUNT)}/20260101/us-east-1/{signer}/aws4_request"
    sent = {name: str(value) for name, value in headers.items()}
    sent["Authorization"] = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
    path = url.removeprefix("http://localhost") or "/"
    builder = EnvironBuilder(method=method, path=path, headers=list(sent.items()), input_stream=io.BytesIO(body))
    return dict(builder.get_environ())


def send(service: str, method: str, url: str, headers: Mapping[str, Any], body: bytes) -> tuple[int, str]:
    """Status and body of the embedded AWS's answer."""
    environ = environ_of(service, method, url, headers, body)
    chunks, status, _ = run_wsgi_app(moto_app.application(), environ, buffered=True)
    return int(status.split()[0]), b"".join(chunks).decode(errors="replace")


def refusal(service: str, request: Mapping[str, Any], body: bytes | None = None) -> str | None:
    """Code and message with which a request is refused; None if it is not. Nothing happens in the services."""
    content = request["body"] if body is None else body
    content = content.encode() if isinstance(content, str) else content or b""
    if isinstance(content, dict):  # the form of the query protocols
        content = urlencode(content).encode()
    try:
        environ = environ_of(service, request["method"], request["url"], request["headers"], content)
        validation.check(validation.read(environ, content, service))
    except (Refused, NotImplementedError) as error:
        return f"{getattr(error, 'code', 'NotImplemented')}: {getattr(error, 'message', error)}"
    return None
