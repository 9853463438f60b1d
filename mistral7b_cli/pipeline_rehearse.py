"""`mistral7b pipeline rehearse`: the pipeline on the laptop, from bare accounts to production."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.errors import FAILED, UserError
from mistral7b_cli.demo.command import interruptible
from mistral7b_cli.options import AsJson, PictureFile, project_here
from mistral7b_cli.output import out, progress, say, write_json
from mistral7b_cli.rehearsal.approvals import approve_all
from mistral7b_cli.rehearsal.rehearse import BUILDS, STATE, run_rehearsal
from mistral7b_cli.rehearsal.repository import commit_of, uncommitted
from mistral7b_cli.rehearsal.result import Result
from mistral7b_cli.report import Report


def rehearse(
    approve: Annotated[bool, typer.Option("--approve", help="Approve whatever the pipeline asks.")] = False,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT", help="Promote this commit first, approving everything: what HEAD meets on its way."
        ),
    ] = None,
    picture: PictureFile = None,
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
        raise UserError(
            "the pipeline asks for approvals, and this is no terminal to ask on\n"
            "fix: run it at a terminal, or approve everything with --approve"
        )
    project = project_here()
    commits = [commit_of(project, revision) for revision in (after, "HEAD") if revision is not None]
    if files := uncommitted(project):
        say("\n    ".join(["Not part of the rehearsal, as it is not committed:", *files]), on=console)
    with interruptible("rehearsal", console):
        approver = approve_all(console, "--approve says so") if approve else None
        results, kept = run_rehearsal(project, commits, Report(console), approver, keep=keep)
    last = results[-1]
    if as_json:
        before = {"before": results[0].document()} if len(results) > 1 else {}
        write_json(last.document() | before | ({"kept": str(kept)} if kept else {}))
    for result in [] if as_json else results:
        say(f"\n{result.title}", "bold")
        for shown in result.tables():
            say(shown)
    if picture is not None:
        from mistral7b_cli.rehearsal.picture import draw  # noqa: PLC0415 - matplotlib takes a second to load

        draw(last, picture)
        say(f"Picture: {picture}", on=console)
    if kept is not None:
        say(_how_to_look(kept, last), on=console)
    if last.stop is not None:
        raise UserError("\n    ".join([f"the promotion {last.stopped}", *last.stop["log"]]), FAILED, documented=as_json)


def _how_to_look(folder: Path, result: Result) -> str:
    place = result.place
    return (
        f"\nThe embedded AWS goes on running. To look around in the pipeline's account, in this shell:\n"
        f'    eval "$(mistral7b local up --state {folder / STATE} --account {place.account} --region {place.region})"\n'
        f"    aws cloudformation describe-stacks\n"
        f"What each action printed is in {folder / BUILDS}, the repository in {result.commit.folder}. To end and\n"
        "remove it all:\n"
        f"    mistral7b local down --state {folder / STATE} && rm -rf {folder}"
    )
