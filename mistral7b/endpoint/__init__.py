"""Asking a deployed endpoint: `EndpointClient` over boto3, and the errors that it raises."""

from mistral7b.endpoint.caller import caller_account, endpoint_url, is_embedded, open_session
from mistral7b.endpoint.client import EndpointClient
from mistral7b.endpoint.errors import (
    AccessDeniedError,
    BrokenAnswerError,
    ConfigurationError,
    ContainerError,
    CredentialsError,
    EndpointError,
    EndpointNotFoundError,
    EndpointNotReadyError,
    ExpiredCredentialsError,
    InvalidCredentialsError,
    MissingCredentialsError,
    OverloadedError,
    PromptTooLongError,
    RequestRefusedError,
    ThrottledError,
    TimedOutError,
    UnreachableError,
)
from mistral7b.endpoint.retry import NO_RETRIES, RetryPolicy
from mistral7b.endpoint.status import EndpointStatus, endpoint_status

__all__ = [
    "NO_RETRIES",
    "AccessDeniedError",
    "BrokenAnswerError",
    "ConfigurationError",
    "ContainerError",
    "CredentialsError",
    "EndpointClient",
    "EndpointError",
    "EndpointNotFoundError",
    "EndpointNotReadyError",
    "EndpointStatus",
    "ExpiredCredentialsError",
    "InvalidCredentialsError",
    "MissingCredentialsError",
    "OverloadedError",
    "PromptTooLongError",
    "RequestRefusedError",
    "RetryPolicy",
    "ThrottledError",
    "TimedOutError",
    "UnreachableError",
    "caller_account",
    "endpoint_status",
    "endpoint_url",
    "is_embedded",
    "open_session",
]
