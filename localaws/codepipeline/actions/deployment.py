"""What CloudFormation actions have in common: their stack, template and parameters, and waiting for the stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws.codepipeline import artifacts, identity
from localaws.codepipeline.actions.files import Files
from localaws.codepipeline.execution import ActionRun, Outcome
from localaws.codepipeline.pipeline import ActionFailed

POLL_S = 0.2
"""Time between looks at a stack that is changing."""


def failed(message: str) -> ActionFailed:
    """CloudFormation has not done what it was asked for."""
    return ActionFailed("JobFailed", message)


class Deployment:
    """An action on one stack, with files in `folder`."""

    def __init__(self, run: ActionRun, folder: Path) -> None:
        self.run = run
        self.configuration = dict(run.configuration or {})
        self.region = artifacts.region_of(run)
        self.who = identity.of_action(run)
        self.client = self.who.client("cloudformation", self.region)
        self.stack_name = self.configuration["StackName"]
        self._folder = folder

    @property
    def change_set(self) -> dict[str, str]:
        """How the API names the change set."""
        return {"StackName": self.stack_name, "ChangeSetName": self.configuration["ChangeSetName"]}

    def require(self, action: str) -> None:
        """Raise ActionFailed unless the action's role may do this to the stack, and pass on the stack's own role."""
        arn = f"arn:aws:cloudformation:{self.region}:{self.who.account}:stack/{self.stack_name}/*"
        self.who.require(action, arn)
        if role := self.configuration.get("RoleArn"):
            self.who.require("iam:PassRole", role)

    def role(self) -> dict[str, str]:
        """The role that CloudFormation works with, as a parameter of its API."""
        role = self.configuration.get("RoleArn")
        return {"RoleARN": role} if role else {}

    def template(self) -> dict[str, Any]:
        """The template, its parameters and what else a stack is created or updated with."""
        artifact, _, path = self.configuration["TemplatePath"].partition("::")
        settings = self._settings()
        given = self.configuration.get("Capabilities", "")
        return {
            "TemplateURL": self._uploaded(artifact, path),
            "Capabilities": [one.strip() for one in given.split(",") if one.strip()],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in settings.get("Parameters", {}).items()
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in settings.get("Tags", {}).items()],
            **self.role(),
        }

    def status(self) -> str | None:
        """The StackStatus, None if there is no such stack."""
        described = self._described()
        return None if described is None else str(described["StackStatus"])

    def settled(self) -> Outcome:
        """Wait until the stack is as wanted. Raises ActionFailed."""
        status = self.wait_for_stack()
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise self.failure(status)
        return self.done(f"Stack {self.stack_name} is {status}.")

    def done(self, summary: str) -> Outcome:
        """Success, with the stack's outputs."""
        described = self._described() or {}
        self.run.external_id = described.get("StackId")
        outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
        return Outcome(summary=summary, variables=outputs)

    def wait_for_stack(self) -> str | None:
        """Its StackStatus once nothing is being done to it."""
        described = self.wait(
            self._described, lambda found: found is not None and found["StackStatus"].endswith("_IN_PROGRESS")
        )
        return None if described is None else str(described["StackStatus"])

    def wait(self, look: Callable[[], Any], busy: Callable[[Any], bool]) -> Any:
        """What `look` shows once it is no longer busy. Raises ActionFailed if the action is abandoned meanwhile."""
        while busy(found := look()):
            if self.run.cancelled.wait(POLL_S):
                raise failed("The action was abandoned")
        return found

    def failure(self, status: str | None) -> ActionFailed:
        """Why the stack is not as wanted: with its first resource that failed, where the role may look at events."""
        described = self._described() or {}
        text = f"Stack {self.stack_name} is {status}: {described.get('StackStatusReason', 'no reason given')}"
        if not self.who.may("cloudformation:DescribeStackEvents", str(described.get("StackId"))):
            return failed(text)
        events = self.client.describe_stack_events(StackName=self.stack_name)["StackEvents"]
        for event in self._of_this_operation(events):
            if event["ResourceStatus"].endswith("_FAILED") and event["PhysicalResourceId"] != described.get("StackId"):
                reason = event.get("ResourceStatusReason", "")
                return failed(f"{text} The first resource that failed: {event['LogicalResourceId']}: {reason}")
        return failed(text)

    def _of_this_operation(self, events: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The events since the action began, oldest first."""
        return [event for event in reversed(events) if event["Timestamp"] >= self.run.started]

    def _described(self) -> Any:
        try:
            return self.client.describe_stacks(StackName=self.stack_name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise

    @cached_property
    def _files(self) -> Files:
        inputs = {one.name: one for one in self.run.inputs}
        return Files(inputs, lambda one: artifacts.get(self.run, one, self._folder, self.who))

    def _uploaded(self, artifact: str, path: str) -> str:
        """The template's address in the artifact store: CloudFormation takes up to 51,200 bytes in the request.

        The action's role only reads there. How CodePipeline hands the template on is not documented.
        """
        file = self._folder / "template"
        file.write_bytes(self._files.read(artifact, path))
        pipeline = identity.of_pipeline(self.run.execution.definition, self.run.execution.id)
        stored = artifacts.put(self.run, "template", file, pipeline)
        return f"https://{stored.bucket}.s3.{stored.region}.amazonaws.com/{stored.key}"

    def _settings(self) -> dict[str, Any]:
        if "TemplateConfiguration" not in self.configuration:
            return {}
        artifact, _, path = self.configuration["TemplateConfiguration"].partition("::")
        settings = self._files.json(artifact, path)
        if unknown := sorted(set(settings) - {"Parameters", "Tags"}):
            raise ActionFailed("ConfigurationError", f"{unknown[0]} of a template configuration is not emulated")
        return settings
