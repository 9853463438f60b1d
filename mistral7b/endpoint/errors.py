"""Why a request to the endpoint was not answered: one class for each cause that a caller may treat differently."""


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
    """The prompt, or prompt and answer together, are over MAX_INPUT_LENGTH or MAX_TOTAL_TOKENS, or never scheduled."""


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
    """The service could not be asked as anybody."""


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
    """The connection or the stream broke off, or the answer is none of TGI. The request may be running."""
