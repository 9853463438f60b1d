"""Why a request was not answered: one class for each cause, and `translated`, which raises them for boto3's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3.exceptions
from botocore import exceptions as botocore_errors
from botocore.eventstream import ParserError
from botocore.parsers import ResponseParserError

from mistral7b.tgi import TgiError


class EndpointError(Exception):
    """A request without an answer, or without a whole one.

    `message` is the text of whoever refused it: the container, SageMaker, or botocore. `status` is the HTTP status of
    the container (of ContainerError) or of the service; None where nothing answered. `error_type` is TGI's
    `error_type`, or the AWS error code.
    """

    def __init__(self, message: str, *, status: int | None = None, error_type: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.error_type = error_type


class ContainerError(EndpointError):
    """The container answered with an error."""


class RequestRefusedError(ContainerError):
    """The container does not do what the request asks for. To send it again changes nothing."""


class PromptTooLongError(RequestRefusedError):
    """The prompt, or prompt and answer together, are over MAX_INPUT_LENGTH or MAX_TOTAL_TOKENS."""


class OverloadedError(ContainerError):
    """As many requests as MAX_CONCURRENT_REQUESTS allows are in flight. The request was not begun."""


class TimedOutError(EndpointError):
    """No answer in time: SageMaker waits 60 s for a container, 8 minutes for the end of a stream."""


class EndpointNotFoundError(EndpointError):
    """No endpoint of this name serves in this account and region; it may be being created, or have failed."""


class EndpointNotReadyError(EndpointError):
    """The endpoint is there but cannot answer now."""


class ThrottledError(EndpointError):
    """SageMaker has had too many requests, and refused this one before it reached the container."""


class CredentialsError(EndpointError):
    """The request has no valid credentials."""


class MissingCredentialsError(CredentialsError):
    """There are no credentials, or only a part of them."""


class ExpiredCredentialsError(CredentialsError):
    """The credentials have expired, or the session that they come from has, or nobody has signed in to it."""


class InvalidCredentialsError(CredentialsError):
    """The service does not know the credentials, or they are not the secret that belongs to the key."""


class AccessDeniedError(EndpointError):
    """The credentials may not call this endpoint: it takes `sagemaker:InvokeEndpoint`."""


class ConfigurationError(EndpointError):
    """boto3 is configured in a way that it cannot use: a profile that is not there, an URL without a scheme."""


class UnreachableError(EndpointError):
    """No connection to the service: the request was never sent."""


class BrokenAnswerError(EndpointError):
    """The connection or the stream broke off, or the answer is not TGI's. The request may be running."""


NOT_REACHED = (CredentialsError, ConfigurationError, UnreachableError, AccessDeniedError, EndpointNotFoundError)
"""Errors of a caller who does not get as far as a container."""
_CODES: dict[type[EndpointError], str] = {
    ThrottledError: "ThrottlingException Throttling TooManyRequestsException RequestLimitExceeded SlowDown",
    ExpiredCredentialsError: "ExpiredTokenException ExpiredToken RequestExpired",
    InvalidCredentialsError: "UnrecognizedClientException InvalidClientTokenId InvalidSignatureException "
    "SignatureDoesNotMatch MissingAuthenticationToken MissingAuthenticationTokenException IncompleteSignature "
    "IncompleteSignatureException",
    AccessDeniedError: "AccessDeniedException AccessDenied OptInRequired",
    EndpointNotReadyError: "ModelNotReadyException ServiceUnavailable ServiceUnavailableException",
}
_BY_CODE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
"""AWS error code -> its cause."""

_BY_TYPE: tuple[tuple[tuple[type[Exception], ...], type[EndpointError]], ...] = (
    ((botocore_errors.NoCredentialsError, botocore_errors.PartialCredentialsError), MissingCredentialsError),
    (
        (botocore_errors.SSOError, botocore_errors.LoginError, botocore_errors.TokenRetrievalError),
        ExpiredCredentialsError,
    ),
    ((botocore_errors.CredentialRetrievalError, botocore_errors.NoAuthTokenError), InvalidCredentialsError),
    ((botocore_errors.ReadTimeoutError,), TimedOutError),
    ((botocore_errors.EndpointConnectionError, botocore_errors.ConnectTimeoutError), UnreachableError),
    ((botocore_errors.ProxyConnectionError, botocore_errors.SSLError), UnreachableError),
    ((botocore_errors.HTTPClientError, botocore_errors.IncompleteReadError), BrokenAnswerError),
    ((botocore_errors.ProfileNotFound, botocore_errors.ConfigParseError), ConfigurationError),
)
"""Errors of botocore -> their cause; the first that fits."""

# SageMaker's own words, as ModelError with the original status 0.
_TIMED_OUT = "Your invocation timed out"
# Of the ModelStreamError in a stream botocore keeps only the message, and drops the ErrorCode that would tell.
_STREAM_TIMED_OUT = re.compile(r"time[d ]*out|TimeExceeded", re.IGNORECASE)
_NOT_FOUND = re.compile(r"Endpoint .+ not found")
_TOO_LONG = re.compile(r"`inputs` (must have less than|tokens \+ `max_new_tokens` must be)")


@contextmanager
def translated() -> Iterator[None]:
    """Raises EndpointError in place of every error that a call of boto3, or the container, may end with."""
    try:
        yield
    except TgiError as error:
        raise container_error(error) from error
    except botocore_errors.ClientError as error:
        raise _service_error(error) from error
    except botocore_errors.BotoCoreError as error:
        kinds = (kind for types, kind in _BY_TYPE if isinstance(error, types))
        raise next(kinds, EndpointError)(str(error)) from error
    except urllib3.exceptions.ReadTimeoutError as error:  # botocore reads event streams without an error of its own
        raise TimedOutError(f"the stream stood still: {error}") from error
    except (urllib3.exceptions.HTTPError, ParserError) as error:
        raise BrokenAnswerError(f"the stream broke off: {error}") from error
    except ResponseParserError as error:  # as where a proxy answers
        raise BrokenAnswerError(str(error)) from error


def container_error(error: TgiError) -> ContainerError:
    """The error that the container answered with."""
    kind = ContainerError
    if error.error_type == "overloaded":
        kind = OverloadedError
    elif _TOO_LONG.search(error.message):
        kind = PromptTooLongError
    elif error.status in (400, 413, 415, 422):
        kind = RequestRefusedError
    return kind(error.message, status=error.status, error_type=error.error_type)


def _service_error(error: botocore_errors.ClientError) -> EndpointError:
    response = error.response
    code = str(response["Error"].get("Code", ""))
    message = str(response["Error"].get("Message") or error)
    if code == "ModelError":
        original, status = str(response.get("OriginalMessage") or message), int(response.get("OriginalStatusCode") or 0)
        if status == 0 and _TIMED_OUT in message:
            return TimedOutError(original, status=status, error_type=code)
        return container_error(TgiError.from_body(status, original))
    kind = _BY_CODE.get(code, EndpointError)
    if kind is EndpointError and _NOT_FOUND.search(message):
        kind = EndpointNotFoundError
    elif kind is EndpointError and isinstance(error, botocore_errors.EventStreamError):
        kind = TimedOutError if _STREAM_TIMED_OUT.search(message) else BrokenAnswerError
    return kind(message, status=response.get("ResponseMetadata", {}).get("HTTPStatusCode"), error_type=code)
