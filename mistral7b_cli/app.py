"""The command's parts, each imported when it is called, and what a user sees when something goes wrong."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mistral7b.errors import UserError

_PANELS = {
    "Deploy and invoke": {
        "models": "List the models and versions that you can deploy.",
        "settings": "Print the environment variables that the container gets, or compare two environments.",
        "doctor": "Check, before a deployment, that the account has what the environment file requires.",
        "invoke": "Send one prompt to the endpoint of an environment.",
        "chat": "Talk with the Instruct model of an environment.",
        "examples": "Send every example prompt that was published for the environment's model.",
        "smoke": "Check whether the endpoint of an environment serves as its environment file says.",
        "protect": "Protect the deployed stacks of an environment from removal, or end that, as its file says.",
        "cleanup": "List what an environment has left in its account, and what that costs; delete it on request.",
        "export": "Write an environment as one CloudFormation template, for accounts without the CDK.",
        "permissions": "Print every policy statement of an environment or the pipeline, with its reason.",
    },
    "Size": {
        "plan": "Work out the cheapest settings and instances that serve an environment's workload.",
        "simulate": "Simulate traffic over instances that scale, and compare scaling policies.",
        "capacity": "How much one instance serves: compare the model with a benchmark, or fit it to yours.",
    },
    "Promote": {"pipeline": "The pipeline of environments/pipeline.yaml: check, review, rehearse it."},
    "Try locally": {
        "demo": "Deploy, invoke, update and remove Mistral 7B, on an embedded AWS of its own.",
        "local": "The embedded AWS: run it, see whether it runs, stop it.",
    },
    "Files": {
        "init": "Write a repository of your own that pins this release.",
        "schema": "Print the JSON schema of the environment files, or of the pipeline file, for editors.",
    },
}
_PIPELINE = {
    "check": "Check whether every account is ready for the pipeline, before anything is deployed.",
    "github-jobs": "Print what the GitHub Actions workflow reads from environments/pipeline.yaml, as JSON.",
    "rehearse": "Run the pipeline on this laptop: HEAD, through every stage, to every environment.",
    "review": "Show whether a deployment would broaden IAM permissions or open security groups.",
}


class _LazyGroup(TyperGroup):
    """Commands that are imported when they are called. Until then each is its name and summary, as `--help` shows."""

    prefix = "mistral7b_cli."

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, from the module of its name."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and name is not None and not isinstance(command, _LazyGroup):
            holder = typer.Typer(rich_markup_mode="markdown")
            module = "demo.command" if name == "demo" else name.replace("-", "_")
            holder.add_typer(import_module(self.prefix + module).commands)
            command = typer.main.get_group(holder).commands[name]
        return name, command, rest


class _PipelineGroup(_LazyGroup):
    prefix = "mistral7b_cli.pipeline_"


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
        raise UserError("this copy is not installed, so it has no version\nfix: pip install -e .", 1)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Runs the command; a user's mistake ends with one message on standard error and status 2, never a traceback."""
    try:
        app()
    except UserError as error:
        sys.stderr.write(f"mistral7b: {error}\n")
        sys.exit(error.status)
