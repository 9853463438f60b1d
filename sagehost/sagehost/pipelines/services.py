"""Of CodePipeline and CodeConnections, what the project's own commands call: approvals, and how a connection is."""

from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult

from sagehost import roles
from sagehost.aws_errors import Refused
from sagehost.moto_app import OwnService
from sagehost.pipelines.definition import Definition
from sagehost.pipelines.store import APPROVALS, RESOURCES, Approval, status


class CodePipeline(OwnService):
    """Approvals."""

    service = "codepipeline"

    def get_pipeline_state(self) -> ActionResult:
        """GetPipelineState: of what has run, the approvals."""
        name = self.request["name"]
        definition = self._definition(name)
        stages = []
        for stage in definition.stages:
            asked = {action.name: self._approval(name, stage.name, action.name) for action in stage.actions}
            shown = {"actionStates": [_shown(action, approval) for action, approval in asked.items()]}
            executions = [approval.execution for approval in asked.values() if approval]
            latest = {"latestExecution": {"pipelineExecutionId": executions[-1]}} if executions else {}
            stages.append({"stageName": stage.name, **shown, **latest})
        return ActionResult({"pipelineName": name, "stageStates": stages})

    def put_approval_result(self) -> ActionResult:
        """PutApprovalResult."""
        request = self.request
        name, stage, action = request["pipelineName"], request["stageName"], request["actionName"]
        self._definition(name, f"/{stage}/{action}")
        approval = self._approval(name, stage, action)
        if approval is None or approval.token != request["token"]:
            raise Refused("InvalidApprovalTokenException", "The token is not that of a pending approval.")
        if approval.status != "InProgress":
            raise Refused("ApprovalAlreadyCompletedException", "The approval has been approved or rejected.")
        approval.summary = request["result"]["summary"]
        approval.status = "Succeeded" if request["result"]["status"] == "Approved" else "Failed"
        return ActionResult({"approvedAt": datetime.now(UTC)})

    def _approval(self, name: str, stage: str, action: str) -> Approval | None:
        return APPROVALS.get((self.current_account, self.region, name, stage, action))

    def _definition(self, name: str, within: str = "") -> Definition:
        """A pipeline on which, or on the action `within`, the caller may do this: a role's session by its policies."""
        caller, operation = roles.identity(str(self.access_key)), f"codepipeline:{self._get_action()}"
        resource = f"arn:{self.partition}:codepipeline:{self.region}:{self.current_account}:{name}{within}"
        if caller.role is not None and not roles.allows_action(caller.role.arn, operation, resource, "{}", {}):
            raise Refused(
                "AccessDeniedException",
                f"User: {caller.arn} is not authorized to perform: {operation} on resource: {resource} because no "
                f"identity-based policy allows the {operation} action",
            )
        found = RESOURCES[self.current_account, self.region, "AWS::CodePipeline::Pipeline"].get(name)
        if found is None:
            message = f"Account '{self.current_account}' does not have a pipeline with name '{name}'"
            raise Refused("PipelineNotFoundException", message)
        return Definition(found, self.region, self.current_account)


def _shown(action: str, approval: Approval | None) -> dict[str, Any]:
    if approval is None:
        return {"actionName": action}
    token = {"token": approval.token} if approval.status == "InProgress" else {}
    return {"actionName": action, "latestExecution": {"status": approval.status, "summary": approval.summary, **token}}


class CodeConnections(OwnService):
    """Connections, which moto lacks."""

    service = "codeconnections"

    def get_connection(self) -> ActionResult:
        """GetConnection."""
        arn: str = self.request["ConnectionArn"]
        found = RESOURCES[self.current_account, self.region, "AWS::CodeConnections::Connection"].get(arn)
        if found is None:
            raise Refused("ResourceNotFoundException", f"Connection {arn} not found")
        described = {
            "ConnectionName": found["ConnectionName"],
            "ConnectionArn": arn,
            "ProviderType": found["ProviderType"],
            "OwnerAccountId": self.current_account,
            "ConnectionStatus": status(arn),
        }
        return ActionResult({"Connection": described})


class CodeStarConnections(CodeConnections):
    """The service under its former name, which its endpoint and the ARNs that it makes still have."""

    service = "codestar-connections"
