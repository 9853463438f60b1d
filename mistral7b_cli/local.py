"""`mistral7b local`: the embedded AWS in the background."""

import asyncio
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from mistral7b.errors import FAILED, UserError
from mistral7b.yamlfile import with_guess
from mistral7b_cli.options import AsJson
from mistral7b_cli.output import progress, say, write, write_json
from sagehost import lifecycle
from sagehost.accounts import DEFAULT_ACCOUNT, DEFAULT_REGION, access_key_id, without_credentials
from sagehost.clock import parse_speed

STATE = Path(".mistral7b") / "local"
DEFAULT_PORT = 5600
MODEL_URL = "MISTRAL7B_MODEL_URL"
_SPEED = "Seconds of its clock in one of yours, 0.1 to 100; instant: no waits, metrics, alarms, scaling. Default: 1."
_MODEL = "Have this server of a real model answer (llama.cpp, vLLM, Ollama or TGI); times are its own."

StateFolder = Annotated[
    Path,
    typer.Option(
        "--state",
        metavar="FOLDER",
        envvar="MISTRAL7B_LOCAL_STATE",
        resolve_path=True,
        help="Folder of the embedded AWS's log and pid.",
    ),
]

commands = typer.Typer(
    name="local",
    no_args_is_help=True,
    help="The embedded AWS: run it, see whether it runs, stop it. The AWS CLI, the CDK CLI and boto3 talk to it.",
)


@commands.command("up")
def up(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on localhost; 0 takes a free one.")] = DEFAULT_PORT,
    account: Annotated[str, typer.Option(metavar="ID", help="AWS account to act as: any 12 digits.")] = DEFAULT_ACCOUNT,
    region: Annotated[str, typer.Option(metavar="REGION", help="AWS region of the settings.")] = DEFAULT_REGION,
    speed: Annotated[str | None, typer.Option(metavar="N|instant", help=_SPEED)] = None,
    model_url: Annotated[str | None, typer.Option(metavar="URL", envvar=MODEL_URL, help=_MODEL)] = None,
    state: StateFolder = STATE,
    as_json: AsJson = False,
) -> None:
    """Start the embedded AWS in the background, wait until it is ready and print the settings that lead to it.

    The settings are shell commands: `eval "$(mistral7b local up)"` sets them in this shell. If it runs already, only
    the settings change, and other options than it was started with are refused. What is deployed is kept in memory: it
    is gone after `mistral7b local down`.
    """
    _check_region(region)
    try:
        access_key_id(account)
    except ValueError as error:
        raise UserError(f"--account {account}: {error}\nfix: give 12 digits, such as {DEFAULT_ACCOUNT}") from error
    with _failures():
        running = lifecycle.status(state)
    _check_pace(speed, model_url, starts=running is None)
    if running:
        model, speeds = running.variables.get(MODEL_URL), {parse_speed(one) for one in (running.speed, speed) if one}
        if len(speeds) > 1 or port not in (DEFAULT_PORT, 0, running.port) or model_url not in (None, model):
            told = f"the embedded AWS runs already, at {_place(running)}"
            raise UserError(f"{told}\nfix: stop it first (mistral7b local down), or leave the options out", FAILED)
    try:
        with _failures(), progress.status("starting the embedded AWS"):
            server = lifecycle.up(state, port, speed or "1", **({MODEL_URL: model_url} if model_url else {}))
        settings: dict[str, str | None] = {**server.settings(account, region)}
        if as_json:
            write_json(_told(server) | {"environment": settings})
            return
        if "AWS_SESSION_TOKEN" in os.environ:  # of credentials that these replace
            settings["AWS_SESSION_TOKEN"] = None
        word = "runs already" if running else "is ready"
        told = f"The embedded AWS {word} at {_place(server)} (process {server.pid}, log {server.log})."
        _print(settings, told, "To use it in this shell")
    except KeyboardInterrupt:
        if running is None:
            lifecycle.down(state)
        raise


@commands.command("status")
def status(state: StateFolder = STATE, as_json: AsJson = False) -> None:
    """Show whether the embedded AWS runs, and where. Exit status 1: it does not."""
    with _failures():
        server = lifecycle.status(state)
    if as_json:
        write_json({"running": server is not None} | (_told(server) if server else {}))
    elif server is not None:
        say(f"The embedded AWS runs at {_place(server)}, since {server.started_at} (process {server.pid}).")
        say(f"Its log: {server.log}")
    else:
        say(f"The embedded AWS does not run here ({state}). Start it with: mistral7b local up")
    if server is None:
        raise typer.Exit(1)


@commands.command("down")
def down(state: StateFolder = STATE, as_json: AsJson = False) -> None:
    """Stop the embedded AWS; everything deployed on it is gone. Succeeds if it is already stopped.

    It prints shell commands that unset what `mistral7b local up` sets: `eval "$(mistral7b local down)"` runs them. They
    keep credentials that are not of the embedded AWS.
    """
    with _failures():
        stopped = lifecycle.down(state)
    settings = without_credentials()
    if as_json:
        write_json({"stopped": stopped, "environment": settings})
        return
    told = "The embedded AWS is stopped." if stopped else f"The embedded AWS did not run here ({state})."
    _print(settings, told, "To unset its settings in this shell")


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except lifecycle.LifecycleError as error:
        fix = "\nfix: name another port (--port 0 takes a free one)" if "cannot listen" in str(error) else ""
        raise UserError(f"{error}{fix}", FAILED) from error


def _told(server: lifecycle.State) -> dict[str, Any]:
    """What scripts get to know of a server; its secret is among the settings alone."""
    return {name: value for name, value in asdict(server).items() if name != "secret"}


def _place(server: lifecycle.State) -> str:
    model = server.variables.get(MODEL_URL)
    return f"{server.url}, {f'with the model at {model}' if model else f'speed {server.speed}'}"


def _print(settings: Mapping[str, str | None], told: str, purpose: str) -> None:
    """Prints settings for a shell, and at a terminal how the shell runs them: it reads them from a pipe."""
    for name, value in settings.items():
        write(f"unset {name}\n" if value is None else f"export {name}={shlex.quote(value)}\n")
    say(told, on=progress)
    if settings and sys.stdout.isatty():
        say(f'{purpose}: eval "$({shlex.join(["mistral7b", *sys.argv[1:]])})"', on=progress)


def _check_pace(speed: str | None, model_url: str | None, *, starts: bool) -> None:
    if speed and model_url:
        raise UserError(f"--speed {speed}: with --model-url, times are the model's own\nfix: leave --speed out")
    try:
        parse_speed(speed or "1")
    except ValueError as error:
        raise UserError(f"--speed {speed}: it is not a speed\nfix: {str(error).partition(': ')[2]}") from None
    if model_url and starts:
        from mistral7b.container.backends import URL, Backend, BackendError  # noqa: PLC0415 - takes a moment to load

        try:
            asyncio.run(Backend.connect(model_url))
        except BackendError as error:
            raise UserError(
                f"--model-url: {error.reason}\nfix: start the model's server, or give its URL, such as http://localhost:8080",
                FAILED if URL.fullmatch(model_url) else None,
            ) from None


def _check_region(region: str) -> None:
    from botocore.session import Session  # noqa: PLC0415 - takes a moment to load

    if region == DEFAULT_REGION:
        return
    partitions = Session().get_data("endpoints")["partitions"]
    found = {name: partition for partition in partitions for name in partition["regions"]}
    if region not in found:
        fix = with_guess(region, found, "give an AWS region, such as us-east-1 (for a new one: a newer botocore)")
        raise UserError(f"--region {region}: AWS has no such region\nfix: {fix}")
    if found[region]["partition"] not in ("aws", "aws-cn"):
        reason = f"{found[region]['partitionName']} is not emulated, as JumpStart publishes no Mistral 7B there"
        raise UserError(f"--region {region}: {reason}\nfix: give a region that `mistral7b models` lists")
