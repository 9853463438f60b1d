"""CodePipeline, CodeBuild and CodeConnections: resources that are checked and stored, and that run nothing here."""

import uuid
from collections.abc import Callable
from typing import Any

from sagehost import roles
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
from sagehost.cloudformation.values import as_text
from sagehost.pipelines.definition import Definition
from sagehost.pipelines.store import RESOURCES, status
from sagehost.validation import Asked, rules

Check = Callable[[Resource, dict[str, Any]], None]


class _Stored(Provider):
    """A provider that stores the properties once `check` has let them pass."""

    def __init__(self, resource_type: str, check: Check, **row: Any) -> None:
        super().__init__(resource_type, **row)
        self._check = check

    def create(self, resource: Resource, properties: Props) -> str:
        arn = "arn:{partition}:codeconnections:{region}:{account}:connection/" + str(uuid.uuid4())
        given = properties.get(self.name) or resource.generated_name(self.longest_name)
        physical_id = str(given) if self.name else resource.text(arn, {})
        if physical_id in self._all(resource):
            raise already_exists(self.type, physical_id)
        self._store(resource, physical_id, properties)
        return physical_id

    def update(self, resource: Resource, properties: Props) -> None:
        self._store(resource, resource.id, properties)

    def delete(self, resource: Resource, _: Props) -> None:
        if self._all(resource).pop(resource.id, None) is None:
            raise ResourceNotFound(f"{resource.id} does not exist")

    def _all(self, resource: Resource) -> dict[str, dict[str, Any]]:
        return RESOURCES[resource.account, resource.region, self.type]

    def _store(self, resource: Resource, physical_id: str, properties: Props) -> None:
        wanted = {**properties, self.name: physical_id} if self.name else dict(properties)
        try:
            self._check(resource, wanted)
        except NotImplementedError as error:
            raise ResourceFailure(f"{error} (not emulated)") from error
        self._all(resource)[physical_id] = wanted


def _check_pipeline(resource: Resource, properties: dict[str, Any]) -> None:
    given = Definition(properties, resource.region, resource.account).request
    place = {"account": resource.account, "region": resource.region, "access_key": ""}
    try:
        rules.check(Asked(service="codepipeline", operation="CreatePipeline", given=given, **place))
    except Refused as error:
        raise failure("CodePipeline", error.code, error.message) from error


_KNOWN = {
    "Source": "Type BuildSpec",
    "Environment": "Type Image ComputeType EnvironmentVariables PrivilegedMode ImagePullCredentialsType",
}


def _check_project(resource: Resource, properties: dict[str, Any]) -> None:
    source, environment, role = properties["Source"], properties["Environment"], properties["ServiceRole"]
    if (source["Type"], properties["Artifacts"]["Type"]) != ("CODEPIPELINE", "CODEPIPELINE"):
        raise NotImplementedError(f"Source type {source['Type']}: sources and artifacts are CODEPIPELINE")
    for part, known in _KNOWN.items():
        if unknown := sorted(set(properties[part]).difference(known.split())):
            raise NotImplementedError(unknown[0])
    privileged = as_text(environment.get("PrivilegedMode", False)) == "true"
    if privileged or not environment["Type"].startswith(("LINUX_", "ARM_")):
        raise NotImplementedError(f"Environment type {environment['Type']}, or PrivilegedMode")
    for variable in environment.get("EnvironmentVariables", []):
        if variable.get("Type", "PLAINTEXT") != "PLAINTEXT":
            raise NotImplementedError(f"Type {variable['Type']} of environment variable {variable['Name']}")
    cache = properties.get("Cache", {"Type": "NO_CACHE"})
    if cache["Type"] == "S3":
        raise NotImplementedError("Cache type S3")
    if properties.get("LogsConfig", {}).get("S3Logs", {}).get("Status", "DISABLED") != "DISABLED":
        raise NotImplementedError("LogsConfig.S3Logs")
    if cache["Type"] == "LOCAL" and not cache.get("Modes"):
        raise _invalid("Invalid cache: at least one mode is needed for a cache of type LOCAL")
    if not role.startswith(f"arn:aws:iam::{resource.account}:role/"):
        raise _invalid("Invalid service role: Service role account ID does not match caller's account")
    if not _trusts(role, "codebuild", resource.text(_PROJECT_ARN, {}) + properties["Name"]):
        raise _invalid(f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")


def _invalid(message: str) -> ResourceFailure:
    return failure("CodeBuild", "InvalidInputException", message)


_PROJECT_ARN = "arn:{partition}:codebuild:{region}:{account}:project/"


def _trusts(role: str, service: str, source_arn: str) -> bool:
    try:
        roles.check(role, by=f"{service}.amazonaws.com", source_arn=source_arn)
    except roles.AccessDenied:
        return False
    return True


def _check_connection(_: Resource, properties: dict[str, Any]) -> None:
    if "ProviderType" not in properties:
        raise failure("CodeConnections", "InvalidInputException", "Either a ProviderType or a HostArn is required")


PROVIDERS = (
    _Stored(
        "AWS::CodePipeline::Pipeline",
        _check_pipeline,
        sends="Name RoleArn ArtifactStore ArtifactStores Stages PipelineType ExecutionMode Triggers Variables "
        "RestartExecutionOnUpdate DisableInboundStageTransitions Tags",
        name="Name",
        longest_name=100,
        attributes={"Arn": "arn:{partition}:codepipeline:{region}:{account}:{id}"},
    ),
    _Stored(
        "AWS::CodeBuild::Project",
        _check_project,
        sends="Name Description Source Artifacts Environment ServiceRole EncryptionKey Cache LogsConfig "
        "TimeoutInMinutes QueuedTimeoutInMinutes Tags",
        name="Name",
        longest_name=150,
        attributes={"Arn": f"{_PROJECT_ARN}{{id}}"},
    ),
    _Stored(
        "AWS::CodeConnections::Connection",
        _check_connection,
        sends="ConnectionName ProviderType Tags",
        attributes={
            "ConnectionStatus": lambda resource, _: status(resource.id),
            "OwnerAccountId": "{account}",
        },
    ),
)
