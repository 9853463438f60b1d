"""A whole rehearsal: starts an embedded AWS for it, and leaves nothing behind unless asked to."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from mistral7b.environment import EnvironmentFileError
from mistral7b.project import environments_folder
from mistral7b.promotion import PIPELINE_FILE, Promotion, load_promotion
from mistral7b_cli.demo.report import Report
from mistral7b_cli.demo.scenario import exported
from mistral7b_cli.rehearsal import repository
from mistral7b_cli.rehearsal.approvals import ApproveAll, AskUser
from mistral7b_cli.rehearsal.cloud import Cloud
from mistral7b_cli.rehearsal.repository import Clone
from mistral7b_cli.rehearsal.result import Result
from mistral7b_cli.rehearsal.scenario import NoPipelineError, Rehearsal
from mistral7b_cli.rehearsal.view import View
from mistral7b_cli.rehearsal.walk import Approver

PREFIX = "mistral7b-rehearsal-"
STATE = "server"
"""Folder, in the one that is kept, of the server's state."""
BUILDS = "actions"
"""Folder, in the same, of the actions' logs."""


@dataclass(frozen=True)
class Plan:
    """What to rehearse."""

    project: Path
    commits: tuple[str, ...]
    """Promoted one after the other; the last one is what the rehearsal is about."""
    environments: Path | None
    """Files that take the place of the commit's own; None: those of the commit."""
    keep: bool
    """Whether the server stays."""


def play(plan: Plan, report: Report, approver: Approver | None) -> tuple[list[Result], Path | None]:
    """Rehearses, and gives what came of each commit, and the folder that stays if the server is to be kept.

    Args:
        plan: what to rehearse.
        report: shows the steps.
        approver: answers the approvals; None asks on the report's console.

    Raises:
        CommandFailedError, ClientError: see `Rehearsal`.
        EnvironmentFileError: the files of the last commit are wrong.
        LifecycleError: the server does not start.
        RepositoryError: there is nothing to clone.
    """
    from sagehost.accounts import credentials  # noqa: PLC0415 - only what needs it imports sagehost

    with ExitStack() as stack:
        scratch = stack.enter_context(_scratch(keep=plan.keep))
        # whatever a command leaves in its temporary folder goes with the scratch folder, the server's things, too
        stack.enter_context(exported({**credentials(), "TMPDIR": str(scratch)}))
        folder = scratch / "repository"
        with report.step("Clone the project", f"git clone {plan.project} {folder}") as step:
            repository.clone(plan.project, folder)
            promotion, clone = commit(plan, folder, plan.commits[0])
            step.result = f"{clone.commit[:10]} {clone.subject}"
        report.tell(_what_runs(promotion))
        with report.step("Start the embedded AWS", "mistral7b local up") as step:
            cloud = Cloud(stack.enter_context(_server(scratch, keep=plan.keep)))
            step.result = cloud.url
        rehearsal = Rehearsal(cloud, promotion, clone, report, scratch / BUILDS)
        rehearsal.prepare()
        results: list[Result] = []
        for number, revision in enumerate(plan.commits, 1):
            if number > 1:
                promotion, clone = commit(plan, folder, revision)
                replace(rehearsal, promotion=promotion, clone=clone).make_prerequisites()
            last = number == len(plan.commits)
            decide = approver if last else ApproveAll(report.console, "it is what the next commit meets")
            results.append(_promote(replace(rehearsal, promotion=promotion, clone=clone), decide))
            if not results[-1].promoted:
                break
        return results, scratch if plan.keep else None


def commit(plan: Plan, folder: Path, revision: str) -> tuple[Promotion, Clone]:
    """Puts a commit on the clone's branch, with what a rehearsal changes in its environment files on top.

    Raises:
        EnvironmentFileError: its files are wrong.
        NoPipelineError: it has no pipeline.
        RepositoryError: git says no.
    """
    clone = repository.check_out(folder, revision)
    files = folder / environments_folder(folder)
    if plan.environments is not None:
        shutil.rmtree(files, ignore_errors=True)
        shutil.copytree(plan.environments, files)
        clone = repository.commit_all(clone, files, f"The environment files of {plan.environments}")
    try:
        promotion = load_promotion(files)
    except EnvironmentFileError as error:  # the clone is gone when the user reads of it
        problems = [replace(one, file=one.file.removeprefix(f"{folder}/")) for one in error.problems]
        raise EnvironmentFileError(problems, f"the environment files of commit {revision[:10]}") from None
    if promotion is None:
        raise NoPipelineError(
            f"commit {revision[:10]} has no {files.relative_to(folder)}/{PIPELINE_FILE}, so it has no pipeline\n"
            "fix: write one, as docs/promotion.md shows, and commit it"
        )
    if promotion.settings.source.connection_arn is not None:
        values = yaml.safe_load(promotion.file.read_text(encoding="utf-8"))
        values["source"]["connection_arn"] = None
        promotion.file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        clone = repository.commit_all(clone, files, "A connection of the rehearsal's own: that of the file is on AWS")
        promotion = load_promotion(files) or promotion
    repository.put_on_branch(clone, promotion.settings.source.branch)
    return promotion, clone


def _what_runs(promotion: Promotion) -> str:
    build = promotion.settings.build
    return (
        f"`build` in {PIPELINE_FILE} says what runs: `{build.setup}` at the start of every build, and "
        f"`{build.test}` once. With `make setup`, half a minute each time, that takes some ten minutes."
    )


def _promote(rehearsal: Rehearsal, approver: Approver | None) -> Result:
    report = rehearsal.report
    report.heading(f"Promote {rehearsal.clone.commit[:10]}: {rehearsal.clone.subject}")
    return rehearsal.promote(View(report.console), approver or AskUser(report.console))


@contextmanager
def _scratch(*, keep: bool) -> Iterator[Path]:
    """A folder that goes at the end of the block; with `keep`, only if that is interrupted."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    kept = False
    try:
        yield folder
        kept = keep
    except Exception:
        kept = keep
        raise
    finally:
        if not kept:
            shutil.rmtree(folder)


@contextmanager
def _server(scratch: Path, *, keep: bool) -> Iterator[str]:
    """The URL of an embedded AWS that ends with the block; with `keep`, only if that is interrupted."""
    from sagehost.lifecycle import down, running_server, up  # noqa: PLC0415 - only what needs it imports sagehost

    if not keep:
        with running_server() as server:
            yield server.url
        return
    try:
        yield up(scratch / STATE).url
    except KeyboardInterrupt:
        down(scratch / STATE)
        raise
