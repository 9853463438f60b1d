"""The command's parts, each imported when it is called, and what a user sees when something goes wrong."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.resources import files
from itertools import takewhile
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from mistral7b.errors import BROKEN_PIPE, FAILED, WRONG_INPUT, UserError
from mistral7b_cli.parameters import describe

_SUMMARIES = json.loads((files(__package__) / "commands.json").read_text(encoding="utf-8"))
_PANELS: Mapping[str, Mapping[str, str]] = _SUMMARIES["commands"]
_PIPELINE: Mapping[str, str] = _SUMMARIES["pipeline"]


class _LazyGroup(TyperGroup):
    """Commands that are imported when they are called. Until then each is its name and summary, as `--help` shows.

    A command is the function of its name in the module of its name; a group has its `commands` there. `help/MODULE.md`
    is what follows the options in a command's own help.
    """

    prefix = ""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, from the module of its name."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and name is not None and not isinstance(command, _LazyGroup):
            holder, module = typer.Typer(rich_markup_mode="markdown"), self.prefix + name.replace("-", "_")
            found = import_module(f"{__package__}.{'demo.command' if name == 'demo' else module}")
            if hasattr(found, "commands"):
                holder.add_typer(found.commands)
            else:
                holder.command(name)(getattr(found, name.replace("-", "_")))
            command, more = typer.main.get_group(holder).commands[name], files(__package__) / "help" / f"{module}.md"
            command.epilog = more.read_text(encoding="utf-8") if more.is_file() else command.epilog
        if command is not None:
            describe(command, ctx)
        return name, command, rest

    def get_help(self, ctx: Any) -> str:
        """The help of the group itself."""
        describe(self, ctx)
        return super().get_help(ctx)


class _PipelineGroup(_LazyGroup):
    prefix = "pipeline_"


def _summarize(app: typer.Typer, commands: Mapping[str, str], panel: str | None = None) -> None:
    for name, summary in commands.items():
        if name != "pipeline":
            app.command(name, help=summary, rich_help_panel=panel)(lambda: None)


app = typer.Typer(
    name="mistral7b",
    help="Mistral 7B on a private SageMaker endpoint. To see all of it on this laptop: `mistral7b demo`.",
    cls=_LazyGroup,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_pipeline = typer.Typer(name="pipeline", cls=_PipelineGroup, no_args_is_help=True)
_summarize(_pipeline, _PIPELINE)
for _panel, _commands in _PANELS.items():
    _summarize(app, _commands, _panel)
app.add_typer(_pipeline, help=_PANELS["Promote"]["pipeline"], rich_help_panel="Promote")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata  # noqa: PLC0415 - a fiftieth of a second, which no other command needs

        with suppress(metadata.PackageNotFoundError):  # run from a copy of the repository
            typer.echo(f"mistral7b {metadata.version('mistral7b-sagemaker')}")
            raise typer.Exit
        raise UserError("this copy is not installed, so it has no version\nfix: pip install -e .", FAILED)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Runs the command and ends with one of the exit codes of `mistral7b.errors`; a mistake is never a traceback."""
    if sys.stdout is None:
        sys.exit("mistral7b: standard output is closed\nfix: send it to a file, or to /dev/null")
    try:
        status = app(prog_name="mistral7b", standalone_mode=False) or 0
        sys.stdout.flush()
    except SystemExit as end:  # Typer's and rich's where nobody reads what they print, with a status of their own
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        status = BROKEN_PIPE
    except (UserError, OSError, TyperException) as error:
        status = _report(error)
    for number, stream in ((1, sys.__stdout__ or sys.stdout), (2, sys.__stderr__ or sys.stderr)):
        try:
            stream.flush()
        except OSError:  # what is left would be written, and fail, when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    sys.exit(status)


def _report(error: Exception) -> int:
    """Tells of the error, if that is possible; returns the exit code."""
    from mistral7b_cli import output, usage  # noqa: PLC0415 - help does without what takes time to load

    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    if type(error).__name__ == "NoArgsIsHelpError":  # the help is printed
        return WRONG_INPUT
    told = error if isinstance(error, UserError) else usage.in_our_words(error)
    with suppress(OSError):
        output.report(told, as_json="--json" in takewhile(lambda one: one != "--", sys.argv[1:]))
    return told.status
