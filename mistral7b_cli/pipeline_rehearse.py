"""`mistral7b pipeline rehearse`: the pipeline on the laptop, from bare accounts to production."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from mistral7b_cli.demo.command import interrupt_on_signals
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson
from mistral7b_cli.output import out, progress, write_json

if TYPE_CHECKING:
    from mistral7b_cli.rehearsal.play import Plan
    from mistral7b_cli.rehearsal.result import Result

_REMIND_S = 5.0

_EPILOG = """
**Examples**

`mistral7b pipeline rehearse`

`mistral7b pipeline rehearse --approve --picture pipeline.svg`

`mistral7b pipeline rehearse --after origin/main`: what runs today is promoted first, so that HEAD is an update

`mistral7b pipeline rehearse --approve --json | jq .stopped_by`

The commands of `build` in pipeline.yaml run as they are, `setup` once in each build and `test` once: with make setup
and make check that takes some ten minutes. Only what is committed is promoted.

Exit status: 0 promoted to every environment, 1 stopped on the way, 2 wrong arguments or files.
"""


def register(commands: typer.Typer) -> None:
    """Adds the command."""
    commands.command("rehearse", epilog=_EPILOG)(rehearse)


def rehearse(  # noqa: PLR0917 - typer makes an option of each
    approve: Annotated[bool, typer.Option("--approve", help="Approve whatever the pipeline asks.")] = False,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT",
            help="Promote this commit first, approving everything: what HEAD meets on its way.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(
            "--environments",
            metavar="FOLDER",
            envvar="MISTRAL7B_ENVIRONMENTS",
            help="Folder of environment files to rehearse in place of the commit's own.",
        ),
    ] = DEFAULT_FOLDER,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the stages and how they ended: .svg, .png, .pdf.", show_default=False),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the embedded AWS running, to look around.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the pipeline on this laptop: HEAD, through every stage, to every environment, on an embedded AWS.

    Accounts are bootstrapped, the pipeline is deployed and connected by the commands that do it on AWS, and the builds'
    commands run as they are. Approvals are asked for. Nothing of it stays. Run it in the project's folder.

    --json prints one document: of the commit its stages and actions with status, seconds and reason, what stopped it
    and its log, and what each environment runs in the end.
    """
    console = progress if as_json else out
    if not approve and not (sys.stdin is not None and sys.stdin.isatty() and console.is_terminal):
        raise CommandError(
            "the pipeline asks for approvals, and this is no terminal to ask on\n"
            "fix: run it at a terminal, or approve everything with --approve",
            2,
        )
    if picture is not None:
        _check_picture(picture)
    interrupt_on_signals()
    results, kept = _play(_plan(after, folder, keep), console, approve)
    last = results[-1]
    if as_json:
        write_json(_document(results, kept))
    else:
        _print(results)
    if picture is not None:
        _draw(last, picture)
        console.print(f"Picture: {picture}", soft_wrap=True, markup=False)
    if kept is not None:
        console.print(_how_to_look(kept, last), soft_wrap=True, markup=False)
    if not last.promoted:
        raise CommandError(_stopped(last))


def _plan(after: str | None, folder: Path, keep: bool) -> "Plan":
    from mistral7b_cli.rehearsal.play import Plan  # noqa: PLC0415 - loads slowly
    from mistral7b_cli.rehearsal.repository import RepositoryError, commit_of  # noqa: PLC0415

    project = Path.cwd()
    if not (project / "cdk.json").is_file():
        raise CommandError(f"{project} holds no cdk.json\nfix: run the command in the project's folder", 2)
    if not folder.is_dir():
        raise CommandError(f"--environments = {folder}\n    there is no such folder", 2)
    try:
        commits = tuple(commit_of(project, revision) for revision in (after, "HEAD") if revision is not None)
    except RepositoryError as error:
        raise CommandError(str(error), 2) from None
    own = folder.resolve() == (project / DEFAULT_FOLDER).resolve()
    return Plan(project, commits, None if own else folder.resolve(), keep)


def _play(plan: "Plan", console: Console, approve: bool) -> "tuple[list[Result], Path | None]":
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - takes a moment to load

    from mistral7b.process import CommandFailedError  # noqa: PLC0415
    from mistral7b_cli.demo.report import Report  # noqa: PLC0415
    from mistral7b_cli.rehearsal.approvals import ApproveAll  # noqa: PLC0415
    from mistral7b_cli.rehearsal.cloud import BackstageError  # noqa: PLC0415
    from mistral7b_cli.rehearsal.play import play  # noqa: PLC0415
    from mistral7b_cli.rehearsal.repository import RepositoryError  # noqa: PLC0415
    from mistral7b_cli.rehearsal.scenario import NoPipelineError  # noqa: PLC0415
    from sagehost.lifecycle import LifecycleError  # noqa: PLC0415 - only the commands that need it import sagehost

    _tell_what_is_left_out(plan, console)
    report = Report(console, remind_s=_REMIND_S)
    try:
        return play(plan, report, ApproveAll(console, "--approve says so") if approve else None)
    except NoPipelineError as error:
        raise CommandError(str(error), 2) from None
    except (CommandFailedError, BackstageError, RepositoryError, LifecycleError, BotoCoreError, ClientError) as error:
        raise CommandError(f"the rehearsal failed: {error}") from error
    except KeyboardInterrupt:
        console.print("\nInterrupted; everything that the rehearsal started is stopped.")
        raise typer.Exit(130) from None


def _tell_what_is_left_out(plan: "Plan", console: Console) -> None:
    from mistral7b_cli.rehearsal.repository import uncommitted  # noqa: PLC0415

    if files := uncommitted(plan.project):
        console.print("Not part of the rehearsal, as it is not committed:", soft_wrap=True)
        for file in files:
            console.print(f"    {file}", markup=False, soft_wrap=True)


def _print(results: "list[Result]") -> None:
    for result in results:
        out.print(f"\n{result.title}", style="bold", markup=False, soft_wrap=True)
        for shown in result.tables():
            out.print(shown)


def _document(results: "list[Result]", kept: Path | None) -> dict[str, Any]:
    before = {"before": results[0].document()} if len(results) > 1 else {}
    return results[-1].document() | before | ({"kept": str(kept)} if kept else {})


def _stopped(result: "Result") -> str:
    log = result.stop["log"] if result.stop else []
    return "".join([f"the promotion {result.stopped}", *(f"\n    {line}" for line in log)])


def _how_to_look(folder: Path, result: "Result") -> str:
    from mistral7b_cli.rehearsal.play import BUILDS, STATE  # noqa: PLC0415

    place = result.place
    return (
        f"\nThe embedded AWS goes on running. To look around in the pipeline's account, in this shell:\n"
        f'    eval "$(mistral7b local up --state {folder / STATE} --account {place.account} --region {place.region})"\n'
        f"    aws cloudformation describe-stacks\n"
        f"What each action printed is in {folder / BUILDS}, the repository in {result.commit.folder}. To end and\n"
        "remove it all:\n"
        f"    mistral7b local down --state {folder / STATE} && rm -rf {folder}"
    )


def _check_picture(file: Path) -> None:
    from mistral7b_cli.rehearsal.picture import SUFFIXES  # noqa: PLC0415

    if file.suffix not in SUFFIXES or not file.parent.is_dir():
        raise CommandError(
            f"--picture = {file}\n    it has to be a file in a folder that exists, and end in {', '.join(SUFFIXES)}\n"
            "    fix: write --picture pipeline.svg",
            2,
        )


def _draw(result: "Result", file: Path) -> None:
    from mistral7b_cli.rehearsal.picture import draw  # noqa: PLC0415

    try:
        draw(result.execution, file, result.title, result.stopped)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
