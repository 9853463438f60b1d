"""`mistral7b demo`: the main job from beginning to end."""

import signal
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from mistral7b.process import CommandFailedError
from mistral7b_cli.demo.report import Report
from mistral7b_cli.demo.scenario import EXAMPLE, EXAMPLE_NAME, DemoFailedError, play
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder
from mistral7b_cli.output import out, progress, write_json

_EPILOG = """
**Examples**

`mistral7b demo`

`mistral7b demo --environment prod`: environments/prod.yaml as it stands, in the account that it names

Exit status: 0 all steps succeeded, 1 one failed, 2 wrong arguments or files, 130 interrupted.
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo", epilog=_EPILOG)(demo)


def demo(
    name: Annotated[
        str | None,
        typer.Option(
            "--environment",
            metavar="ENVIRONMENT",
            help="Deploy this environment of yours. Default: an example of the demo's own.",
            show_default=False,
        ),
    ] = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Deploy, ask, update and remove Mistral 7B, on an embedded AWS that is started for the purpose.

    It leaves nothing behind: no process, no file, nothing in any AWS account. Every step is a command that works the
    same on AWS. Run it in the project's folder.

    With --environment, roles, VPC and key that the file names are made in the embedded AWS first.

    --json prints the steps, each with title, command, result and seconds.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - takes a moment to load

    from sagehost.lifecycle import LifecycleError  # noqa: PLC0415 - only the commands that need it import sagehost

    project = Path.cwd()
    if not (project / "cdk.json").is_file():
        raise CommandError(f"{project} holds no cdk.json\nfix: run the command in the project's folder", 2)
    interrupt_on_signals()
    report = Report(progress if as_json else out)
    source = (EXAMPLE, EXAMPLE_NAME) if name is None else (folder, name)
    try:
        play(project, report, *source)
    except (CommandFailedError, DemoFailedError, LifecycleError, BotoCoreError, ClientError) as error:
        raise CommandError(f"the demo failed: {error}") from error
    except KeyboardInterrupt:
        report.console.print("\nInterrupted; everything that the demo started is stopped.")
        raise typer.Exit(130) from None
    if as_json:
        write_json([asdict(step) for step in report.steps])
        return
    out.print()
    out.print(report.summary())


def interrupt_on_signals() -> None:
    """Has SIGTERM and the loss of the terminal end a command as Ctrl-C does: with everything cleaned up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
