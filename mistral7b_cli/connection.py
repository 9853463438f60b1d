"""The client of an environment's endpoint, and its errors as messages.

boto3 takes 0.3 s to import, which `mistral7b --help` need not wait for: it is imported here, and only when needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mistral7b.environment import Environment
from mistral7b_cli.failure import CommandError
from mistral7b_cli.target import announce

if TYPE_CHECKING:
    from mistral7b.endpoint import EndpointClient


@contextmanager
def connected(env: Environment, folder: Path, *, status: int = 1, **options: Any) -> Iterator["EndpointClient"]:
    """A client of the environment's endpoint, after its account was named on standard error and compared.

    EndpointError inside becomes CommandError of `status`. The options are those of EndpointClient.
    """
    from mistral7b.endpoint import EndpointClient  # noqa: PLC0415

    name, file = env.resolved_endpoint_name, folder / f"{env.name}.yaml"
    with explained(env, status):
        session = announce(name, env.region, env.account, file)
        with EndpointClient(name, env.region, session=session, **options) as client:
            yield client


@contextmanager
def explained(env: Environment, status: int = 1) -> Iterator[None]:
    """Raises CommandError, with what to do, in place of EndpointError."""
    from mistral7b.endpoint import EndpointError  # noqa: PLC0415
    from mistral7b_cli.advice import explain  # noqa: PLC0415

    try:
        yield
    except EndpointError as error:
        raise CommandError(explain(error, env), status) from error
