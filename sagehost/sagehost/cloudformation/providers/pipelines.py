"""CodePipeline, CodeBuild and CodeConnections: resources that are checked and stored, and that run nothing here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sagehost import roles
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Absent, Attribute, Context, Props, Provider
from sagehost.cloudformation.providers.calls import arn, itself, names
from sagehost.cloudformation.values import Json, as_text
from sagehost.pipelines.definition import Definition, InvalidDefinition
from sagehost.pipelines.rules import check
from sagehost.pipelines.store import RESOURCES, status


def _failure(service: str, code: str, message: str) -> ResourceFailure:
    where = f"(Service: {service}, Status Code: 400, Error Code: {code})"
    return ResourceFailure(f'Resource handler returned message: "{message}" {where}')


def _of(context: Context) -> dict[str, dict[str, Any]]:
    return RESOURCES[context.account, context.region, context.resource_type]


def _stored(
    sends: str,
    checked: Callable[[Context, dict[str, Any]], None],
    attributes: Mapping[str, Attribute],
    *,
    name: str | None,
    longest_name: int = 100,
) -> Provider:
    """A provider that stores the properties in `sends` once `checked` has let them pass."""

    def create(context: Context, properties: Props) -> str:
        if name is None:
            physical_id = context.arn("codeconnections", f"connection/{uuid.uuid4()}")
        else:
            physical_id = str(properties.get(name) or context.made_up_name(longest_name))
        if physical_id in _of(context):
            raise ResourceFailure(
                f"Resource of type '{context.resource_type}' with identifier '{physical_id}' already exists."
            )
        update(context, physical_id, properties)
        return physical_id

    def update(context: Context, physical_id: str, properties: Props) -> None:
        wanted = {**properties, name: physical_id} if name else dict(properties)
        try:
            checked(context, wanted)
        except NotImplementedError as error:
            raise ResourceFailure(f"{error} (not emulated)") from error
        _of(context)[physical_id] = wanted

    def delete(context: Context, physical_id: str, _: Props) -> None:
        if _of(context).pop(physical_id, None) is None:
            raise Absent(f"{physical_id} does not exist")

    return Provider(
        create=create,
        update=update,
        delete=delete,
        sends=names(sends),
        name=name,
        attributes=attributes,
        system_tags=True,
    )


def _check_pipeline(context: Context, properties: dict[str, Any]) -> None:
    definition = Definition(properties, context.region, context.account)
    try:
        check(definition)
    except InvalidDefinition as error:
        raise _failure("CodePipeline", error.code, str(error)) from error
    if not _trusts(context, definition.role_arn, "codepipeline", definition.arn):
        message = f"CodePipeline is not authorized to perform AssumeRole on role {definition.role_arn}"
        raise _failure("CodePipeline", "InvalidStructureException", message)


_ENVIRONMENT = names("Type Image ComputeType EnvironmentVariables PrivilegedMode ImagePullCredentialsType")


def _check_project(context: Context, properties: dict[str, Any]) -> None:
    source, environment, role = properties["Source"], properties["Environment"], properties["ServiceRole"]
    if (source["Type"], properties["Artifacts"]["Type"]) != ("CODEPIPELINE", "CODEPIPELINE"):
        raise NotImplementedError(f"Source type {source['Type']}: sources and artifacts are CODEPIPELINE")
    for given, known in ((source, names("Type BuildSpec")), (environment, _ENVIRONMENT)):
        if unknown := sorted(set(given) - known):
            raise NotImplementedError(unknown[0])
    if not environment["Type"].startswith(("LINUX_", "ARM_")) or _is_true(environment.get("PrivilegedMode")):
        raise NotImplementedError(f"Environment type {environment['Type']}, or PrivilegedMode")
    for variable in environment.get("EnvironmentVariables", []):
        if variable.get("Type", "PLAINTEXT") != "PLAINTEXT":
            raise NotImplementedError(f"Type {variable['Type']} of environment variable {variable['Name']}")
    cache = properties.get("Cache", {"Type": "NO_CACHE"})
    if cache["Type"] == "S3":
        raise NotImplementedError("Cache type S3")
    if cache["Type"] == "LOCAL" and not cache.get("Modes"):
        message = "Invalid cache: at least one mode is needed for a cache of type LOCAL"
        raise _failure("CodeBuild", "InvalidInputException", message)
    if properties.get("LogsConfig", {}).get("S3Logs", {}).get("Status", "DISABLED") != "DISABLED":
        raise NotImplementedError("LogsConfig.S3Logs")
    if not role.startswith(f"arn:aws:iam::{context.account}:role/"):
        message = "Invalid service role: Service role account ID does not match caller's account"
        raise _failure("CodeBuild", "InvalidInputException", message)
    if not _trusts(context, role, "codebuild", context.arn("codebuild", f"project/{properties['Name']}")):
        message = f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}"
        raise _failure("CodeBuild", "InvalidInputException", message)


def _trusts(context: Context, role: str, service: str, source_arn: str) -> bool:
    try:
        roles.check(role, by=f"{service}.amazonaws.com", source_account=context.account, source_arn=source_arn)
    except roles.AccessDenied:
        return False
    return True


def _check_connection(_: Context, properties: dict[str, Any]) -> None:
    if "ProviderType" not in properties:
        raise _failure("CodeConnections", "InvalidInputException", "Either a ProviderType or a HostArn is required")


def _is_true(value: Json) -> bool:
    return as_text(value) == "true" if value is not None else False


PROVIDERS: Mapping[str, Provider] = {
    "AWS::CodePipeline::Pipeline": _stored(
        "Name RoleArn ArtifactStore ArtifactStores Stages PipelineType ExecutionMode Triggers Variables "
        "RestartExecutionOnUpdate DisableInboundStageTransitions Tags",
        _check_pipeline,
        {"Arn": arn("codepipeline", "")},
        name="Name",
    ),
    "AWS::CodeBuild::Project": _stored(
        "Name Description Source Artifacts Environment ServiceRole EncryptionKey Cache LogsConfig TimeoutInMinutes "
        "QueuedTimeoutInMinutes Tags",
        _check_project,
        {"Arn": arn("codebuild", "project/"), "Id": itself},
        name="Name",
        longest_name=150,
    ),
    "AWS::CodeConnections::Connection": _stored(
        "ConnectionName ProviderType Tags",
        _check_connection,
        {
            "ConnectionArn": itself,
            "ConnectionStatus": lambda _, connection, __: status(connection),
            "OwnerAccountId": lambda context, _, __: context.account,
        },
        name=None,
    ),
}
