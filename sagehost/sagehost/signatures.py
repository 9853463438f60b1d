"""Who gets in: requests to this machine by its own names, from no web page, signed with a key of this server.

Signatures of version 4, in the header or the query, are computed anew with the key's secret:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Keys are those of accounts
(`sagehost.accounts`), of IAM users and of STS's sessions. Version 2, with which boto3 presigns S3's requests, gets in
where S3 still lets it: in the query, for buckets of the first regions.

Signatures of the chunks of a body are not compared, nor checksums that trail it. Forms for uploads by browsers (S3's
POST policies) do not get in.
"""

import hashlib
import hmac
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.auth import HmacV1Auth, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.s3.models import FakeBucket, s3_backends
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagehost import accounts, policies, roles
from sagehost.accounts import Credential
from sagehost.aws_errors import error_response, refused, service_of

OPEN_PATHS = ("/_sagehost/health", "/_sagehost/backstage/credentials/")
"""What needs no signature: the first tells that a server is here, the second asks for a token of its own."""

_OWNERS_PATHS = "/_sagehost/"
_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_DIGEST = re.compile("[0-9a-f]{64}")
_ALGORITHM = "AWS4-HMAC-SHA256"
_IN_QUERY = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Security-Token", "Signature")
_FIRST_REGIONS = {"us-east-1", "us-west-1", "us-west-2", "eu-west-1", "sa-east-1"} | {
    f"ap-{place}" for place in ("northeast-1", "southeast-1", "southeast-2")
}
"""Of before 2014: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html."""

_SKEW = {"s3": timedelta(minutes=15)}
_USUAL_SKEW = timedelta(minutes=5)
_MOST_EXPIRES_S = 604_800
_MOST_BYTES = 8 * 1024 * 1024
"""Of a body whose digest no header tells: it is held before its sender is known. SageMaker's take up to 6 MB."""

_OF_OBJECT = {"x-id", "partNumber", "response-content-type", "response-content-disposition"}
_OF_LIST = {"list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "marker"}


class _RefusedError(Exception):
    """A request that does not get in; the text is a kind of `error_codes.json`."""


@dataclass(frozen=True)
class _Signature:
    """What a request says of its signature."""

    caller: Credential
    names: list[str]
    """Signed headers."""
    value: str
    timestamp: str
    token: str | None
    expires_s: int | None
    """For a signature in the query, how long it holds."""

    def check_time(self) -> None:
        """Raises where it was not made just now, or a presigned one has expired."""
        try:
            made = datetime.strptime(self.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise _RefusedError("malformed") from None
        age, skew = datetime.now(UTC) - made, _SKEW.get(self.caller.service, _USUAL_SKEW)
        if not self.timestamp.startswith(self.caller.date) or not 0 < (self.expires_s or 1) <= _MOST_EXPIRES_S:
            raise _RefusedError("malformed")
        if age < -skew or (self.expires_s is None and age > skew):
            raise _RefusedError("skewed")
        if self.expires_s is not None and age > timedelta(seconds=self.expires_s):
            raise _RefusedError("expired")

    def check(self, method: str, url: str, headers: Headers, digest: str, secret: str) -> None:
        """Raises unless the secret makes this signature of the request."""
        signed = HTTPMessage()
        for name in self.names:
            for value in headers.getlist(name):
                signed[name] = value
        kind = _S3Signer if self.caller.service == "s3" else _Signer
        request = AWSRequest(method, url, {"X-Amz-Content-SHA256": digest})
        request.context.update(timestamp=self.timestamp, signed=signed)
        signer = kind(Credentials(self.caller.key_id, secret), self.caller.service, self.caller.region)
        wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        _compare(wanted, self.value, "mismatch")
        if kind is _S3Signer and any(name.startswith("x-amz-") and name not in self.names for name in headers):
            raise _RefusedError("not signed")


def _compare(wanted: str, given: str, refusal: str) -> None:
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise _RefusedError(refusal)


class _Signer(SigV4Auth):  # type: ignore[misc] # botocore has no types
    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        """The headers that the client has signed, whichever botocore itself would."""
        signed: HTTPMessage = request.context["signed"]
        return signed


class _S3Signer(_Signer, S3SigV4Auth):  # type: ignore[misc] # the same
    pass


class _OldSigner(HmacV1Auth):  # type: ignore[misc] # the same
    expires: str

    def _get_date(self) -> str:
        return self.expires


def _check_old(scope: Scope, headers: Headers, query: Mapping[str, str], secret: str) -> Credential:
    """Raises unless the secret makes the signature of version 2 in a query: "RESTAuthentication" in S3's guide."""
    said, signed, bucket = {**headers, **query}, HTTPMessage(), _bucket(scope)
    for name in [one for one in said if one.startswith("x-amz-") or one in ("content-md5", "content-type")]:
        signed[name] = said[name]  # it may stand in either
    if bucket and bucket.region_name not in _FIRST_REGIONS:
        raise _RefusedError("too old")
    signer = _OldSigner(Credentials("", secret))
    signer.expires = query.get("Expires", "")
    wanted = signer.get_signature(scope["method"], urlsplit(_url(scope)), signed)
    _compare(wanted, query.get("Signature", ""), "mismatch")
    if not signer.expires.isdecimal() or int(signer.expires) <= datetime.now(UTC).timestamp():
        raise _RefusedError("expired")
    return Credential(query["AWSAccessKeyId"], "20060301", accounts.DEFAULT_REGION, "s3")


def _url(scope: Scope, *without: str) -> str:
    """The URL as it was sent, without some members of its query."""
    members = scope["query_string"].decode("latin-1").split("&")
    kept = "&".join(one for one in members if one.partition("=")[0] not in without)
    return f"http://localhost{scope['raw_path'].decode('latin-1')}?{kept}"


def _signature(headers: Headers, query: Mapping[str, str]) -> _Signature | None:
    """The signature of a request; None if it has none."""
    header, in_query = headers.get("authorization"), [name for name in _IN_QUERY if f"X-Amz-{name}" in query]
    if header is None and not in_query:
        return None
    if header is None:
        said = {name: query[f"X-Amz-{name}"] for name in in_query}
    else:
        algorithm, _, rest = header.partition(" ")
        pairs = [one.strip().partition("=") for one in rest.split(",")]
        said = {name: value for name, _, value in pairs} | {"Algorithm": algorithm}
        said |= {"Date": headers.get("x-amz-date", ""), "Security-Token": headers.get("x-amz-security-token", "")}
        if in_query or len(pairs) != len({name for name, _, _ in pairs}):
            raise _RefusedError("malformed")
    signed, names = Credential.of(f"Credential={said.get('Credential', '')}"), said.get("SignedHeaders", "").split(";")
    expires, token = said.get("Expires", "300" if header is None else "0"), said.get("Security-Token") or None
    known = said.get("Algorithm") == _ALGORITHM and expires.isdecimal() and "Signature" in said
    if not known or not signed.service or "host" not in names:
        raise _RefusedError("malformed")
    seconds = int(expires) if header is None else None
    return _Signature(signed, names, said["Signature"], said.get("Date", ""), token, seconds)


@dataclass(frozen=True)
class Front:
    """The application, for those who may ask it."""

    app: ASGIApp
    secret: str
    """The secret access key of every account's key."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI), or refuse it."""
        headers = Headers(scope=scope)
        hosts, origin = headers.getlist("host"), headers.get("origin")
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]) or origin not in (None, f"http://{hosts[0]}"):
            told = "asked as another host than localhost, 127.0.0.1 or [::1], or by a page of another origin\n"
            await Response(told, 403, media_type="text/plain")(scope, receive, send)
        elif scope["path"].startswith(OPEN_PATHS):
            await self.app(scope, receive, send)
        else:
            try:
                caller, receive = await self._let_in(scope, receive, headers)
            except _RefusedError as error:
                await _refuse(scope, headers, str(error))(scope, receive, send)
            else:
                await self.app(_asked_by(caller, scope), receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, headers: Headers) -> tuple[Credential, Receive]:
        """Who asks, and the body that was signed."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if "AWSAccessKeyId" in query:
            secret = self._secret(query["AWSAccessKeyId"], query.get("x-amz-security-token"))
            return _check_old(scope, headers, query, secret), receive
        found, digest = _signature(headers, query), headers.get("x-amz-content-sha256")
        if found is None:
            return await _unsigned(scope, receive, headers, query)
        found.check_time()
        if found.expires_s is not None and found.caller.service == "s3":
            digest = digest or "UNSIGNED-PAYLOAD"
        body = None if digest else await _body(receive, _MOST_BYTES)
        digest = digest or hashlib.sha256(body or b"").hexdigest()
        secret = self._secret(found.caller.key_id, found.token)
        found.check(scope["method"], _url(scope, "X-Amz-Signature"), headers, digest, secret)
        if scope["path"].startswith(_OWNERS_PATHS) and accounts.account_of(found.caller.key_id) is None:
            raise _RefusedError("unknown key")
        body = await _body(receive) if body is None else body
        if _DIGEST.fullmatch(digest) and hashlib.sha256(body).hexdigest() != digest:
            raise _RefusedError("other body")
        return found.caller, _replayed(body, receive)

    def _secret(self, key_id: str, token: str | None) -> str:
        """The secret of the key that has signed."""
        if accounts.account_of(key_id):
            _compare("", token or "", "wrong token")
            return self.secret
        session, issued = roles.session(key_id), roles.access_key_of(key_id)
        if issued is None or issued[1].status != "Active":
            raise _RefusedError("unknown key")
        _compare(session.session_token if session else "", token or "", "wrong token")
        if session and session.expiration.replace(tzinfo=UTC) < datetime.now(UTC):
            raise _RefusedError("expired token")
        return str(issued[1].secret_access_key)


def _asked_by(caller: Credential, scope: Scope) -> Scope:
    """The request with who asks in its header alone, where moto looks for the caller, the service and its region.

    It looks into bodies and queries, too, where the header does not say it as expected.
    """
    asked = dict(scope, headers=list(scope["headers"]))
    MutableHeaders(scope=asked)["authorization"] = f"{_ALGORITHM} {caller}, SignedHeaders=host, Signature=0"
    names = ("AWSAccessKeyId", "Signature", "Expires", *(f"X-Amz-{name}" for name in _IN_QUERY))
    return dict(asked, query_string=urlsplit(_url(scope, *names)).query.encode("latin-1"))


async def _unsigned(
    scope: Scope, receive: Receive, headers: Headers, query: Mapping[str, str]
) -> tuple[Credential, Receive]:
    """A request that needs no signature: a token for a role, or a read that a bucket's policy allows."""
    nobody = Credential("anonymous", "20060301", accounts.DEFAULT_REGION, "s3")
    if scope["method"] in ("GET", "HEAD") and _everyone_may(scope, query):
        return nobody, receive
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form and scope["method"] == "POST" and scope["path"] == "/" and not query:
        body = await _body(receive, _MOST_BYTES)
        actions = [value for name, value in parse_qsl(body.decode("latin-1")) if name.lower() == "action"]
        if actions == ["AssumeRoleWithWebIdentity"]:
            return replace(nobody, service="sts"), _replayed(body, receive)
    raise _RefusedError("missing")


def _bucket(scope: Scope) -> FakeBucket | None:
    name = scope["path"].split("/")[1]
    partition, account = s3_backends.bucket_accounts.get(name, ("aws", accounts.DEFAULT_ACCOUNT))
    return s3_backends[account][partition].buckets.get(name)


def _everyone_may(scope: Scope, query: Mapping[str, str]) -> bool:
    """Whether a bucket's policy lets everybody read an object, or list the bucket."""
    bucket, key = _bucket(scope), scope["path"].removeprefix("/").partition("/")[2]
    if bucket is None or bucket.policy is None or not set(query) <= (_OF_OBJECT if key else _OF_LIST):
        return False
    if bucket.public_access_block and bucket.public_access_block.restrict_public_buckets:
        return False
    arn = f"arn:{bucket.partition}:s3:::{bucket.name}{f'/{key}' if key else ''}"
    return policies.allows_everyone(bucket.policy.decode(), "s3:GetObject" if key else "s3:ListBucket", arn)


async def _body(receive: Receive, most: int = sys.maxsize) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise _RefusedError("too large")
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever else the client sends: that it has gone."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return parts.pop() if parts else await receive()

    return replay


def _refuse(scope: Scope, headers: Headers, kind: str) -> Response:
    """The answer to a request that does not get in, as its service gives it."""
    signed = unquote(f"{scope['query_string'].decode('latin-1')} {headers.get('authorization', '')}")
    environ = {"HTTP_AUTHORIZATION": signed, "PATH_INFO": scope["path"]}
    environ["CONTENT_TYPE"] = headers.get("content-type", "")
    line, found, content = error_response(environ, refused(service_of(environ).service_name, kind))
    return Response(content if scope["method"] != "HEAD" else b"", int(line.split()[0]), dict(found))
