"""`mistral7b local`: the embedded AWS in the background."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.cli.failure import CommandError
from mistral7b.cli.options import AsJson
from mistral7b.cli.output import out, progress, write_json

# localaws is imported where it is used: the commands that ask an endpoint do without it.
STATE = Path(".mistral7b") / "local"
DEFAULT_PORT = 5600

StateFolder = Annotated[
    Path,
    typer.Option(
        "--state",
        metavar="FOLDER",
        envvar="MISTRAL7B_LOCAL_STATE",
        resolve_path=True,
        help="Where it keeps its log and its pid.",
    ),
]
Account = Annotated[
    str | None,
    typer.Option(
        metavar="ID", help="AWS account to act as: any 12 digits. Default: one of its own.", show_default=False
    ),
]
Region = Annotated[
    str | None,
    typer.Option(metavar="REGION", help="AWS region of the settings. Default: us-east-1.", show_default=False),
]

commands = typer.Typer(
    name="local",
    no_args_is_help=True,
    help="The embedded AWS: run it, see whether it runs, stop it. The AWS CLI, the CDK CLI and boto3 talk to it.",
)


@commands.command("up")
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on localhost; 0 takes a free one.")] = DEFAULT_PORT,
    account: Account = None,
    region: Region = None,
    state: StateFolder = STATE,
    as_json: AsJson = False,
) -> None:
    """Start the embedded AWS in the background, wait until it is ready and print the settings that lead to it.

    The settings are shell commands: `eval "$(mistral7b local up)"` sets them in this shell. If it runs already, nothing
    but the settings changes. What is deployed is kept in memory: it is gone after `mistral7b local down`.
    """
    from localaws import lifecycle  # noqa: PLC0415

    settings = _settings(account, region)
    running = lifecycle.status(state)
    try:
        with progress.status("starting the embedded AWS"):
            server = lifecycle.up(state, port)
    except lifecycle.LifecycleError as error:
        fix = "\nfix: name another port (--port 0 takes a free one)" if "cannot listen" in str(error) else ""
        raise CommandError(f"{error}{fix}") from error
    settings = {"AWS_ENDPOINT_URL": server.url, **settings}
    if as_json:
        write_json(asdict(server) | {"environment": settings})
        return
    for name, value in settings.items():
        out.print(f"export {name}={shlex.quote(value)}", markup=False, soft_wrap=True)
    word = "runs already" if running else "is ready"
    progress.print(f"The embedded AWS {word} at {server.url} (process {server.pid}, log {server.log}).", soft_wrap=True)
    if running and port not in (DEFAULT_PORT, 0, running.port):
        progress.print(f"It keeps its port: stop it first (mistral7b local down) to have it on {port}.", soft_wrap=True)


@commands.command("status")
def status(state: StateFolder = STATE, as_json: AsJson = False) -> None:
    """Tell whether the embedded AWS runs, and where. Exit status 1: it does not."""
    from localaws import lifecycle  # noqa: PLC0415

    server = lifecycle.status(state)
    if as_json:
        write_json({"running": server is not None} | (asdict(server) if server else {}))
    elif server is not None:
        out.print(
            f"The embedded AWS runs at {server.url} since {server.started_at} (process {server.pid}).", soft_wrap=True
        )
        out.print(f"Its log: {server.log}", soft_wrap=True)
    else:
        out.print(f"The embedded AWS does not run here ({state}). Start it with: mistral7b local up", soft_wrap=True)
    if server is None:
        raise typer.Exit(1)


@commands.command("down")
def down(state: StateFolder = STATE) -> None:
    """Stop the embedded AWS; everything deployed on it is gone. It is no mistake if it does not run."""
    from localaws import lifecycle  # noqa: PLC0415

    try:
        stopped = lifecycle.down(state)
    except lifecycle.LifecycleError as error:
        raise CommandError(str(error)) from error
    progress.print("The embedded AWS is stopped." if stopped else f"The embedded AWS did not run here ({state}).")


def _settings(account: str | None, region: str | None) -> dict[str, str]:
    from localaws.accounts import DEFAULT_ACCOUNT, DEFAULT_REGION, credentials  # noqa: PLC0415

    try:
        return credentials(account or DEFAULT_ACCOUNT, region or DEFAULT_REGION)
    except ValueError as error:
        fix = f"fix: give 12 digits, such as {DEFAULT_ACCOUNT}"
        raise CommandError(f"--account {account}: {error}\n{fix}", 2) from error
