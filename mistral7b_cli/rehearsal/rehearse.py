"""A rehearsal from bare accounts to the end of a promotion: what one does once on AWS, and then commits' ways through.

An embedded AWS is started for it, and nothing is left behind unless it is to be kept.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from mistral7b.environment import EnvironmentFileError
from mistral7b.errors import UserError
from mistral7b.operate.place import Place
from mistral7b.process import cdk_program, python_first, run, run_together
from mistral7b.project import bootstrap, environments_folder
from mistral7b.promotion import PIPELINE_FILE, Promotion, load_promotion
from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_NAME
from mistral7b_cli.demo.prerequisites import oidc_providers, permissions_boundary, prerequisites
from mistral7b_cli.demo.scenario import exported
from mistral7b_cli.rehearsal import repository
from mistral7b_cli.rehearsal.approvals import Approver, approve_all, ask_user
from mistral7b_cli.rehearsal.cloud import Cloud
from mistral7b_cli.rehearsal.repository import Clone
from mistral7b_cli.rehearsal.result import Result, deployed
from mistral7b_cli.rehearsal.view import View
from mistral7b_cli.rehearsal.walk import Walk, read_definition
from mistral7b_cli.report import Report
from sagehost.accounts import credentials
from sagehost.lifecycle import down, running_server, up

PREFIX = "mistral7b-rehearsal-"
STATE, BUILDS = "server", "actions"
"""Folders, in the one that is kept, of the server's state and of the actions' logs."""


@dataclass
class Rehearsal:
    """A pipeline on an embedded AWS. Every command is the clone's own, which its `build.setup` has put there."""

    cloud: Cloud
    promotion: Promotion
    clone: Clone
    report: Report
    builds: Path
    """Where the actions' folders and logs are."""
    commits: dict[str, str] = field(default_factory=dict)
    """By stage, the commit that was deployed last."""

    @property
    def place(self) -> Place:
        """The pipeline's account and region."""
        return self.places[0]

    @property
    def places(self) -> list[Place]:
        """Every account and region, the pipeline's first."""
        return self.promotion.places(bootstrap(self.clone.folder))

    def prepare(self) -> None:
        """Bootstraps every account, deploys the pipeline and connects it to the clone.

        Raises:
            CommandFailedError: a command failed, or there is no CDK CLI.
        """
        report, folder = self.report, self.clone.folder
        setup = self.promotion.settings.build.setup
        with report.step("Set the clone up", setup):
            run(["sh", "-c", setup], folder, report.now, self.cloud.environ(self.place))
        cdk = cdk_program(folder)
        # without the app, which a bootstrap has no use for
        jobs = [([cdk, *p.cdk_arguments(), "--app", ""], self._environ(p)) for p in self.places]
        with report.step("Bootstrap the accounts", " ".join(["cdk", *self.places[-1].cdk_arguments()])) as step:
            at_once = 2 * (os.cpu_count() or 1)  # each waits for its stack half of its time
            run_together(jobs, folder, at_once, lambda command: report.tell(command[2]))
            step.result = f"{len(jobs)}, of which those of environments trust {self.place.account}"
        self.make_prerequisites()
        with report.step("Deploy the pipeline", f"cdk deploy {PIPELINE_ID}") as step:
            command = [cdk, "deploy", PIPELINE_ID, "--require-approval", "never", "--progress", "events"]
            run(command, folder, report.now, self._environ(self.place))
            step.result = f"{PIPELINE_NAME} in {self.place}"
        with report.step("Let the connection reach the repository") as step:  # on AWS, in the console
            (source,) = read_definition(self.cloud, self.place).stages[0].actions
            told = self.cloud.backstage("shake_hands", connection=source.configuration["ConnectionArn"])
            name = source.configuration["FullRepositoryId"]
            step.result = f"{told['status']}: {name} is a clone of this project; on AWS, a click in the console"

    def make_prerequisites(self) -> None:
        """Creates what the commit's files require of the accounts, unless it exists."""
        client, settings = self.cloud.client, self.promotion.settings
        made: list[str] = []
        for place in self.places:
            made += permissions_boundary(self.clone.folder, place.account, place.region, client)
        for one in self.promotion.environments:
            made += prerequisites(one.environment, one.account, client)
        if settings.github_actions is not None:
            made += oidc_providers(settings.github_actions.oidc_provider_arns, settings.region, client)
        for line in made:
            self.report.tell(f"created first: {line}")

    def promote(self, decide: Approver) -> Result:
        """Takes the clone's commit through the pipeline.

        Raises:
            botocore.exceptions.ClientError: a service does not answer as it has to.
        """
        self.report.heading(f"Promote {self.clone.commit[:10]}: {self.clone.subject}")
        view = View(self.report.console)
        execution = Walk(self.cloud, self.place, self.clone.folder, self.builds, view, decide).walk()
        self.commits.update(execution.deployed)
        now = [deployed(self.cloud, e, self.commits) for e in self.promotion.environments]
        return Result(self.place, self.clone, execution, now)

    def _environ(self, place: Place) -> dict[str, str]:
        return self.cloud.environ(place) | {"PATH": python_first(self.clone.folder / ".venv" / "bin")}


def run_rehearsal(
    project: Path,
    commits: Sequence[str],
    report: Report,
    approver: Approver | None,
    *,
    keep: bool,
) -> tuple[list[Result], Path | None]:
    """Promotes commits one after the other; the last one is what the rehearsal is about.

    Without an `approver` of the last commit, the user is asked on the report's console. With `keep` the embedded AWS
    goes on running; the folder that stays is returned with what came of each commit.

    Raises:
        CommandFailedError, ClientError, LifecycleError: a command, a service or the embedded AWS fails.
        UserError: there is nothing to clone, or a commit's files are wrong.
    """
    with ExitStack() as stack:
        scratch = stack.enter_context(_scratch(keep=keep))
        # whatever a command leaves in its temporary folder goes with the scratch folder, the server's things, too
        stack.enter_context(exported({**credentials(secret=""), "TMPDIR": str(scratch)}))
        folder = scratch / "repository"
        with report.step("Clone the project", f"git clone {str(project)!r} {folder}") as step:
            repository.clone(project, folder)
            promotion, clone = commit(folder, commits[0])
            step.result = f"{clone.commit[:10]} {clone.subject}"
        build = promotion.settings.build
        report.tell(
            f"`build` in {PIPELINE_FILE} says what runs: `{build.setup}` at the start of every build, and "
            f"`{build.test}` once. With `make setup`, up to a minute each time, that takes 10 to 20 minutes."
        )
        with report.step("Start the embedded AWS", "mistral7b local up") as step:
            speed = "20" if any(one.benchmark for one in promotion.settings.environments) else "instant"
            server = up(scratch / STATE, speed=speed) if keep else stack.enter_context(running_server(speed=speed))
            cloud, step.result = Cloud(server.url, server.secret), server.url
        rehearsal = Rehearsal(cloud, promotion, clone, report, scratch / BUILDS)
        rehearsal.prepare()
        results: list[Result] = []
        for revision in commits:
            if results:
                promotion, clone = commit(folder, revision)
                rehearsal = replace(rehearsal, promotion=promotion, clone=clone)
                rehearsal.make_prerequisites()
            last = len(results) == len(commits) - 1
            decide = approver if last else approve_all(report.console, "it is what the next commit meets")
            results.append(rehearsal.promote(decide or ask_user(report.console)))
            if not results[-1].promoted:
                break
        return results, scratch if keep else None


def commit(folder: Path, revision: str) -> tuple[Promotion, Clone]:
    """Puts a commit on the clone's branch, with what a rehearsal changes in its environment files on top."""
    clone = repository.check_out(folder, revision)
    files = folder / environments_folder(folder)
    try:
        promotion = load_promotion(files)
    except EnvironmentFileError as error:  # the clone is gone when the user reads of it
        problems = [replace(one, file=one.file.removeprefix(f"{folder}/")) for one in error.problems]
        raise EnvironmentFileError(problems, f"the environment files of commit {revision[:10]}") from None
    if promotion is None:
        raise UserError(
            f"commit {revision[:10]} has no {files.relative_to(folder)}/{PIPELINE_FILE}, so it has no pipeline\n"
            "fix: write one, as docs/promotion.md shows, and commit it"
        )
    values = yaml.safe_load(promotion.file.read_text(encoding="utf-8"))
    waiting = [one for one in values["environments"] if one.get("quiet_minutes")]
    if promotion.settings.source.connection_arn is not None or waiting:
        values["source"]["connection_arn"] = None
        for one in waiting:
            one["quiet_minutes"] = 1
        promotion.file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        clone = repository.commit_all(clone, files, "For the rehearsal: a connection of its own, quiet_minutes: 1")
        promotion = load_promotion(files) or promotion
    repository.put_on_branch(clone, promotion.settings.source.branch)
    return promotion, clone


@contextmanager
def _scratch(*, keep: bool) -> Iterator[Path]:
    """A folder that is removed at the end, and its server stopped; with `keep`, only after an interruption."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    try:
        yield folder
    except BaseException as error:
        keep = keep and isinstance(error, Exception)
        raise
    finally:
        if not keep:
            down(folder / STATE)
            shutil.rmtree(folder)
