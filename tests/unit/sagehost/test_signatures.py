"""Who gets in: hosts, origins and signatures, asked by the sockets and boto3 that users have."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.client
import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from sagehost.accounts import access_key_id
from sagehost.lifecycle import State, running_server
from sagehost.signatures import Front

ACCOUNT = "111122223333"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[State]:
    with running_server() as state:
        yield state


def client(server: State, service: str, keys: Mapping[str, str] | None = None, **config: Any) -> Any:
    """A client with the account's key, or with keys as STS and IAM give them."""
    own = {"AccessKeyId": access_key_id(ACCOUNT), "SecretAccessKey": server.secret} if keys is None else keys
    return boto3.client(
        service,
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=own["AccessKeyId"],
        aws_secret_access_key=own["SecretAccessKey"],
        aws_session_token=own.get("SessionToken"),
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **config),
    )


def ask(server: State, headers: Mapping[str, str], method: str = "GET", path: str = "/") -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.fixture(scope="module")
def session(server: State) -> dict[str, str]:
    """Credentials of a session of a role."""
    role = client(server, "iam").create_role(RoleName="known", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    sts = client(server, "sts")
    return dict(sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"])


def health(server: State, **headers: str) -> int:
    return ask(server, headers, path="/_sagehost/health")[0]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_the_names_of_this_machine_are_let_in(server: State, name: str) -> None:
    assert health(server, Host=f"{name}:{server.port}") == 200


@pytest.mark.parametrize(
    "name", ["evil.example", "localhost.evil.example", "bucket.localhost", "127.0.0.1.nip.io", "0.0.0.0", "::1", ""]
)
def test_other_hosts_are_refused_as_names_may_be_rebound_to_this_machine(server: State, name: str) -> None:
    assert health(server, Host=name) == 403


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://localhost:3000", "http://localhost"])
def test_pages_of_other_origins_are_refused(server: State, origin: str) -> None:
    assert health(server, Host=f"localhost:{server.port}", Origin=origin) == 403


def test_no_page_is_told_that_it_may_ask(server: State) -> None:
    asked = {"Host": f"localhost:{server.port}", "Access-Control-Request-Method": "POST"}
    for origin in ({}, {"Origin": "https://evil.example"}):
        _, headers = ask(server, asked | origin, "OPTIONS")
        assert [name for name in headers if name.startswith("access-control-")] == []
    answer = client(server, "sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    assert [name for name in answer if name.startswith("access-control-")] == []


CALLS = {
    "sts": ("get_caller_identity", {}),
    "cloudwatch": ("describe_alarms", {}),
    "ec2": ("describe_vpcs", {}),
    "s3": ("list_buckets", {}),
    "ssm": ("describe_parameters", {}),
    "sagemaker-runtime": ("invoke_endpoint", {"EndpointName": "any", "Body": b"{}"}),
}
UNKNOWN = {
    "sts": (403, "InvalidClientTokenId"),
    "cloudwatch": (403, "InvalidClientTokenId"),
    "ec2": (401, "AuthFailure"),
    "s3": (403, "InvalidAccessKeyId"),
    "ssm": (400, "UnrecognizedClientException"),
    "sagemaker-runtime": (403, "UnrecognizedClientException"),
}
WRONG = {
    "sts": (403, "SignatureDoesNotMatch"),
    "cloudwatch": (403, "SignatureDoesNotMatch"),
    "ec2": (401, "AuthFailure"),
    "s3": (403, "SignatureDoesNotMatch"),
    "ssm": (400, "InvalidSignatureException"),
    "sagemaker-runtime": (403, "InvalidSignatureException"),
}


def refusal(client: Any, service: str) -> tuple[int, str]:
    operation, arguments = CALLS[service]
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret_is_refused_as_the_service_does(server: State, service: str) -> None:
    keys = {"AccessKeyId": access_key_id(ACCOUNT), "SecretAccessKey": "local"}
    assert refusal(client(server, service, keys), service) == WRONG[service]


@pytest.mark.parametrize("service", CALLS)
def test_a_key_that_was_never_issued_is_refused_as_the_service_does(server: State, service: str) -> None:
    keys = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": server.secret}
    assert refusal(client(server, service, keys), service) == UNKNOWN[service]


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer token",
        "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=key/20240101/eu-west-1/sagemaker/aws4_request",
        "AWS4-HMAC-SHA256 Credential=key/20240101, SignedHeaders=host, Signature=ab",
        "AWS4-HMAC-SHA256 Credential=key/20240101/eu-west-1/sagemaker/aws4_request, SignedHeaders=, Signature=ab",
        "AWS4-ECDSA-P256-SHA256 Credential=key/20240101/sagemaker/aws4_request, SignedHeaders=host, Signature=ab",
    ],
)
def test_a_header_that_is_no_signature_is_refused(server: State, authorization: str) -> None:
    headers = {"Authorization": authorization, "Host": f"localhost:{server.port}"}
    assert ask(server, headers, "POST", "/endpoints/any/invocations")[0] == 403


@pytest.mark.parametrize("service", [*CALLS])
def test_a_request_without_a_signature_is_refused(server: State, service: str) -> None:
    status, code = refusal(client(server, service, signature_version=UNSIGNED), service)
    assert status in (400, 403)
    assert code in ("AccessDenied", "MissingAuthenticationToken", "MissingAuthenticationTokenException")


@pytest.mark.parametrize("service", CALLS)
def test_a_session_is_let_in_with_its_own_token_alone(server: State, service: str, session: dict[str, str]) -> None:
    operation, arguments = CALLS[service]
    if service != "sagemaker-runtime":
        getattr(client(server, service, session), operation)(**arguments)
    other = client(server, service, {**session, "SessionToken": "another"})
    wrong = {**UNKNOWN, "s3": (400, "InvalidToken")}
    assert refusal(other, service) == wrong[service]


def test_a_token_beside_the_accounts_key_is_refused(server: State) -> None:
    keys = {"AccessKeyId": access_key_id(ACCOUNT), "SecretAccessKey": server.secret, "SessionToken": "left over"}
    assert refusal(client(server, "sts", keys), "sts") == UNKNOWN["sts"]


def test_a_users_key_is_let_in_while_it_is_active(server: State) -> None:
    iam = client(server, "iam")
    iam.create_user(UserName="me")
    keys = iam.create_access_key(UserName="me")["AccessKey"]
    assert client(server, "sts", keys).get_caller_identity()["Arn"].endswith(":user/me")
    iam.update_access_key(UserName="me", AccessKeyId=keys["AccessKeyId"], Status="Inactive")
    assert refusal(client(server, "sts", keys), "sts") == UNKNOWN["sts"]


@pytest.mark.parametrize("minutes", [-20, 20])
@pytest.mark.parametrize(
    ("service", "code"),
    [("s3", "RequestTimeTooSkewed"), ("ec2", "RequestExpired"), ("ssm", "InvalidSignatureException")],
)
def test_a_signature_of_another_time_is_refused(
    server: State, monkeypatch: pytest.MonkeyPatch, service: str, code: str, minutes: int
) -> None:
    then = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: then)
    assert refusal(client(server, service), service)[1] == code


@pytest.fixture(scope="module")
def bucket(server: State) -> str:
    s3 = client(server, "s3")
    s3.create_bucket(Bucket="mine")
    s3.put_object(Bucket="mine", Key="a key/ü", Body=b"content")
    return "mine"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_requests_are_let_in(server: State, bucket: str, session: dict[str, str], version: str) -> None:
    s3 = client(server, "s3", session, signature_version=version)
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "put here"})
    assert urllib3.request("PUT", put, body=b"more").status == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "put here"})
    assert urllib3.request("GET", get).data == b"more"


def test_a_presigned_request_of_sts_tells_its_caller(server: State) -> None:
    url = client(server, "sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert f"<Account>{ACCOUNT}</Account>" in urllib3.request("GET", url).data.decode()


def test_a_presigned_request_is_for_what_it_was_signed_for(server: State, bucket: str) -> None:
    s3 = client(server, "s3", signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a key/ü"})
    assert urllib3.request("GET", url).data == b"content"
    assert urllib3.request("DELETE", url).status == 403
    assert urllib3.request("GET", url.replace("X-Amz-Expires=3600", "X-Amz-Expires=604800")).status == 403
    assert urllib3.request("GET", url + "&acl").status == 403
    assert urllib3.request("GET", url, headers={"x-amz-acl": "public-read"}).status == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_request_expires(server: State, bucket: str, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    then = datetime.now(UTC) - timedelta(seconds=61)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: then)
    monkeypatch.setattr("botocore.auth.time.time", then.timestamp)
    url = client(server, "s3", signature_version=version).generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "k"}, ExpiresIn=60
    )
    monkeypatch.undo()
    answer = urllib3.request("GET", url)
    assert (answer.status, b"Request has expired" in answer.data) == (403, True)


def test_presigned_requests_of_version_2_are_for_the_first_regions_alone(server: State) -> None:
    place = {"LocationConstraint": "eu-central-1"}
    client(server, "s3").create_bucket(Bucket="younger", CreateBucketConfiguration=place)
    s3 = client(server, "s3", signature_version="s3")
    answer = urllib3.request("GET", s3.generate_presigned_url("get_object", {"Bucket": "younger", "Key": "any"}))
    assert (answer.status, b"<Code>InvalidRequest</Code>" in answer.data) == (400, True)


def test_a_presigned_request_of_version_2_is_for_what_it_was_signed_for(server: State, bucket: str) -> None:
    s3 = client(server, "s3", signature_version="s3")
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a key/ü"})
    assert urllib3.request("GET", url).data == b"content"
    assert urllib3.request("DELETE", url).status == 403
    assert urllib3.request("GET", url + "&acl").status == 403
    assert urllib3.request("GET", url, headers={"x-amz-acl": "public-read"}).status == 403


def upload(server: State, path: str, body: bytes, declared: str, **headers: str) -> int:
    """PUT of an `aws-chunked` body, which botocore itself sends by HTTPS alone."""
    signed = AWSRequest("PUT", f"{server.url}{path}", {"Content-Encoding": "aws-chunked", **headers}, body)
    signed.headers["X-Amz-Content-SHA256"] = declared

    class Declared(S3SigV4Auth):  # type: ignore[misc] # botocore has no types
        def payload(self, request: AWSRequest) -> str:
            return declared

    Declared(Credentials(access_key_id(ACCOUNT), server.secret), "s3", "us-east-1").add_auth(signed)
    return urllib3.request("PUT", signed.url, body=body, headers=dict(signed.headers)).status


def test_a_streamed_body_with_a_trailing_checksum_is_stored(server: State, bucket: str) -> None:
    checksum = base64.b64encode(zlib.crc32(b"streamed").to_bytes(4, "big")).decode()
    body = f"8\r\nstreamed\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n".encode()
    more = {"x-amz-decoded-content-length": "8", "x-amz-trailer": "x-amz-checksum-crc32"}
    assert upload(server, f"/{bucket}/trailer", body, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", **more) == 200
    assert client(server, "s3").get_object(Bucket=bucket, Key="trailer")["Body"].read() == b"streamed"


def test_a_body_of_signed_chunks_is_stored(server: State, bucket: str) -> None:
    signature = "0" * 64
    body = f"8;chunk-signature={signature}\r\nstreamed\r\n0;chunk-signature={signature}\r\n\r\n".encode()
    more = {"x-amz-decoded-content-length": "8"}
    assert upload(server, f"/{bucket}/chunks", body, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", **more) == 200
    assert client(server, "s3").get_object(Bucket=bucket, Key="chunks")["Body"].read() == b"streamed"


def test_another_body_than_the_one_that_was_signed_is_refused(server: State, bucket: str) -> None:
    digest = hashlib.sha256(b"signed").hexdigest()
    assert upload(server, f"/{bucket}/other", b"forged", digest) == 400


def reads(server: State, bucket: str) -> tuple[int, int, int, int]:
    """Statuses of an object, a list, an object's ACL and an upload, asked without a signature."""
    url = f"{server.url}/{bucket}"
    key = quote("a key/ü")
    asked = [("GET", f"/{key}"), ("GET", ""), ("GET", f"/{key}?acl"), ("PUT", "/new")]
    first, second, third, fourth = (urllib3.request(method, url + path).status for method, path in asked)
    return first, second, third, fourth


@pytest.mark.parametrize(
    ("statement", "statuses"),
    [
        (None, (403, 403, 403, 403)),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/*"}, (200, 403, 403, 403)),
        ({"Action": "s3:*", "Resource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]}, (200, 200, 403, 403)),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/other"}, (403, 403, 403, 403)),
        (
            {
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::mine/*",
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            },
            (403, 403, 403, 403),
        ),
    ],
)
def test_everybody_reads_what_the_buckets_policy_lets_everybody_read(
    server: State, bucket: str, statement: dict[str, Any] | None, statuses: tuple[int, ...]
) -> None:
    s3 = client(server, "s3")
    if statement:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", **statement}]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert reads(server, bucket) == statuses
    s3.delete_bucket_policy(Bucket=bucket)


def test_public_policies_are_blocked_where_the_bucket_says_so(server: State, bucket: str) -> None:
    s3 = client(server, "s3")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert reads(server, bucket)[0] == 403
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)


def test_behind_the_stage_is_the_owner_alone(server: State, session: dict[str, str]) -> None:
    url = f"{server.url}/_sagehost/backstage/shake_hands"
    assert urllib3.request("POST", url, json={"connection": "any"}).status == 403
    for keys, status in (
        (session, 403),
        ({"AccessKeyId": access_key_id(ACCOUNT), "SecretAccessKey": server.secret}, 200),
    ):
        signed = AWSRequest("POST", url, {"Content-Type": "application/json"}, json.dumps({"connection": "any"}))
        own = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))
        SigV4Auth(own, "sagehost", "us-east-1").add_auth(signed)
        assert urllib3.request("POST", url, body=signed.data, headers=dict(signed.headers)).status == status


@pytest.mark.parametrize("smuggled", ["/?Action=CreateUser&UserName=x", "/"])
def test_no_other_action_rides_on_that_which_needs_no_signature(server: State, smuggled: str) -> None:
    body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&action=CreateUser"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert urllib3.request("POST", server.url + smuggled, body=body, headers=form).status == 403


SECRET = "secret"
PARTS = st.text(st.characters(codec="ascii", exclude_characters="?#\\ \x00\r\n\t"), max_size=12)


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def status_of(method: str, url: str, headers: Mapping[str, str], body: bytes) -> int:
    """The status with which `Front` answers."""
    parts = urlsplit(url)
    scope = {
        "type": "http",
        "method": method,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Front(_echo, SECRET)(scope, receive, send))
    return int(sent[0]["status"])


QUERIES = st.dictionaries(PARTS.filter(bool), PARTS, max_size=3).map(
    lambda query: "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items()))
)
PATHS = st.lists(PARTS.map(lambda text: quote(text, safe="~")), min_size=1, max_size=3)


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    url=st.builds(lambda path, query: f"http://localhost:1/x{'/'.join(path)}?{query}", PATHS, QUERIES),
    body=st.binary(max_size=40),
    service=st.sampled_from(["s3", "ssm", "ec2"]),
    change=st.sampled_from(["method", "path", "query", "body", "header", "signature", "nothing"]),
)
def test_whatever_was_signed_is_let_in_and_nothing_else(
    method: str, url: str, body: bytes, service: str, change: str
) -> None:
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    request = AWSRequest(method, url, {"x-own": "value", "Host": "localhost:1"}, body)
    signer(Credentials(access_key_id(ACCOUNT), SECRET), service, "us-east-1").add_auth(request)
    headers = dict(request.headers.items())
    if change == "method":
        method = "DELETE"
    elif change == "path":
        url = url.replace("/x", "/y", 1)
    elif change == "query":
        url += "&more=1"
    elif change == "body":
        body += b"!"
    elif change == "header":
        headers["x-own"] = "other"
    elif change == "signature":
        headers["Authorization"] = headers["Authorization"][:-1] + ("0" if headers["Authorization"][-1] != "0" else "1")
    assert (status_of(method, url, headers, body) == 200) == (change == "nothing")
