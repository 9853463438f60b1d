"""`mistral7b local`: the embedded AWS in the background."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.yamlfile import nearest
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import AsJson
from mistral7b_cli.output import out, progress, write_json

# sagehost is imported where it is used: the commands that ask an endpoint do without it.
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
    from sagehost import lifecycle  # noqa: PLC0415

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
    _write_shell(settings)
    word = "runs already" if running else "is ready"
    progress.print(f"The embedded AWS {word} at {server.url} (process {server.pid}, log {server.log}).", soft_wrap=True)
    if running and port not in (DEFAULT_PORT, 0, running.port):
        progress.print(f"It keeps its port: stop it first (mistral7b local down) to have it on {port}.", soft_wrap=True)
    _hint("To use it in this shell")


@commands.command("status")
def status(state: StateFolder = STATE, as_json: AsJson = False) -> None:
    """Tell whether the embedded AWS runs, and where. Exit status 1: it does not."""
    from sagehost import lifecycle  # noqa: PLC0415

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
def down(state: StateFolder = STATE, as_json: AsJson = False) -> None:
    """Stop the embedded AWS; everything deployed on it is gone. Succeeds if it is already stopped.

    It prints shell commands that unset what `mistral7b local up` sets: `eval "$(mistral7b local down)"` runs them. They
    keep credentials that are not of the embedded AWS.
    """
    from sagehost import lifecycle  # noqa: PLC0415
    from sagehost.accounts import without_credentials  # noqa: PLC0415

    try:
        stopped = lifecycle.down(state)
    except lifecycle.LifecycleError as error:
        raise CommandError(str(error)) from error
    settings = without_credentials()
    if as_json:
        write_json({"stopped": stopped, "environment": settings})
        return
    _write_shell(settings)
    progress.print("The embedded AWS is stopped." if stopped else f"The embedded AWS did not run here ({state}).")
    if settings:
        _hint("To unset its settings in this shell")


def _write_shell(settings: Mapping[str, str | None]) -> None:
    unset = [name for name, value in settings.items() if value is None]
    exports = [f"export {name}={shlex.quote(value)}" for name, value in settings.items() if value is not None]
    for line in [*exports, *([f"unset {' '.join(unset)}"] if unset else [])]:
        out.print(line, markup=False, soft_wrap=True)


def _hint(purpose: str) -> None:
    """Says at a terminal how its shell runs the printed lines; a shell that runs them reads them from a pipe."""
    if sys.stdout.isatty():
        command = shlex.join(["mistral7b", *sys.argv[1:]])
        progress.print(f'{purpose}: eval "$({command})"', markup=False, soft_wrap=True)


def _settings(account: str | None, region: str | None) -> dict[str, str]:
    from sagehost.accounts import DEFAULT_ACCOUNT, DEFAULT_REGION, credentials  # noqa: PLC0415

    if region is not None:
        _check_region(region)
    try:
        return credentials(account or DEFAULT_ACCOUNT, region or DEFAULT_REGION)
    except ValueError as error:
        fix = f"fix: give 12 digits, such as {DEFAULT_ACCOUNT}"
        raise CommandError(f"--account {account}: {error}\n{fix}", 2) from error


def _check_region(region: str) -> None:
    from botocore.session import Session  # noqa: PLC0415 - takes a moment to load

    session = Session()
    regions = [r for p in session.get_available_partitions() for r in session.get_available_regions("sts", p)]
    if region.startswith("us-gov-"):
        reason = "AWS GovCloud (US) is not emulated, as JumpStart publishes no Mistral 7B there"
        raise CommandError(f"--region {region}: {reason}\nfix: give a region that `mistral7b models` lists", 2)
    if region not in regions:
        guess = nearest(region, regions)
        fix = f"did you mean {guess}?" if guess else "give an AWS region, such as us-east-1"
        raise CommandError(f"--region {region}: AWS has no such region\nfix: {fix}", 2)
