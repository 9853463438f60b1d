"""`mistral7b demo`: the main job from beginning to end."""

import signal
from pathlib import Path
from types import FrameType
from typing import NoReturn

import typer

from mistral7b.cli.failure import CommandError
from mistral7b.cli.output import out
from mistral7b.demo.report import Report
from mistral7b.demo.scenario import DemoFailedError, play
from mistral7b.process import CommandFailedError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo() -> None:
    """Deploy, ask, update and remove Mistral 7B, on an embedded AWS that is started for the purpose.

    It leaves nothing behind: no process, no file, nothing in any AWS account. Every step is a command that works the
    same on AWS. Run it in the project's folder.
    """
    from localaws.lifecycle import LifecycleError  # noqa: PLC0415 - only the commands that need it import localaws

    project = Path.cwd()
    if not (project / "cdk.json").is_file():
        raise CommandError(f"{project} holds no cdk.json\nfix: run the command in the project's folder", 2)
    interrupt_on_signals()
    report = Report(out)
    try:
        play(project, report)
    except (CommandFailedError, DemoFailedError, LifecycleError) as error:
        raise CommandError(f"the demo failed: {error}") from error
    except KeyboardInterrupt:
        report.console.print("\nInterrupted; everything that the demo started is stopped.")
        raise typer.Exit(130) from None
    report.console.print()
    report.console.print(report.summary())


def interrupt_on_signals() -> None:
    """Has SIGTERM and the loss of the terminal end a command as Ctrl-C does: with everything cleaned up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
