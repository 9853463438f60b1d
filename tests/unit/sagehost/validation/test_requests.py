"""What cannot be read, or is not known, is refused by name: never with a status of 500."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagehost.aws_errors import Refused, error_response
from tests.unit.sagehost.validation.requests import send, serialized
from tests.unit.sagehost.validation.test_mutated_calls import CALLS

JSON = {"Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MODEL = JSON | {"X-Amz-Target": "SageMaker.CreateModel"}


@pytest.mark.parametrize(
    ("service", "url", "headers", "body", "code"),
    [
        ("sagemaker", "/", MODEL, b"{", "SerializationException"),
        ("sagemaker", "/", MODEL, b"\xff", "SerializationException"),
        ("sagemaker", "/", MODEL, b"[]", "SerializationException"),
        ("sagemaker", "/", MODEL, b'{"ModelName": NaN}', "SerializationException"),
        ("sagemaker", "/", MODEL, b'{"ModelName": 5}', "SerializationException"),
        ("sagemaker", "/", MODEL, b'{"Containers": {"Image": "i"}}', "SerializationException"),
        ("sagemaker", "/", MODEL, b'{"ModelName": "m", "Instances": 1}', "NotImplemented"),
        ("sagemaker", "/", JSON | {"X-Amz-Target": "SageMaker.Nothing"}, b"{}", "UnknownOperationException"),
        ("iam", "/", FORM, b"Action=ListRoles&Version=2010-05-08&MaxItems=many", "MalformedInput"),
        ("iam", "/", FORM, b"Action=GetRole&Version=2010-05-08&RoleName.No.1=r&RoleName=r", "MalformedInput"),
        ("iam", "/", FORM, b"Action=ListRoles&Version=2010-05-08&Colour=red", "NotImplemented"),
        ("iam", "/", FORM, b"Action=ListRoles&Version=2011-11-11", "InvalidAction"),
        ("iam", "/", FORM, b"Action=Nothing&Version=2010-05-08", "InvalidAction"),
        ("ec2", "/", FORM, b"Action=DescribeVpcs&Version=2016-11-15&DryRun=perhaps", "InvalidParameterValue"),
        ("ec2", "/", FORM, b"Action=DescribeVpcs&Version=2016-11-15&Colour=red", "UnknownParameter"),
        ("s3", "/b?versioning", {}, b"<VersioningConfiguration", "MalformedXML"),
        ("s3", "/b?versioning", {}, b"<VersioningConfiguration><Colour/></VersioningConfiguration>", "MalformedXML"),
        ("s3", "/b?colour=red", {}, b"", "NotImplemented"),
        ("scheduler", "/colours/red", {}, b"", "NotImplemented"),
        ("cloudwatch", "/", {"Content-Type": "application/cbor"}, b"\xa0", "NotImplemented"),
        ("cloudwatch", "/", JSON | {"Content-Encoding": "gzip"}, b"no gzip", "SerializationException"),
    ],
)
def test_what_cannot_be_read_or_is_not_known_is_refused(
    service: str, url: str, headers: dict[str, str], body: bytes, code: str
) -> None:
    status, answer = send(service, "PUT" if service == "s3" else "POST", url, headers, body)
    assert status == 400
    assert code in answer


def test_the_status_is_that_of_the_models_error() -> None:
    environ = {"HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request"}
    assert error_response(environ, Refused("NoSuchEntity", ""))[0].startswith("404")
    assert error_response(environ, Refused("ValidationError", ""))[0].startswith("400")


def test_a_code_that_no_model_has_is_answered_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    environ = {"HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ecr/aws4_request"}
    assert error_response(environ, Refused("SerializationException", ""))[0].startswith("400")
    assert list(recwarn) == []


@given(st.data())
def test_no_request_is_answered_with_500(data: st.DataObject) -> None:
    """Calls with bytes that are changed, removed and added, and with headers of other protocols."""
    service = data.draw(st.sampled_from(sorted(CALLS)))
    request = serialized(service, *data.draw(st.sampled_from(CALLS[service])))
    body = request["body"]
    body = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    start = data.draw(st.integers(0, len(body or b"")))
    body = body or b""
    body = body[:start] + data.draw(st.binary(max_size=9)) + body[start + data.draw(st.integers(0, 9)) :]
    headers: dict[str, Any] = {**request["headers"]}
    headers |= data.draw(st.sampled_from([{}, {}, {}, JSON, FORM, {"Content-Type": "application/cbor"}]))
    headers |= data.draw(st.sampled_from([{}, {}, {}, {"Content-Encoding": "gzip"}, {"X-Amz-Target": "a"}]))
    if headers.get("Content-Encoding") == "gzip" and data.draw(st.booleans()):
        body = gzip.compress(body)
    method = data.draw(st.sampled_from([request["method"], request["method"], "POST", "GET", "PATCH"]))
    url = request["url"] + data.draw(st.sampled_from(["", "", "/", "//x", "?a=%ff", "%00"]))
    assert send(service, method, url, headers, body)[0] < 500
