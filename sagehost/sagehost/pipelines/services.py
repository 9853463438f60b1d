"""Of CodePipeline and CodeConnections, what the project's own commands call: approvals, and how a connection is."""

from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult

from sagehost.aws_errors import Refused
from sagehost.moto_app import OwnService
from sagehost.pipelines.definition import Definition
from sagehost.pipelines.store import APPROVALS, PIPELINE, RESOURCES, Approval, status


class CodePipeline(OwnService):
    """Approvals. `validation.rules` refuses those that do not wait, and callers that may not."""

    service = "codepipeline"

    def get_pipeline_state(self) -> ActionResult:
        """GetPipelineState: of what has run, the approvals."""
        name, (account, region) = self.request["name"], self._place
        stages = []
        for stage in Definition(RESOURCES[account, region, PIPELINE][name], region, account).stages:
            asked = {one.name: APPROVALS.get((account, region, name, stage.name, one.name)) for one in stage.actions}
            shown = {"actionStates": [_shown(action, approval) for action, approval in asked.items()]}
            executions = [approval.execution for approval in asked.values() if approval]
            latest = {"latestExecution": {"pipelineExecutionId": executions[-1]}} if executions else {}
            stages.append({"stageName": stage.name, **shown, **latest})
        return ActionResult({"pipelineName": name, "stageStates": stages})

    def put_approval_result(self) -> ActionResult:
        """PutApprovalResult."""
        request, place = self.request, self._place
        approval = APPROVALS[*place, request["pipelineName"], request["stageName"], request["actionName"]]
        approval.summary = request["result"]["summary"]
        approval.status = "Succeeded" if request["result"]["status"] == "Approved" else "Failed"
        return ActionResult({"approvedAt": datetime.now(UTC)})

    @property
    def _place(self) -> tuple[str, str]:
        return self.current_account, self.region


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
