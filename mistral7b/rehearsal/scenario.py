"""The steps of a rehearsal, up to the commit's way through the pipeline: what one does once on AWS, on the laptop."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mistral7b.demo.prerequisites import oidc_providers, permissions_boundary, prerequisites
from mistral7b.demo.report import Report
from mistral7b.process import Job, cdk_program, python_first, run, run_together
from mistral7b.promotion import Promotion
from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_NAME, SOURCE_ACTION
from mistral7b.rehearsal.cloud import Cloud, Place, places
from mistral7b.rehearsal.deployed import deployed, deployed_commits
from mistral7b.rehearsal.execution import Execution
from mistral7b.rehearsal.follow import Follower
from mistral7b.rehearsal.logs import evidence
from mistral7b.rehearsal.repository import Clone
from mistral7b.rehearsal.result import Result, Stop

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_HANDSHAKE = "/_localaws/connections"
_HANDSHAKE_S = 30

# A proxy of the environment has nothing to do with localhost.
_HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RehearsalError(Exception):
    """A step did not come out as it has to."""


class NoPipelineError(RehearsalError):
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

    @property
    def place(self) -> Place:
        """The pipeline's account and region."""
        return Place(self.promotion.settings.account, self.promotion.settings.region)

    def prepare(self) -> None:
        """Bootstraps every account, deploys the pipeline and connects it to the clone.

        Raises:
            CommandFailedError: a command failed, or there is no CDK CLI.
            RehearsalError: the handshake was refused.
        """
        self._set_up()
        self._bootstrap()
        self.make_prerequisites()
        self._deploy_pipeline()
        self._connect()

    def promote(self, follower: Follower) -> Result:
        """Takes the clone's commit through the pipeline.

        Raises:
            botocore.exceptions.ClientError: a service does not answer as it has to.
        """
        codepipeline = self._client("codepipeline")
        started = codepipeline.start_pipeline_execution(name=PIPELINE_NAME)
        execution = follower.follow(started["pipelineExecutionId"])
        commits = deployed_commits(codepipeline, PIPELINE_NAME)
        now = tuple(deployed(self.cloud.client, e, commits) for e in self.promotion.environments)
        return Result(self.place, self.clone, execution, now, self._stop(execution))

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
        """Does what the user does in the console on AWS, and points to the clone in place of the provider."""
        with self.report.step("Let the connection reach the repository") as step:
            source = self._source()
            name = source["FullRepositoryId"]
            told = {"arn": source["ConnectionArn"], "repository": name, "path": str(self.clone.folder)}
            request = urllib.request.Request(
                self.cloud.url + _HANDSHAKE, json.dumps(told).encode(), {"Content-Type": "application/json"}
            )
            try:
                with _HTTP.open(request, timeout=_HANDSHAKE_S) as answer:
                    status = json.load(answer)["status"]
            except urllib.error.HTTPError as error:
                raise RehearsalError(f"the connection to {name}: {json.load(error)['message']}") from None
            step.result = f"{status}: {name} is a clone of this project; on AWS, a click in the console"

    def _source(self) -> dict[str, str]:
        """Configuration of the pipeline's source action."""
        declared = self._client("codepipeline").get_pipeline(name=PIPELINE_NAME)["pipeline"]["stages"]
        actions = {action["name"]: action for stage in declared for action in stage["actions"]}
        found: dict[str, str] = actions[SOURCE_ACTION]["configuration"]
        return found

    def _stop(self, execution: Execution) -> Stop | None:
        action = execution.failed
        if action is not None:
            log = evidence(self.cloud.client, self.place.account, self.place.region, action)
            return Stop(action.stage, action.name, action.reason, log)
        if execution.status == "Succeeded":
            return None
        stage = next((stage.name for stage in execution.stages if stage.status != "Succeeded"), "")
        return Stop(stage, "", execution.summary or f"the execution is {execution.status}", [])

    @property
    def _cdk(self) -> str:
        return cdk_program(self.clone.folder)

    def _environ(self, place: Place) -> dict[str, str]:
        return self.cloud.environ(place) | {"PATH": python_first(self.clone.folder / ".venv" / "bin")}

    def _client(self, service: str) -> Any:
        return self.cloud.client(service, self.place.account, self.place.region)


def bootstrap_arguments(place: Place, pipeline: Place) -> list[str]:
    """Arguments of `cdk` for a place: an account other than the pipeline's trusts the pipeline's to deploy to it."""
    trust = ["--trust", pipeline.account, "--cloudformation-execution-policies", ADMINISTRATOR]
    return ["bootstrap", str(place), *(trust if place.account != pipeline.account else [])]
