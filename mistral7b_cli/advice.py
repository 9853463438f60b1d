"""What to do about an endpoint that does not answer: one line for each cause."""

import os
from urllib.request import proxy_bypass

from mistral7b.endpoint import (
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
    ThrottledError,
    TimedOutError,
    UnreachableError,
    endpoint_status,
    endpoint_url,
    is_embedded,
)
from mistral7b.environment import Environment

_BYPASS = 'Add localhost to NO_PROXY, as eval "$(mistral7b local up)" does'
_LEAVE = 'To use AWS: eval "$(mistral7b local down)", or a new shell. To use the embedded AWS: unset AWS_PROFILE'
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
    AccessDeniedError: "access denied: {error}. The caller needs sagemaker:InvokeEndpoint, and for streams "
    "sagemaker:InvokeEndpointWithResponseStream, on {endpoint}",
    EndpointError: "{endpoint} did not answer: {error}",
}


def explain(error: EndpointError, env: Environment) -> str:
    """The error and its remedy, in one line."""
    if isinstance(error, EndpointNotFoundError):
        text = _not_serving(error, env)
    elif known := _about_the_caller(error, env.region):
        text = known
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


def explain_caller(error: EndpointError, region: str) -> str:
    """Why nobody knows whose credentials these are, and the remedy, in one line."""
    text = _about_the_caller(error, region) or f"AWS does not say whose credentials these are: {error}"
    return " ".join(text.split())


def _about_the_caller(error: EndpointError, region: str) -> str | None:
    """Of what has nothing to do with the endpoint: credentials, configuration, the way to AWS."""
    if isinstance(error, ConfigurationError):
        return f"boto3 cannot use its configuration: {_sentence(error)}. {_configuration(error)}"
    url = endpoint_url()
    proxy = _proxy(url) if url and is_embedded(url) else None
    if proxy and (isinstance(error, UnreachableError) or type(error) is EndpointError):
        return f"no answer from AWS_ENDPOINT_URL {url}: {proxy} sends it to a proxy. {_BYPASS}"
    if isinstance(error, UnreachableError):
        start = ": is the embedded AWS up? `mistral7b local up` starts it" if is_embedded(url) else ""
        network = f"{_sentence(error)}. Check the network, and whether {region} is the right region"
        return f"no answer from AWS_ENDPOINT_URL {url}{start}" if url else network
    return _ADVICE[type(error)].format(error=_sentence(error)) if isinstance(error, CredentialsError) else None


def _configuration(error: ConfigurationError) -> str:
    file = os.environ.get("AWS_CONFIG_FILE")
    if file == os.devnull and "profile" in str(error):
        return f"AWS_CONFIG_FILE is {file}, as `mistral7b local up` sets it. {_LEAVE}"
    return f"Check AWS_PROFILE, AWS_ENDPOINT_URL and {f'AWS_CONFIG_FILE ({file})' if file else '~/.aws/config'}"


def _proxy(url: str) -> str | None:
    """The environment variable that sends requests for `url` to a proxy."""
    scheme, _, host = url.partition("://")
    names = (f"{scheme}_proxy".lower(), f"{scheme}_proxy".upper())
    return None if proxy_bypass(host.rstrip("/")) else next((name for name in names if os.environ.get(name)), None)


def _sentence(error: EndpointError) -> str:
    return str(error).rstrip(".")
