"""What every operation of the API needs of its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult, BaseResponse

from localaws import roles
from localaws.codepipeline.errors import (
    AccessDenied,
    InvalidArn,
    InvalidNextToken,
    PipelineExecutionNotFound,
    PipelineNotFound,
    ResourceNotFound,
    StageNotFound,
    ValidationError,
)
from localaws.codepipeline.execution import Execution
from localaws.codepipeline.pipeline import Pipeline
from localaws.codepipeline.store import Pipelines, pipelines
from localaws.hosting import permissions
from localaws.hosting.constraints import violations

PAGE = 100
"""Items in one answer, at most and unless given."""


class Operations(BaseResponse):
    """One request. moto calls the method that is named like the operation."""

    def __init__(self) -> None:
        super().__init__(service_name="codepipeline")
        self.automated_parameter_parsing = True

    @property
    def request(self) -> Mapping[str, Any]:
        """The request's parameters, as botocore's model names them. Raises ValidationError."""
        parameters: Mapping[str, Any] = self._get_params()
        if message := violations("codepipeline", self._get_action(), parameters):
            raise ValidationError(message)
        return parameters

    @property
    def caller(self) -> roles.Identity:
        """Who asks."""
        return roles.identity(str(self.access_key))

    def authorize(self, name: str, within: str = "") -> None:
        """Raise AccessDenied if a role's session asks, and the role's policies do not allow it on this pipeline.

        `within` names the stage or the action that it is about.
        """
        caller, operation = self.caller, f"codepipeline:{self._get_action()}"
        resource = f"arn:{self.partition}:codepipeline:{self.region}:{self.current_account}:{name}{within}"
        if caller.role is not None and not permissions.allows(caller.role.arn, operation, resource, "{}"):
            raise AccessDenied(
                f"User: {caller.arn} is not authorized to perform: {operation} on resource: {resource} because no "
                f"identity-based policy allows the {operation} action"
            )

    @property
    def pipelines(self) -> Pipelines:
        """The pipelines of the caller's account and region."""
        return pipelines(self.current_account, self.region)

    def pipeline(self, name: str, within: str = "") -> Pipeline:
        """The pipeline of this name, that the caller may do this with. Raises AccessDenied or PipelineNotFound."""
        self.authorize(name, within)
        if name not in self.pipelines:
            raise PipelineNotFound(
                f"Account '{self.current_account}' does not have a pipeline with name '{name}'",
            )
        return self.pipelines[name]

    def pipeline_of(self, arn: str) -> Pipeline:
        """The pipeline of this ARN. Raises InvalidArn or ResourceNotFound."""
        parts = arn.split(":")
        if parts[:-3] != ["arn", self.partition, "codepipeline"]:
            raise InvalidArn(f"{arn} is not the ARN of a pipeline")
        name = parts[-1]
        self.authorize(name)
        if parts[-3:-1] != [self.region, self.current_account] or name not in self.pipelines:
            raise ResourceNotFound(
                f"The account with id '{self.current_account}' does not include a pipeline with the name '{name}'"
            )
        return self.pipelines[name]

    def execution(self, pipeline: Pipeline, execution_id: str) -> Execution:
        """The execution of this id. Raises PipelineExecutionNotFound."""
        found = pipeline.execution(execution_id)
        if found is None:
            raise PipelineExecutionNotFound(
                f"Pipeline '{pipeline.definition.name}' does not have an execution with id '{execution_id}'"
            )
        return found

    def check_stage(self, pipeline: Pipeline, stage: str) -> None:
        """Raise StageNotFound unless the pipeline has this stage."""
        if stage not in pipeline.flow.places:
            raise StageNotFound(f"Pipeline '{pipeline.definition.name}' does not have a stage with name '{stage}'")

    def page(self, key: str, items: Sequence[Any]) -> ActionResult:
        """One page of the items, and where the next one begins."""
        request = self.request
        token = str(request.get("nextToken", "0"))
        if not token.isascii() or not token.isdecimal() or int(token) > len(items):
            raise InvalidNextToken(f"The next token {token} is not valid")
        start = int(token)
        end = start + int(request.get("maxResults") or PAGE)
        following = {"nextToken": str(end)} if end < len(items) else {}
        return ActionResult({key: list(items[start:end]), **following})
