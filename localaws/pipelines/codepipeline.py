"""CodePipeline: definitions of pipelines, and the approvals that whoever runs one has asked for."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from localaws import roles
from localaws.hosting import permissions
from localaws.own_service import OwnService
from localaws.pipelines.definition import Definition
from localaws.pipelines.errors import (
    AccessDenied,
    ApprovalAlreadyCompleted,
    InvalidApprovalToken,
    InvalidStructure,
    PipelineNameInUse,
    PipelineNotFound,
    ValidationError,
)
from localaws.pipelines.rules import check

PRINCIPAL = "codepipeline.amazonaws.com"
"""The service in trust policies."""


@dataclass
class Approval:
    """An approval that an execution waits for."""

    execution: str
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    summary: str = ""


@dataclass
class Pipeline:
    """A pipeline."""

    definition: Definition
    tags: dict[str, str]
    approvals: dict[tuple[str, str], Approval] = field(default_factory=dict)
    """Stage and action -> the last approval that was asked for there."""


_PIPELINES: defaultdict[tuple[str, str], dict[str, Pipeline]] = defaultdict(dict)


def ask(account: str, region: str, name: str, stage: str, action: str, execution: str) -> str:
    """Have an approval wait for its answer, and give its token.

    Raises:
        PipelineNotFound: there is no such pipeline.
    """
    approval = Approval(execution)
    _found(account, region, name).approvals[stage, action] = approval
    return approval.token


def _found(account: str, region: str, name: str) -> Pipeline:
    if name not in _PIPELINES[account, region]:
        raise PipelineNotFound(f"Account '{account}' does not have a pipeline with name '{name}'")
    return _PIPELINES[account, region][name]


class CodePipeline(OwnService):
    """Pipelines."""

    service = "codepipeline"
    invalid = ValidationError

    def create_pipeline(self) -> ActionResult:
        """CreatePipeline, which starts nothing here."""
        declared = self.request["pipeline"]
        name = declared["name"]
        self._authorize(name)
        if name in _PIPELINES[self.current_account, self.region]:
            raise PipelineNameInUse(
                f"A pipeline with the name '{name}' already exists in account '{self.current_account}'"
            )
        pipeline = Pipeline(
            self._checked(declared, 1), {one["key"]: one["value"] for one in self.request.get("tags", [])}
        )
        _PIPELINES[self.current_account, self.region][name] = pipeline
        return ActionResult({"pipeline": pipeline.definition.declared})

    def update_pipeline(self) -> ActionResult:
        """UpdatePipeline."""
        declared = self.request["pipeline"]
        pipeline = self._pipeline(declared["name"])
        pipeline.definition = self._checked(declared, pipeline.definition.version + 1)
        pipeline.approvals.clear()  # an update cancels what waits for them
        return ActionResult({"pipeline": pipeline.definition.declared})

    def get_pipeline(self) -> ActionResult:
        """GetPipeline, of the newest version."""
        definition = self._pipeline(self.request["name"]).definition
        return ActionResult({"pipeline": definition.declared, "metadata": {"pipelineArn": definition.arn}})

    def delete_pipeline(self) -> ActionResult:
        """DeletePipeline; that of one that is gone succeeds."""
        self._authorize(self.request["name"])
        _PIPELINES[self.current_account, self.region].pop(self.request["name"], None)
        return EmptyResult()

    def tag_resource(self) -> ActionResult:
        """TagResource."""
        tags = self._pipeline(self.request["resourceArn"].rsplit(":", 1)[-1]).tags
        tags.update({one["key"]: one["value"] for one in self.request["tags"]})
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        """UntagResource."""
        tags = self._pipeline(self.request["resourceArn"].rsplit(":", 1)[-1]).tags
        for key in self.request["tagKeys"]:
            tags.pop(key, None)
        return EmptyResult()

    def get_pipeline_state(self) -> ActionResult:
        """GetPipelineState: of what has run, the approvals."""
        pipeline = self._pipeline(self.request["name"])
        stages = []
        for stage in pipeline.definition.stages:
            asked = [pipeline.approvals.get((stage.name, action.name)) for action in stage.actions]
            latest = {"latestExecution": {"pipelineExecutionId": one.execution} for one in asked if one}
            states = [
                {"actionName": action.name, **({"latestExecution": _latest(one)} if one else {})}
                for action, one in zip(stage.actions, asked, strict=True)
            ]
            stages.append({"stageName": stage.name, "actionStates": states, **latest})
        return ActionResult({"pipelineName": pipeline.definition.name, "stageStates": stages})

    def put_approval_result(self) -> ActionResult:
        """PutApprovalResult."""
        request = self.request
        place = request["stageName"], request["actionName"]
        approval = self._pipeline(request["pipelineName"], f"/{'/'.join(place)}").approvals.get(place)
        if approval is None or approval.token != request["token"]:
            raise InvalidApprovalToken("The approval request token is not that of a pending approval.")
        if approval.status != "InProgress":
            raise ApprovalAlreadyCompleted("The approval action has already been approved or rejected.")
        approval.summary = request["result"]["summary"]
        approval.status = "Succeeded" if request["result"]["status"] == "Approved" else "Failed"
        return ActionResult({"approvedAt": datetime.now(UTC)})

    def _pipeline(self, name: str, within: str = "") -> Pipeline:
        self._authorize(name, within)
        return _found(self.current_account, self.region, name)

    def _authorize(self, name: str, within: str = "") -> None:
        """Raise AccessDenied if a role's session asks, and the role's policies do not allow it on this pipeline.

        `within` names the stage and the action that it is about.
        """
        caller, operation = roles.identity(str(self.access_key)), f"codepipeline:{self._get_action()}"
        resource = f"arn:{self.partition}:codepipeline:{self.region}:{self.current_account}:{name}{within}"
        if caller.role is not None and not permissions.allows(caller.role.arn, operation, resource, "{}"):
            raise AccessDenied(
                f"User: {caller.arn} is not authorized to perform: {operation} on resource: {resource} because no "
                f"identity-based policy allows the {operation} action"
            )

    def _checked(self, declared: Mapping[str, Any], version: int) -> Definition:
        definition = Definition({**declared, "version": version}, self.region, self.current_account)
        check(definition)
        try:
            roles.check(definition.role_arn, by=PRINCIPAL, source_account=definition.account, source_arn=definition.arn)
        except roles.AccessDenied as error:
            raise InvalidStructure(
                f"CodePipeline is not authorized to perform AssumeRole on role {definition.role_arn}"
            ) from error
        return definition


def _latest(approval: Approval) -> dict[str, str]:
    token = {"token": approval.token} if approval.status == "InProgress" else {}
    return {"status": approval.status, "summary": approval.summary, **token}
