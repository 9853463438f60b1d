"""The steps of a rehearsal, up to the commit's way through the pipeline: what one does once on AWS, on the laptop."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mistral7b.process import Job, cdk_program, python_first, run, run_together
from mistral7b.promotion import Promotion
from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_NAME
from mistral7b_cli.demo.prerequisites import oidc_providers, permissions_boundary, prerequisites
from mistral7b_cli.demo.report import Report
from mistral7b_cli.rehearsal.cloud import Cloud, Place, places
from mistral7b_cli.rehearsal.deployed import deployed
from mistral7b_cli.rehearsal.repository import Clone
from mistral7b_cli.rehearsal.result import Result
from mistral7b_cli.rehearsal.view import View
from mistral7b_cli.rehearsal.walk import Approver, Walk, read_definition

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class NoPipelineError(Exception):
    """The commit has no pipeline."""


@dataclass
class Rehearsal:
    """A pipeline on an embedded AWS, from bare accounts to the end of a promotion.

    Every command is the clone's own, which its `build.setup` has put there.
    """

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
        return Place(self.promotion.settings.account, self.promotion.settings.region)

    def prepare(self) -> None:
        """Bootstraps every account, deploys the pipeline and connects it to the clone.

        Raises:
            CommandFailedError: a command failed, or there is no CDK CLI.
        """
        self._set_up()
        self._bootstrap()
        self.make_prerequisites()
        self._deploy_pipeline()
        self._connect()

    def promote(self, view: View, decide: Approver) -> Result:
        """Takes the clone's commit through the pipeline.

        Raises:
            botocore.exceptions.ClientError: a service does not answer as it has to.
        """
        execution = Walk(self.cloud, self.place, self.clone.folder, self.builds, view, decide).walk()
        self.commits.update(execution.deployed)
        now = tuple(deployed(self.cloud, e, self.commits) for e in self.promotion.environments)
        return Result(self.place, self.clone, execution, now)

    def _set_up(self) -> None:
        setup = self.promotion.settings.build.setup
        with self.report.step("Set the clone up", setup):
            run(["sh", "-c", setup], self.clone.folder, self.report.now, self.cloud.environ(self.place))

    def _bootstrap(self) -> None:
        todo = places(self.promotion)
        # without the app, which a bootstrap has no use for; cdk.json has the qualifier
        jobs = [Job([self._cdk, *bootstrap_arguments(p, self.place), "--app", ""], self._environ(p)) for p in todo]
        example = " ".join(["cdk", *bootstrap_arguments(todo[-1], self.place)])
        with self.report.step("Bootstrap the accounts", example) as step:
            at_once = 2 * (os.cpu_count() or 1)  # each waits for its stack half of its time
            run_together(jobs, self.clone.folder, at_once, lambda job: self.report.tell(job.command[2]))
            step.result = f"{len(todo)}, of which those of environments trust {self.place.account}"

    def make_prerequisites(self) -> None:
        """Makes what the commit's files take for granted of the accounts, but for what is there already."""
        client, settings = self.cloud.client, self.promotion.settings
        for place in places(self.promotion):
            self._tell(permissions_boundary(self.clone.folder, place.account, place.region, client))
        for one in self.promotion.environments:
            self._tell(prerequisites(one.environment, one.account, client))
        if settings.github_actions is not None:
            self._tell(oidc_providers(settings.github_actions.oidc_provider_arns, settings.region, client))

    def _tell(self, made: Iterator[str]) -> None:
        for line in made:
            self.report.tell(f"made first: {line}")

    def _deploy_pipeline(self) -> None:
        with self.report.step("Deploy the pipeline", f"cdk deploy {PIPELINE_ID}") as step:
            command = [self._cdk, "deploy", PIPELINE_ID, "--require-approval", "never", "--progress", "events"]
            run(command, self.clone.folder, self.report.now, self._environ(self.place))
            step.result = f"{PIPELINE_NAME} in {self.place}"

    def _connect(self) -> None:
        """Does what the user does in the console on AWS."""
        with self.report.step("Let the connection reach the repository") as step:
            (source,) = read_definition(self.cloud, self.place).stages[0].actions
            told = self.cloud.backstage("shake_hands", connection=source.configuration["ConnectionArn"])
            name = source.configuration["FullRepositoryId"]
            step.result = f"{told['status']}: {name} is a clone of this project; on AWS, a click in the console"

    @property
    def _cdk(self) -> str:
        return cdk_program(self.clone.folder)

    def _environ(self, place: Place) -> dict[str, str]:
        return self.cloud.environ(place) | {"PATH": python_first(self.clone.folder / ".venv" / "bin")}


def bootstrap_arguments(place: Place, pipeline: Place) -> list[str]:
    """Arguments of `cdk` for a place: an account other than the pipeline's trusts the pipeline's to deploy to it."""
    trust = ["--trust", pipeline.account, "--cloudformation-execution-policies", ADMINISTRATOR]
    return ["bootstrap", str(place), *(trust if place.account != pipeline.account else [])]
