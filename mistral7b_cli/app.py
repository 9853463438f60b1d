"""The command's parts, and what a user sees when something goes wrong."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.environment import EnvironmentFileError
from mistral7b_cli import (
    capacity,
    chat,
    doctor,
    examples,
    export,
    failure,
    init,
    invoke,
    local,
    models,
    permissions,
    pipeline,
    plan,
    protect,
    schema,
    settings,
    simulate,
    smoke,
)
from mistral7b_cli.demo import command as demo_command

app = typer.Typer(
    name="mistral7b",
    help="Mistral 7B on a private SageMaker endpoint: what is deployed, asking it, and the embedded AWS.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415 - a fiftieth of a second, which no other command needs

    try:
        return metadata.version("mistral7b-sagemaker")
    except metadata.PackageNotFoundError:  # run from a copy of the repository
        file = Path(__file__).parents[1] / "pyproject.toml"
        found = re.search('^version = "(.+)"', file.read_text(encoding="utf-8") if file.is_file() else "", re.MULTILINE)
        return found[1] if found else "(unknown version)"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mistral7b {_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


models.register(app)
settings.register(app)
schema.register(app)
invoke.register(app)
chat.register(app)
examples.register(app)
smoke.register(app)
doctor.register(app)
protect.register(app)
export.register(app)
permissions.register(app)
demo_command.register(app)
init.register(app)
app.add_typer(capacity.commands)
simulate.register(app)
plan.register(app)
pipeline.register(app)
app.add_typer(local.commands)


def run() -> None:
    """Runs the command; a user's mistake ends with one message on standard error and status 2, never a traceback."""
    try:
        app()
    except EnvironmentFileError as error:
        failure.show(str(error))
        sys.exit(2)
    except failure.CommandError as error:
        failure.show(str(error))
        sys.exit(error.status)
