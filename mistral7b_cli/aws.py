"""Which AWS a command talks to, and what to do where it does not answer: one message for each cause."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.request import proxy_bypass

import boto3
from botocore.config import Config

from mistral7b.endpoint import caller, errors
from mistral7b.endpoint.client import EndpointClient
from mistral7b.environment import Environment
from mistral7b.errors import FAILED, NO_ACCESS, UserError
from mistral7b.operate.calls import Client
from mistral7b.operate.hours import asleep, endpoint_status
from mistral7b.promotion.names import PIPELINE_ID
from mistral7b_cli.output import progress, say

_LEAVE = 'to use AWS: eval "$(mistral7b local down)", or a new shell; to use the embedded AWS: unset AWS_PROFILE'
_SETTINGS = 'eval "$(mistral7b local up)"'
_ADVICE: dict[type[errors.EndpointError], str] = {
    errors.OverloadedError: "{endpoint} is overloaded: MAX_CONCURRENT_REQUESTS ({concurrency}) requests are in flight\n"
    "fix: try again later, raise it in the environment file, or let auto_scaling add instances",
    errors.ContainerError: "{endpoint} refused the request ({status}): {error}",
    errors.TimedOutError: "{endpoint} did not answer in time: {error}\n"
    "fix: ask for less (--parameter max_new_tokens=…), or use --stream, which may take 8 minutes instead of 60 s",
    errors.EndpointNotReadyError: "{endpoint} cannot answer now: {error}\nfix: try again later",
    errors.BrokenAnswerError: "the answer of {endpoint} is incomplete: {error}\nfix: ask again, or see its logs",
    errors.ThrottledError: "SageMaker throttles the requests to {endpoint}: {error}\nfix: try again later",
    errors.MissingCredentialsError: "no AWS credentials: {error}\n"
    f"fix: run aws configure or aws sso login, or set AWS_PROFILE; for the embedded AWS: {_SETTINGS}",
    errors.ExpiredCredentialsError: "the AWS credentials have expired, or nobody has signed in: {error}\n"
    "fix: renew them, such as by aws sso login",
    errors.InvalidCredentialsError: "AWS does not accept the credentials: {error}\n"
    f"fix: aws sts get-caller-identity shows whose they are; for the embedded AWS: {_SETTINGS}",
    errors.AccessDeniedError: "access denied: {error}\nfix: allow the caller sagemaker:InvokeEndpoint, and for streams "
    "sagemaker:InvokeEndpointWithResponseStream, on {endpoint}",
    errors.EndpointError: "{endpoint} did not answer: {error}",
}
_PATIENT = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 8})


def announce(
    what: str,
    region: str | None,
    account: str | None = None,
    file: Path | None = None,
    *,
    must_know: bool = False,
    speed: float | None = None,
) -> boto3.Session:
    """Names what is asked and whose credentials ask, and returns a session with these.

    Where STS does not answer, as in a VPC without a way to it, the account is left out, unless the command `must_know`.
    Without a `region`, that of the session is named, and the account is only that of the credentials.

    Raises:
        UserError: the credentials are of another account than the `account` that the `file` names.
        EndpointError: there are no usable credentials, or the embedded AWS does not answer.
    """
    embedded = caller.is_embedded(caller.endpoint_url())
    session, found = caller.open_session(), ""
    where = region or session.region_name or "us-east-1"
    try:
        found = caller.caller_account(session, where)
    except errors.EndpointError as error:
        unusable = isinstance(error, errors.CredentialsError | errors.ConfigurationError)
        if must_know or unusable or (embedded and isinstance(error, errors.UnreachableError)):
            raise
    if found and account and found != account:
        shell = f'eval "$(mistral7b local up --account {account})"'
        fix = shell if embedded else "set AWS_PROFILE to a profile of that account"
        raise UserError(f"these are credentials of account {found}; {file} says {account}\nfix: {fix}", NO_ACCESS)
    whose = f"{'account' if region else 'credentials of account'} {found}" if found else ""
    speed = speed or caller.clock()[1]
    here = "" if not embedded else "embedded AWS" if speed == 1 else f"embedded AWS at speed {speed:g}"
    say(", ".join(filter(None, (what, whose, where, here))), "dim", on=progress)
    return session


def at_speed(speed: float) -> str:
    """Whose seconds these are, unless they are this machine's."""
    return "" if speed == 1 else f" (the embedded AWS runs {speed:g} times as fast)"


def clients(session: boto3.Session, region: str) -> Client:
    """Makes clients, each once, that repeat what is throttled."""
    return cache(partial(session.client, region_name=region, config=_PATIENT))


@contextmanager
def connected(env: Environment, folder: Path, **options: Any) -> Iterator[EndpointClient]:
    """A client of the environment's endpoint, after its account was named on standard error and compared.

    EndpointError inside becomes UserError. The options are those of EndpointClient.
    """
    name, file = env.resolved_endpoint_name, folder / f"{env.name}.yaml"
    with explained(env.region, env):
        speed = caller.clock()[1]
        session = announce(name, env.region, env.account, file, speed=speed)
        with EndpointClient(name, env.region, session=session, speed=speed, **options) as client:
            yield client


@contextmanager
def explained(
    region: str, env: Environment | None = None, *, what: str = "AWS did not answer", fix: str = ""
) -> Iterator[None]:
    """Raises UserError, with what to do, in place of every error of boto3 and of the environment's endpoint.

    `what` and `fix` word the errors that are about neither the caller nor an endpoint.
    """
    try:
        with errors.translated():
            yield
    except errors.EndpointError as error:
        told = explain(error, env) if env else _about_the_caller(error, region)
        told = told or "\nfix: ".join(filter(None, (f"{what}: {_sentence(error)}", fix)))
        raise UserError(told, NO_ACCESS if isinstance(error, errors.NOT_REACHED) else FAILED) from error


def explain(error: errors.EndpointError, env: Environment) -> str:
    """The error of an environment's endpoint, and its fix."""
    if isinstance(error, errors.EndpointNotFoundError):
        return _not_serving(error, env)
    if known := _about_the_caller(error, env.region):
        return known
    return next(_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE).format(
        endpoint=f"the endpoint {env.resolved_endpoint_name}",
        error=_sentence(error),
        status=error.status,
        concurrency=env.launcher_settings().max_concurrent_requests,
    )


def not_deployed(name: str, region: str) -> str:
    """The message where an environment, or `pipeline`, has to be deployed first."""
    stacks = name if name == PIPELINE_ID else f"'{name}/*'"
    return f"{name} is not deployed in {region}\nfix: cdk deploy {stacks}"


def _not_serving(error: errors.EndpointNotFoundError, env: Environment) -> str:
    name = f"the endpoint {env.resolved_endpoint_name}"
    client, status, reason = clients(caller.open_session(), env.region), None, ""
    with suppress(errors.EndpointError), errors.translated():  # who asks an endpoint need not see it, or its stack
        status, reason = endpoint_status(client("sagemaker"), env.resolved_endpoint_name)
        if status is None and asleep(client, env):
            return f"{name} is stopped\nfix: mistral7b start {env.name}"
    if status is None:
        return not_deployed(env.name, env.region)
    if status == "Failed":
        return f"{name} failed: {(reason or str(error)).rstrip('.')}\nfix: its log group says more"
    return f"{name} is not in service: its status is {status}\nfix: wait until it is InService, then ask again"


def _about_the_caller(error: errors.EndpointError, region: str) -> str | None:
    """An error of credentials, configuration or network, and its fix; None for any other."""
    if isinstance(error, errors.CredentialsError):
        return _ADVICE[type(error)].format(error=_sentence(error))
    if isinstance(error, errors.ConfigurationError):
        return f"boto3 cannot use its configuration: {_sentence(error)}\nfix: {_configuration(error)}"
    url = caller.endpoint_url()
    proxy = _proxy(url) if url and caller.is_embedded(url) else None
    if proxy and (isinstance(error, errors.UnreachableError) or type(error) is errors.EndpointError):
        fix = f"add localhost to NO_PROXY, as {_SETTINGS} does"
        return f"no answer from AWS_ENDPOINT_URL {url}: {proxy} sends it to a proxy\nfix: {fix}"
    if not isinstance(error, errors.UnreachableError):
        return None
    if url:
        start = f"start the embedded AWS: {_SETTINGS}" if caller.is_embedded(url) else "see whether it is the right URL"
        return f"no answer from AWS_ENDPOINT_URL {url}\nfix: {start}"
    return f"{_sentence(error)}\nfix: check the network, and whether {region or 'it'} is the right region"


def _configuration(error: errors.ConfigurationError) -> str:
    file = os.environ.get("AWS_CONFIG_FILE")
    if file == os.devnull and "profile" in str(error):
        return f"AWS_CONFIG_FILE is {file}, as `mistral7b local up` sets it; {_LEAVE}"
    return f"check AWS_PROFILE, AWS_ENDPOINT_URL and {f'AWS_CONFIG_FILE ({file})' if file else '~/.aws/config'}"


def _proxy(url: str) -> str | None:
    """The environment variable that sends requests for `url` to a proxy."""
    scheme, _, host = url.partition("://")
    names = (f"{scheme}_proxy".lower(), f"{scheme}_proxy".upper())
    return None if proxy_bypass(host.rstrip("/")) else next((name for name in names if os.environ.get(name)), None)


def _sentence(error: errors.EndpointError) -> str:
    return " ".join(str(error).split()).rstrip(".")
