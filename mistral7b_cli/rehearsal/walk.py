"""Walks the deployed pipeline's definition: stage by stage, each action under the role that it assumes."""

import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.operate.place import Place
from mistral7b.promotion.approval import answer, approval_state
from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_cli.output import say
from mistral7b_cli.rehearsal.approvals import Approver
from mistral7b_cli.rehearsal.build import run_codebuild
from mistral7b_cli.rehearsal.cloud import Cloud
from mistral7b_cli.rehearsal.deploy import run_cloudformation
from mistral7b_cli.rehearsal.execution import (
    ABANDONED,
    CANCELLED,
    FAILED,
    IN_PROGRESS,
    SUCCEEDED,
    Action,
    Execution,
    Stage,
)
from mistral7b_cli.rehearsal.run import ActionFailedError, Artifact, Run
from mistral7b_cli.rehearsal.source import run_source
from mistral7b_cli.rehearsal.view import View
from sagehost.pipelines.definition import Action as Declared
from sagehost.pipelines.definition import Definition

_POLL_S = 0.3
_RUNNERS: Mapping[str, Callable[[Run], None]] = {
    "CodeStarSourceConnection": run_source,
    "CodeBuild": run_codebuild,
    "CloudFormation": run_cloudformation,
}
# The review has answered meanwhile.
_ANSWERED = ("ApprovalAlreadyCompletedException", "InvalidApprovalTokenException")


@dataclass
class Walk:
    """One commit's way through the pipeline."""

    cloud: Cloud
    place: Place
    clone: Path
    """The clone that stands for the repository."""
    folder: Path
    """Where actions get folders of their own, with their logs."""
    view: View
    decide: Approver
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def walk(self) -> Execution:
        """The execution once it goes no further; if the pipeline has changed itself meanwhile, the one that took over.

        Raises:
            botocore.exceptions.ClientError: the embedded AWS does not answer as it has to.
        """
        with self.view.live:
            while True:
                execution = self._execute(read_definition(self.cloud, self.place))
                restarts = read_definition(self.cloud, self.place).declared.get("RestartExecutionOnUpdate")
                if execution.status != CANCELLED or str(restarts).lower() != "true":
                    return execution
                told = f"The pipeline has updated itself: execution {execution.id} ends, and another takes the commit"
                say(f"    {told} through the new one.", on=self.view.console)

    def _execute(self, definition: Definition) -> Execution:
        stages = tuple(Stage(stage.name, tuple(map(_new_action, stage.actions))) for stage in definition.stages)
        execution = Execution(definition.name, str(uuid.uuid4()), stages)
        common = self.cloud, definition, execution, self.clone, self._cancelled, dict[str, Artifact]()
        for stage, shown in zip(definition.stages, stages, strict=True):
            for order in sorted({action.run_order for action in stage.actions}):
                runs = [
                    Run(*common, declared, action, self._new_folder(action))
                    for declared, action in zip(stage.actions, shown.actions, strict=True)
                    if declared.run_order == order
                ]
                self._run_together(execution, shown, runs)
                if shown.status == FAILED:
                    execution.status = FAILED
                    return execution
                # an update cancels what is under way
                if read_definition(self.cloud, self.place) != definition:
                    execution.status = CANCELLED
                    return execution
        execution.status = SUCCEEDED
        return execution

    def _new_folder(self, action: Action) -> Path:
        number = len(list(self.folder.iterdir())) if self.folder.is_dir() else 0
        folder = self.folder / f"{number + 1:03}-{action.stage}-{action.label}"
        folder.mkdir(parents=True)
        return folder

    def _run_together(self, execution: Execution, stage: Stage, runs: list[Run]) -> None:
        """Runs actions beside each other to their ends; their approvals are asked for when nothing else runs.

        The review may answer one until then. One that waits beside an action that fails is abandoned.
        """
        approvals = [(run.shown, self._ask(run)) for run in runs if run.shown.category == "Approval"]
        others = [run for run in runs if run.shown.category != "Approval"]
        with ThreadPoolExecutor(max(1, len(others))) as pool:
            try:
                running: set[Future[None]] = {pool.submit(_perform, run) for run in others}
                while running:
                    self.view.update(execution)
                    done, running = wait(running, _POLL_S)
                    for future in done:
                        future.result()  # raises what is no failure of the action
                    self._read_answers(execution, approvals)
                self._read_answers(execution, approvals)
                self.view.update(execution)
                for action, token in approvals:
                    if action.status == IN_PROGRESS:
                        self._answer(execution, stage, action, token)
                self._read_answers(execution, approvals)
            except BaseException:  # such as the user's Ctrl-C: builds end at once
                self._cancelled.set()
                raise
        self.view.update(execution)

    def _ask(self, run: Run) -> str:
        place = [self.place.account, self.place.region, PIPELINE_NAME, run.shown.stage, run.shown.name]
        run.shown.start()
        return str(self.cloud.backstage("ask", place=place, execution=run.execution.id)["token"])

    def _read_answers(self, execution: Execution, approvals: list[tuple[Action, str]]) -> None:
        for action in (action for action, _ in approvals if action.status == IN_PROGRESS):
            found = approval_state(self._codepipeline, action.stage, action.name, execution.id)
            if found["status"] != IN_PROGRESS:
                action.end(found["status"], found["summary"])

    def _answer(self, execution: Execution, stage: Stage, action: Action, token: str) -> None:
        if failed := [other.name for other in stage.actions if other.status == FAILED]:
            action.end(ABANDONED, f"{' and '.join(failed)} failed")
            return
        with self.view.paused():
            approved, summary = self.decide(execution, stage, action)
        try:
            answer(self._codepipeline, action.stage, action.name, token, summary, approved=approved)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ANSWERED:
                raise

    @property
    def _codepipeline(self) -> Any:
        return self.cloud.client("codepipeline", self.place.account, self.place.region)


def read_definition(cloud: Cloud, place: Place) -> Definition:
    """The pipeline as it is deployed."""
    declared = cloud.deployed("AWS::CodePipeline::Pipeline", place.account, place.region, PIPELINE_NAME)
    assert declared is not None
    return Definition(declared, place.region, place.account)


def _new_action(declared: Declared) -> Action:
    return Action(declared.stage, declared.name, declared.category, declared.configuration.get("CustomData", ""))


def _perform(run: Run) -> None:
    run.shown.start(run.folder / "log")
    try:
        _RUNNERS[run.declared.type[2]](run)
    except ActionFailedError as error:
        run.shown.end(FAILED, str(error))
    except ClientError as error:  # what the action's role was refused
        run.shown.end(FAILED, error.response["Error"]["Message"])
    else:
        run.shown.end(SUCCEEDED)
