"""Operations on pipelines: create, show, update, delete, tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moto.core.responses import ActionResult, EmptyResult

from localaws import roles
from localaws.codepipeline.api_requests import Operations
from localaws.codepipeline.definition import Definition, completed
from localaws.codepipeline.errors import (
    InvalidStructure,
    InvalidTags,
    PipelineNameInUse,
    PipelineVersionNotFound,
    TooManyTags,
)
from localaws.codepipeline.flow import Disabled
from localaws.codepipeline.identity import SERVICE
from localaws.codepipeline.pipeline import Pipeline
from localaws.codepipeline.rules import check
from localaws.codepipeline.store import surroundings

MOST_TAGS = 50

_OF_CLOUDFORMATION = "aws:cloudformation:"
"""Begins the system tags that CloudFormation may put, which here calls like any other client."""


class Pipelines(Operations):
    """Pipelines as such."""

    def create_pipeline(self) -> ActionResult:
        """CreatePipeline, which starts an execution."""
        request = self.request
        declared, tags = request["pipeline"], request.get("tags", [])
        self.authorize(declared["name"])
        if declared["name"] in self.pipelines:
            raise PipelineNameInUse(
                f"A pipeline with the name '{declared['name']}' already exists in account '{self.current_account}'"
            )
        pipeline = Pipeline(
            self._checked(completed(declared, 1)), self._merged({}, tags, declared["name"]), surroundings()
        )
        self.pipelines[declared["name"]] = pipeline
        pipeline.start(("CreatePipeline", self.caller.arn))
        return ActionResult({"pipeline": pipeline.definition.declared, "tags": tags})

    def update_pipeline(self) -> ActionResult:
        """UpdatePipeline, which cancels the executions under way."""
        declared = self.request["pipeline"]
        pipeline = self.pipeline(declared["name"])
        definition = self._checked(completed(declared, pipeline.definition.version + 1))
        pipeline.redefine(definition)
        return ActionResult({"pipeline": definition.declared})

    def get_pipeline(self) -> ActionResult:
        """GetPipeline, of the present or of an earlier version."""
        request = self.request
        pipeline = self.pipeline(request["name"])
        version = request.get("version", pipeline.definition.version)
        if version not in pipeline.versions:
            raise PipelineVersionNotFound(f"Pipeline '{request['name']}' does not have a version {version}")
        definition = pipeline.versions[version]
        metadata = {"pipelineArn": definition.arn, "created": pipeline.created, "updated": pipeline.updated}
        return ActionResult({"pipeline": definition.declared, "metadata": metadata})

    def list_pipelines(self) -> ActionResult:
        """ListPipelines, by name."""
        self.authorize("*")
        summaries = [
            {
                **{key: one.definition.declared[key] for key in ("name", "version", "pipelineType", "executionMode")},
                "created": one.created,
                "updated": one.updated,
            }
            for _, one in sorted(self.pipelines.items())
        ]
        return self.page("pipelines", summaries)

    def delete_pipeline(self) -> ActionResult:
        """DeletePipeline; that of one that is gone succeeds."""
        name = self.request["name"]
        self.authorize(name)
        if pipeline := self.pipelines.pop(name, None):
            with pipeline.lock:
                pipeline.flow.close()
        return EmptyResult()

    def disable_stage_transition(self) -> ActionResult:
        """DisableStageTransition, of inbound transitions."""
        request = self.request
        pipeline = self.pipeline(request["pipelineName"], f"/{request['stageName']}")
        self.check_stage(pipeline, request["stageName"])
        self._refuse_outbound()
        with pipeline.lock:
            pipeline.flow.places[request["stageName"]].disabled = Disabled(request["reason"], self.caller.arn)
        return EmptyResult()

    def enable_stage_transition(self) -> ActionResult:
        """EnableStageTransition, of inbound transitions."""
        request = self.request
        pipeline = self.pipeline(request["pipelineName"], f"/{request['stageName']}")
        self.check_stage(pipeline, request["stageName"])
        self._refuse_outbound()
        with pipeline.lock:
            pipeline.flow.enable(request["stageName"])
        return EmptyResult()

    def tag_resource(self) -> ActionResult:
        """TagResource."""
        request = self.request
        pipeline = self.pipeline_of(request["resourceArn"])
        pipeline.tags = self._merged(pipeline.tags, request["tags"], pipeline.definition.name)
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        """UntagResource."""
        request = self.request
        pipeline = self.pipeline_of(request["resourceArn"])
        pipeline.tags = {key: value for key, value in pipeline.tags.items() if key not in request["tagKeys"]}
        return EmptyResult()

    def list_tags_for_resource(self) -> ActionResult:
        """ListTagsForResource."""
        pipeline = self.pipeline_of(self.request["resourceArn"])
        return self.page("tags", [{"key": key, "value": value} for key, value in sorted(pipeline.tags.items())])

    def _checked(self, declared: Mapping[str, object]) -> Definition:
        definition = Definition(declared, self.region, self.current_account)
        check(definition)
        try:
            roles.check(definition.role_arn, by=SERVICE, source_account=definition.account, source_arn=definition.arn)
        except roles.AccessDenied as error:
            raise InvalidStructure(
                f"CodePipeline is not authorized to perform AssumeRole on role {definition.role_arn}"
            ) from error
        return definition

    def _refuse_outbound(self) -> None:
        if self.request["transitionType"] != "Inbound":
            raise NotImplementedError("transitionType Outbound")

    def _merged(self, tags: Mapping[str, str], added: Sequence[Mapping[str, str]], name: str) -> dict[str, str]:
        if any(tag["key"].startswith("aws:") and not tag["key"].startswith(_OF_CLOUDFORMATION) for tag in added):
            raise InvalidTags("Not allowed to modify system tags. System tags start with 'aws:'.")
        merged = {**tags, **{tag["key"]: tag["value"] for tag in added}}
        if len(merged) > MOST_TAGS:
            raise TooManyTags(f"Tag limit exceeded for resource [{name}].")
        return merged
