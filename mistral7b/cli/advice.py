"""What to do about an endpoint that does not answer: one line for each cause."""

import os

from mistral7b.endpoint import (
    AccessDeniedError,
    BrokenAnswerError,
    ConfigurationError,
    ContainerError,
    EndpointError,
    EndpointNotFoundError,
    EndpointNotReadyError,
    ExpiredCredentialsError,
    InvalidCredentialsError,
    MissingCredentialsError,
    OverloadedError,
    ThrottledError,
    TimedOutError,
    UnreachableError,
    endpoint_status,
)
from mistral7b.environment import Environment

_ADVICE: dict[type[EndpointError], str] = {
    OverloadedError: "{endpoint} is overloaded: MAX_CONCURRENT_REQUESTS ({concurrency}) requests are in flight. "
    "Try again later, raise it in the environment file, or let auto_scaling add instances",
    ContainerError: "{endpoint} refused the request ({status}): {error}",
    TimedOutError: "{endpoint} did not answer in time: {error}. Ask for less (--parameter max_new_tokens=…), "
    "or use --stream, which may take 8 minutes instead of 60 s",
    EndpointNotReadyError: "{endpoint} cannot answer now: {error}. Try again later",
    BrokenAnswerError: "the answer of {endpoint} is incomplete: {error}. Ask again; its log group says more",
    ThrottledError: "SageMaker throttles the requests to {endpoint}: {error}. Try again later",
    MissingCredentialsError: "no AWS credentials: {error}. Run `aws configure` or `aws sso login`, or set AWS_PROFILE; "
    "for the embedded AWS set what `mistral7b local up` prints",
    ExpiredCredentialsError: "the AWS credentials have expired, or nobody has signed in: {error}. "
    "Renew them, such as by `aws sso login`",
    InvalidCredentialsError: "AWS does not accept the credentials: {error}. "
    "`aws sts get-caller-identity` shows whose they are",
    AccessDeniedError: "access denied: {error}. The caller needs sagemaker:InvokeEndpoint on {endpoint}",
    ConfigurationError: "boto3 cannot use its configuration: {error}. "
    "Check AWS_PROFILE, AWS_ENDPOINT_URL and ~/.aws/config",
    EndpointError: "{endpoint} did not answer: {error}",
}


def explain(error: EndpointError, env: Environment) -> str:
    """The error and its remedy, in one line."""
    if isinstance(error, EndpointNotFoundError):
        text = _not_serving(error, env)
    elif isinstance(error, UnreachableError):
        text = f"{_sentence(error)}. {_reach(env)}"
    else:
        advice = next(_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE)
        text = advice.format(
            endpoint=f"the endpoint {env.resolved_endpoint_name}",
            error=_sentence(error),
            status=error.status,
            concurrency=env.launcher_settings().max_concurrent_requests,
        )
    return " ".join(text.split())


def _not_serving(error: EndpointNotFoundError, env: Environment) -> str:
    found = endpoint_status(env.resolved_endpoint_name, env.region)
    if found is None:
        return f"not deployed in {env.region}: {_sentence(error)}. `cdk deploy '{env.name}/*'` deploys it"
    name = f"the endpoint {env.resolved_endpoint_name}"
    if found.status == "Failed":
        return f"{name} failed: {(found.failure_reason or str(error)).rstrip('.')}. Its log group says more"
    return f"{name} is not in service: its status is {found.status}. Wait until it is InService, then ask again"


def _reach(env: Environment) -> str:
    if any(variable.startswith("AWS_ENDPOINT_URL") for variable in os.environ):
        return "AWS_ENDPOINT_URL is set: is the embedded AWS up? `mistral7b local up` starts it"
    return f"Check the network, and whether {env.region} is the right region"


def _sentence(error: EndpointError) -> str:
    return str(error).rstrip(".")
