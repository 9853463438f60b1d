"""Errors of botocore, urllib3 and TGI as those of this package."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3.exceptions
from botocore import exceptions as botocore_errors
from botocore.eventstream import ParserError

from mistral7b.endpoint import errors
from mistral7b.tgi import TgiError

_THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
_EXPIRED = {"ExpiredTokenException", "ExpiredToken", "RequestExpired"}
_INVALID = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
}
_DENIED = {"AccessDeniedException", "AccessDenied", "OptInRequired"}
_NOT_READY = {"ModelNotReadyException", "ServiceUnavailable", "ServiceUnavailableException"}

# SageMaker's own words, as ModelError with the original status 0.
_TIMED_OUT = "Your invocation timed out"
# Of the ModelStreamError in a stream botocore keeps the message alone, and drops the ErrorCode that would tell.
_STREAM_TIMED_OUT = re.compile(r"time[d ]*out|TimeExceeded", re.IGNORECASE)

_NOT_FOUND = re.compile(r"Endpoint .+ not found")
_TOO_LONG = re.compile(r"`inputs` (must have less than|tokens \+ `max_new_tokens` must be)")

_MISSING_CREDENTIALS = (botocore_errors.NoCredentialsError, botocore_errors.PartialCredentialsError)
_EXPIRED_CREDENTIALS = (
    botocore_errors.SSOError,
    botocore_errors.LoginError,
    botocore_errors.TokenRetrievalError,
)
_OTHER_CREDENTIALS = (botocore_errors.CredentialRetrievalError, botocore_errors.NoAuthTokenError)
_UNREACHABLE = (
    botocore_errors.EndpointConnectionError,
    botocore_errors.ConnectTimeoutError,
    botocore_errors.ProxyConnectionError,
    botocore_errors.SSLError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raises EndpointError in place of every error that a call of the endpoint may end with."""
    try:
        yield
    except TgiError as error:
        raise container_error(error) from error
    except botocore_errors.ClientError as error:
        raise _service_error(error) from error
    except botocore_errors.BotoCoreError as error:
        raise _botocore_error(error) from error
    except urllib3.exceptions.ReadTimeoutError as error:  # botocore reads event streams without an error of its own
        raise errors.TimedOutError(f"the stream stood still: {error}") from error
    except (urllib3.exceptions.HTTPError, ParserError) as error:
        raise errors.BrokenAnswerError(f"the stream broke off: {error}") from error


def container_error(error: TgiError) -> errors.ContainerError:
    """The error that the container answered with."""
    kind = errors.ContainerError
    if error.error_type == "overloaded":
        kind = errors.OverloadedError
    elif _TOO_LONG.search(error.message):
        kind = errors.PromptTooLongError
    elif error.status in (400, 413, 415, 422):
        kind = errors.RequestRefusedError
    return kind(error.message, status=error.status, error_type=error.error_type)


def _service_error(error: botocore_errors.ClientError) -> errors.EndpointError:
    response: dict[str, Any] = error.response
    code = str(response["Error"].get("Code", ""))
    message = str(response["Error"].get("Message") or error)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == "ModelError":
        return _model_error(response, message)
    kind = errors.EndpointError
    if code in _THROTTLED:
        kind = errors.ThrottledError
    elif code in _EXPIRED:
        kind = errors.ExpiredCredentialsError
    elif code in _INVALID:
        kind = errors.InvalidCredentialsError
    elif code in _DENIED:
        kind = errors.AccessDeniedError
    elif code in _NOT_READY:
        kind = errors.EndpointNotReadyError
    elif _NOT_FOUND.search(message):
        kind = errors.EndpointNotFoundError
    elif isinstance(error, botocore_errors.EventStreamError):
        kind = errors.TimedOutError if _STREAM_TIMED_OUT.search(message) else errors.BrokenAnswerError
    return kind(message, status=status, error_type=code)


def _model_error(response: dict[str, Any], message: str) -> errors.EndpointError:
    original = str(response.get("OriginalMessage") or message)
    status = int(response.get("OriginalStatusCode") or 0)
    if status == 0 and _TIMED_OUT in message:
        return errors.TimedOutError(original, status=status, error_type="ModelError")
    return container_error(TgiError.from_body(status, original))


def _botocore_error(error: botocore_errors.BotoCoreError) -> errors.EndpointError:
    kind = errors.EndpointError
    if isinstance(error, _MISSING_CREDENTIALS):
        kind = errors.MissingCredentialsError
    elif isinstance(error, _EXPIRED_CREDENTIALS):
        kind = errors.ExpiredCredentialsError
    elif isinstance(error, _OTHER_CREDENTIALS):
        kind = errors.InvalidCredentialsError
    elif isinstance(error, botocore_errors.ReadTimeoutError):
        kind = errors.TimedOutError
    elif isinstance(error, _UNREACHABLE):
        kind = errors.UnreachableError
    elif isinstance(error, botocore_errors.HTTPClientError | botocore_errors.IncompleteReadError):
        kind = errors.BrokenAnswerError
    elif isinstance(error, botocore_errors.ProfileNotFound | botocore_errors.ConfigParseError):
        kind = errors.ConfigurationError
    return kind(str(error))
