"""`mistral7b demo`: the main job from beginning to end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from mistral7b.errors import FAILED, INTERRUPTED, UserError
from mistral7b.process import CommandFailedError
from mistral7b_cli.demo.scenario import EXAMPLE, EXAMPLE_NAME, run_demo
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, project_here
from mistral7b_cli.output import out, progress, say, write_json
from mistral7b_cli.report import Report, StepFailedError
from sagehost.lifecycle import LifecycleError


def demo(
    name: Annotated[
        str | None,
        typer.Option(
            "--environment",
            metavar="ENVIRONMENT",
            help="Deploy this environment of yours. Default: an example of the demo's own.",
        ),
    ] = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Deploy, invoke, update and remove Mistral 7B, on an embedded AWS that is started for the purpose.

    It leaves nothing behind: no process, no file, nothing in any AWS account. Every step is a command that works the
    same on AWS. Run it in the project's folder.

    With --environment, roles, VPC and key that the file names are made in the embedded AWS first.

    --json prints the steps, each with title, command, result and seconds.
    """
    project = project_here()
    report = Report(progress if as_json else out)
    source = (EXAMPLE, EXAMPLE_NAME) if name is None else (folder, name)
    with interruptible("demo", report.console):
        run_demo(project, report, *source)
    if as_json:
        write_json(report.steps)
        return
    say("")
    say(report.summary())
    say("""Next (docs/embedded-load.md): load, alarms and scaling; a real model of llama-server, or Ollama (port 11434).
    eval "$(mistral7b local up --speed 20)"
    eval "$(mistral7b local up --model-url http://localhost:8080)\"""")


@contextmanager
def interruptible(what: str, console: Console) -> Iterator[None]:
    """Has SIGTERM and the loss of the terminal end what runs as Ctrl-C does, with everything cleaned up.

    Raises:
        UserError: it failed.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        yield
    except (CommandFailedError, StepFailedError, LifecycleError, BotoCoreError, ClientError) as error:
        raise UserError(f"the {what} failed: {error}", FAILED) from error
    except KeyboardInterrupt:
        console.print(f"\nInterrupted; everything that the {what} started is stopped.")
        raise typer.Exit(INTERRUPTED) from None


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
