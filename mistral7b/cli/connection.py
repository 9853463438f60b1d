"""The client of an environment's endpoint, and its errors as messages.

boto3 takes 0.3 s to import, which `mistral7b --help` need not wait for: it is imported here, and only when needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mistral7b.cli.failure import CommandError
from mistral7b.environment import Environment

if TYPE_CHECKING:
    from mistral7b.endpoint import EndpointClient


@contextmanager
def connected(env: Environment) -> Iterator["EndpointClient"]:
    """A client of the environment's endpoint; EndpointError inside becomes CommandError."""
    from mistral7b.endpoint import EndpointClient  # noqa: PLC0415

    with explained(env), EndpointClient(env.resolved_endpoint_name, env.region) as client:
        yield client


@contextmanager
def explained(env: Environment) -> Iterator[None]:
    """Raises CommandError, with what to do, in place of EndpointError."""
    from mistral7b.cli.advice import explain  # noqa: PLC0415
    from mistral7b.endpoint import EndpointError  # noqa: PLC0415

    try:
        yield
    except EndpointError as error:
        raise CommandError(explain(error, env)) from error
