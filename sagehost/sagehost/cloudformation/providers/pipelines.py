"""CodePipeline, CodeBuild and CodeConnections: resources that are checked and stored, and that run nothing here."""

import uuid
from typing import Any

from sagehost.aws_errors import Refused
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    ResourceNotFound,
    already_exists,
    failure,
)
from sagehost.pipelines.definition import Definition
from sagehost.pipelines.store import RESOURCES, status
from sagehost.validation import Asked, rules


class _Stored(Provider):
    """A provider that stores the properties once `validation.rules` has let them pass."""

    def create(self, resource: Resource, properties: Props) -> str:
        arn = "arn:{partition}:codeconnections:{region}:{account}:connection/" + str(uuid.uuid4())
        given = properties.get(self.name) or resource.generated_name(self.longest_name)
        physical_id = str(given) if self.name else resource.text(arn, {})
        if physical_id in self._all(resource):
            raise already_exists(self.type, physical_id)
        resource.authorize(self.create_with, {**properties, self.name or "ConnectionArn": physical_id})
        self._store(resource, physical_id, properties)
        return physical_id

    def update(self, resource: Resource, properties: Props) -> None:
        resource.authorize(self.update_with, {**properties, self.name or "ResourceArn": resource.id})
        self._store(resource, resource.id, properties)

    def delete(self, resource: Resource, _: Props) -> None:
        resource.authorize(self.delete_with, {self.name or "ConnectionArn": resource.id})
        if self._all(resource).pop(resource.id, None) is None:
            raise ResourceNotFound(f"{resource.id} does not exist")

    def _all(self, resource: Resource) -> dict[str, dict[str, Any]]:
        return RESOURCES[resource.account, resource.region, self.type]

    def _store(self, resource: Resource, physical_id: str, properties: Props) -> None:
        wanted = {**properties, self.name: physical_id} if self.name else dict(properties)
        _, service, kind = self.type.split("::")
        given = Definition(wanted, resource.region, resource.account).request if kind == "Pipeline" else wanted
        place = {"account": resource.account, "region": resource.region, "access_key": ""}
        try:
            rules.check(Asked(service=service.lower(), operation=f"Create{kind}", given=given, **place))
        except Refused as error:
            raise failure(service, error.code, error.message) from error
        except NotImplementedError as error:
            raise ResourceFailure(f"{error} (not emulated)") from error
        self._all(resource)[physical_id] = wanted


_PROJECT_ARN = "arn:{partition}:codebuild:{region}:{account}:project/"

PROVIDERS = (
    _Stored(
        "AWS::CodePipeline::Pipeline",
        update_with="update_pipeline",
        sends="Name RoleArn ArtifactStore ArtifactStores Stages PipelineType ExecutionMode Triggers Variables "
        "RestartExecutionOnUpdate DisableInboundStageTransitions Tags",
        name="Name",
        longest_name=100,
        attributes={"Arn": "arn:{partition}:codepipeline:{region}:{account}:{id}"},
    ),
    _Stored(
        "AWS::CodeBuild::Project",
        update_with="update_project",
        sends="Name Description Source Artifacts Environment ServiceRole EncryptionKey Cache LogsConfig "
        "TimeoutInMinutes QueuedTimeoutInMinutes Tags",
        name="Name",
        longest_name=150,
        attributes={"Arn": f"{_PROJECT_ARN}{{id}}"},
    ),
    _Stored(
        "AWS::CodeConnections::Connection",
        update_with="tag_resource",
        sends="ConnectionName ProviderType Tags",
        attributes={
            "ConnectionStatus": lambda resource, _: status(resource.id),
            "OwnerAccountId": "{account}",
        },
    ),
)
