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
from collections.abc import Mapping
from dataclasses import dataclass
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
from sagehost.aws_errors import error_response, family

OPEN_PATHS = ("/_sagehost/health", "/_sagehost/backstage/credentials/")
"""What needs no signature: the first tells that a server is here, the second asks for a token of its own."""

_OWNERS_PATHS = "/_sagehost/"
_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_CREDENTIAL = re.compile(r"([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9.-]+)/aws4_request")
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

_WEB_IDENTITY = "AssumeRoleWithWebIdentity"
_OF_OBJECT = {"x-id", "partNumber", "response-content-type", "response-content-disposition"}
_OF_LIST = {"list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "marker"}

_TOKEN = "The security token included in the request is invalid."
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_SKEWED = "The difference between the request time and the current time is too large."
_EXPIRED = "Signature expired: its time is too far from that of this machine"
_NOT_VALIDATED = (401, "AuthFailure", "AWS was not able to validate the provided access credentials")
# Status, code and message by family of services, in S3's and EC2's references and the common errors of the others.
_REFUSALS: Mapping[str, Mapping[str, tuple[int, str, str]]] = {
    "s3": {
        "missing": (403, "AccessDenied", "Access Denied"),
        "malformed": (400, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid."),
        "unknown key": (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        "wrong token": (400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
        "expired token": (400, "ExpiredToken", "The provided token has expired."),
        "skewed": (403, "RequestTimeTooSkewed", _SKEWED),
        "expired": (403, "AccessDenied", "Request has expired"),
        "not signed": (403, "AccessDenied", "There were headers present in the request which were not signed"),
        "too old": (400, "InvalidRequest", "The authorization mechanism you have provided is not supported."),
        "mismatch": (403, "SignatureDoesNotMatch", _MISMATCH),
        "other body": (400, "XAmzContentSHA256Mismatch", "The 'x-amz-content-sha256' header does not match the body."),
    },
    "ec2": {
        "missing": (400, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        "expired token": (400, "RequestExpired", "Request has expired."),
        "skewed": (400, "RequestExpired", "Request has expired."),
    },
    "query": {
        "missing": (403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        "malformed": (400, "IncompleteSignature", "Request must contain a signature that conforms to AWS standards"),
        "unknown key": (403, "InvalidClientTokenId", _TOKEN),
        "expired token": (403, "ExpiredToken", "The security token included in the request is expired"),
        "skewed": (403, "SignatureDoesNotMatch", _EXPIRED),
        "mismatch": (403, "SignatureDoesNotMatch", _MISMATCH),
    },
    "json": {
        "missing": (400, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        "malformed": (400, "IncompleteSignatureException", "Authorization header does not conform to AWS standards."),
        "unknown key": (400, "UnrecognizedClientException", _TOKEN),
        "expired token": (400, "ExpiredTokenException", "The security token included in the request is expired"),
        "skewed": (400, "InvalidSignatureException", _EXPIRED),
        "mismatch": (400, "InvalidSignatureException", _MISMATCH),
    },
}
_REST = {kind: (403, code, message) for kind, (_, code, message) in _REFUSALS["json"].items()}
_TOO_LARGE = (413, "RequestEntityTooLarge", "The body is too large.")
_LIKE = {"wrong token": "unknown key", "expired": "skewed", "other body": "mismatch", "not signed": "mismatch"}
"""What a family says of a kind for which it has no words of its own."""


class _RefusedError(Exception):
    """A request that does not get in; the text is a kind of `_REFUSALS`."""


@dataclass(frozen=True)
class _Signature:
    """What a request says of its signature."""

    key_id: str
    date: str
    region: str
    service: str
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
        age, skew = datetime.now(UTC) - made, _SKEW.get(self.service, _USUAL_SKEW)
        if not self.timestamp.startswith(self.date) or not 0 < (self.expires_s or 1) <= _MOST_EXPIRES_S:
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
        kind = _S3Signer if self.service == "s3" else _Signer
        request = AWSRequest(method, url, {"X-Amz-Content-SHA256": digest})
        request.context.update(timestamp=self.timestamp, signed=signed)
        signer = kind(Credentials(self.key_id, secret), self.service, self.region)
        wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        if not hmac.compare_digest(wanted.encode(), self.value.encode()):
            raise _RefusedError("mismatch")


class _Signer(SigV4Auth):  # type: ignore[misc] # botocore has no types
    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        """The headers that the client has signed, whichever botocore itself would."""
        signed: HTTPMessage = request.context["signed"]
        return signed


class _S3Signer(_Signer, S3SigV4Auth):  # type: ignore[misc] # the same
    pass


class _OldSigner(HmacV1Auth):  # type: ignore[misc] # the same
    def __init__(self, credentials: Credentials, expires: str) -> None:
        super().__init__(credentials)
        self._expires = expires

    def _get_date(self) -> str:
        return self._expires


def _check_old(scope: Scope, headers: Headers, query: Mapping[str, str], secret: str) -> None:
    """Raises unless the secret makes the signature of version 2 in a query: "RESTAuthentication" in S3's guide."""
    expires, signed = query.get("Expires", ""), HTTPMessage()
    said = {**headers, **query}  # a header that was signed may stand in either
    for name in [one for one in said if one.startswith("x-amz-") or one in ("content-md5", "content-type")]:
        signed[name] = said[name]
    bucket = _bucket(scope["path"].split("/")[1])
    if bucket and bucket.region_name not in _FIRST_REGIONS:
        raise _RefusedError("too old")
    url = urlsplit(f"http://x{scope['raw_path'].decode('latin-1')}?{scope['query_string'].decode('latin-1')}")
    wanted = _OldSigner(Credentials("", secret), expires).get_signature(scope["method"], url, signed)
    if not expires.isdecimal() or not hmac.compare_digest(wanted.encode(), query.get("Signature", "").encode()):
        raise _RefusedError("mismatch")
    if int(expires) <= datetime.now(UTC).timestamp():
        raise _RefusedError("expired")


def _signature(headers: Headers, query: Mapping[str, str]) -> _Signature | None:
    """The signature of a request; None if it has none."""
    header, presigned = headers.get("authorization"), any(f"X-Amz-{name}" in query for name in _IN_QUERY)
    if header is None and not presigned:
        return None
    if header is None:
        said = {name: query[f"X-Amz-{name}"] for name in _IN_QUERY if f"X-Amz-{name}" in query}
        if not said.get("Expires", "300").isdecimal():
            raise _RefusedError("malformed")
        expires: int | None = int(said.get("Expires", "300"))
    else:
        algorithm, _, rest = header.partition(" ")
        pairs = [one.strip().partition("=") for one in rest.split(",")]
        said, expires = {name: value for name, _, value in pairs} | {"Algorithm": algorithm}, None
        said |= {"Date": headers.get("x-amz-date", ""), "Security-Token": headers.get("x-amz-security-token", "")}
        if presigned or len(pairs) != len({name for name, _, _ in pairs}):
            raise _RefusedError("malformed")
    scope, names = _CREDENTIAL.fullmatch(said.get("Credential", "")), said.get("SignedHeaders", "").split(";")
    if said.get("Algorithm") != _ALGORITHM or scope is None or "host" not in names or "Signature" not in said:
        raise _RefusedError("malformed")
    key_id, date, region, service = scope.groups()
    token = said.get("Security-Token") or None
    return _Signature(key_id, date, region, service, names, said["Signature"], said.get("Date", ""), token, expires)


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
                scope, receive = await self._let_in(scope, receive, headers)
            except _RefusedError as error:
                await _refuse(scope, headers, str(error))(scope, receive, send)
            else:
                await self.app(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, headers: Headers) -> tuple[Scope, Receive]:
        """The request as the application gets it: with the signature in its header, and the body that was signed."""
        raw_query = scope["query_string"].decode("latin-1")
        query = dict(parse_qsl(raw_query, keep_blank_values=True))
        if "AWSAccessKeyId" in query:
            _check_old(scope, headers, query, self._secret(query["AWSAccessKeyId"], query.get("x-amz-security-token")))
            return scope, receive
        found, digest = _signature(headers, query), headers.get("x-amz-content-sha256")
        if found is None:
            return scope, await _unsigned(scope, receive, headers, query)
        found.check_time()
        if found.expires_s is not None and found.service == "s3":
            digest = digest or "UNSIGNED-PAYLOAD"
        body = None if digest else await _body(receive, _MOST_BYTES)
        kept = [one for one in raw_query.split("&") if one.partition("=")[0] != "X-Amz-Signature"]
        path = scope["raw_path"].decode("latin-1")
        secret = self._secret(found.key_id, found.token)
        found.check(
            scope["method"],
            f"http://{headers['host']}{path}?{'&'.join(kept)}",
            headers,
            digest or hashlib.sha256(body or b"").hexdigest(),
            secret,
        )
        if found.service == "s3" and any(name.startswith("x-amz-") and name not in found.names for name in headers):
            raise _RefusedError("not signed")
        if scope["path"].startswith(_OWNERS_PATHS) and accounts.account_of(found.key_id) is None:
            raise _RefusedError("unknown key")
        if body is None:
            body = await _body(receive)
            if digest and _DIGEST.fullmatch(digest) and hashlib.sha256(body).hexdigest() != digest:
                raise _RefusedError("other body")
        return _as_signed(scope, found, kept), _replayed(body, receive)

    def _secret(self, key_id: str, token: str | None) -> str:
        """The secret of the key that has signed."""
        if accounts.account_of(key_id):
            if token:
                raise _RefusedError("wrong token")
            return self.secret
        session, key = roles.session(key_id), roles.access_key(key_id)
        if key is None or key.status != "Active":
            raise _RefusedError("unknown key")
        if not hmac.compare_digest((session.session_token if session else "").encode(), (token or "").encode()):
            raise _RefusedError("wrong token")
        if session and session.expiration.replace(tzinfo=UTC) < datetime.now(UTC):
            raise _RefusedError("expired token")
        return str(key.secret_access_key)


def _as_signed(scope: Scope, found: _Signature, query: list[str]) -> Scope:
    """The request with its signature in the header alone, where services look for the caller, its region and theirs."""
    if found.expires_s is None:
        return scope
    copied = dict(scope, headers=list(scope["headers"]))
    credential = f"{found.key_id}/{found.date}/{found.region}/{found.service}/aws4_request"
    signed = f"{_ALGORITHM} Credential={credential}, SignedHeaders={';'.join(found.names)}, Signature={found.value}"
    MutableHeaders(scope=copied)["authorization"] = signed
    kept = [one for one in query if one.partition("=")[0].removeprefix("X-Amz-") not in _IN_QUERY]
    return dict(copied, query_string="&".join(kept).encode("latin-1"))


async def _unsigned(scope: Scope, receive: Receive, headers: Headers, query: Mapping[str, str]) -> Receive:
    """The body of a request that needs no signature: a token for a role, or a read that a bucket's policy allows."""
    form_type = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form_type and scope["method"] == "POST" and scope["path"] == "/" and not query and "x-amz-target" not in headers:
        body = await _body(receive, _MOST_BYTES)
        form = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        if [value for name, value in form if name.lower() == "action"] == [_WEB_IDENTITY]:
            return _replayed(body, receive)
    elif scope["method"] in ("GET", "HEAD") and _everyone_may(scope["path"], query):
        return receive
    raise _RefusedError("missing")


def _bucket(name: str) -> FakeBucket | None:
    if name not in s3_backends.bucket_accounts:
        return None
    partition, account = s3_backends.bucket_accounts[name]
    return s3_backends[account][partition].buckets.get(name)


def _everyone_may(path: str, query: Mapping[str, str]) -> bool:
    """Whether a bucket's policy lets everybody read an object, or list the bucket."""
    name, _, key = path.removeprefix("/").partition("/")
    bucket = _bucket(name)
    if bucket is None:
        return False
    blocked = bucket.public_access_block and bucket.public_access_block.restrict_public_buckets in (True, "true")
    version = {"versionId"} if key and "versionId" in query else set()
    if bucket.policy is None or blocked or not set(query) <= (_OF_OBJECT if key else _OF_LIST) | version:
        return False
    action = f"s3:GetObject{'Version' if version else ''}" if key else "s3:ListBucket"
    arn = f"arn:{bucket.partition}:s3:::{name}{f'/{key}' if key else ''}"
    return policies.allows_everyone(bucket.policy.decode(), action, arn)


async def _body(receive: Receive, most: int | None = None) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if most is not None and size > most:
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
    environ = {"CONTENT_TYPE": headers.get("content-type", ""), "PATH_INFO": scope["path"]}
    signed = unquote(f"{scope['query_string'].decode('latin-1')} {headers.get('authorization', '')}")
    environ["HTTP_AUTHORIZATION"] = signed
    words = {"too large": _TOO_LARGE, **_REFUSALS.get(family(environ), _REST)}
    status, code, message = words.get(kind) or words.get(_LIKE.get(kind, ""), _NOT_VALIDATED)
    line, found, content = error_response(environ, status, code, message)
    return Response(content if scope["method"] != "HEAD" else b"", int(line.split()[0]), dict(found))
