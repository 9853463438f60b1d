"""CodeBuild's projects: what can be said in one, and which there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException

from localaws.own_service import InvalidInput, ResourceNotFound

Project = dict[str, Any]
"""A project as BatchGetProjects shows it."""

_CARRIED = frozenset(
    (
        "artifacts",
        "badgeEnabled",
        "cache",
        "description",
        "encryptionKey",
        "environment",
        "logsConfig",
        "name",
        "queuedTimeoutInMinutes",
        "serviceRole",
        "source",
        "tags",
        "timeoutInMinutes",
    )
)
"""Members of CreateProject and UpdateProject that are emulated."""

_SOURCE_MEMBERS = frozenset(("type", "buildspec", "gitCloneDepth", "insecureSsl"))
_ENVIRONMENT_MEMBERS = frozenset(
    ("type", "image", "computeType", "environmentVariables", "privilegedMode", "imagePullCredentialsType")
)
_CACHE_MODES = frozenset(("LOCAL_CUSTOM_CACHE", "LOCAL_SOURCE_CACHE"))


class AlreadyExists(ServiceException):
    """There is a project of this name."""

    code = "ResourceAlreadyExistsException"


_PROJECTS: dict[tuple[str, str], dict[str, Project]] = {}


def of(account: str, region: str) -> dict[str, Project]:
    """The projects of an account and region, by name."""
    return _PROJECTS.setdefault((account, region), {})


def arn(account: str, region: str, name: str) -> str:
    """The ARN of a project."""
    return f"arn:aws:codebuild:{region}:{account}:project/{name}"


def get(account: str, region: str, name: str) -> Project:
    """A project by its name.

    Raises:
        ResourceNotFound: there is none.
    """
    project = of(account, region).get(name)
    if project is None:
        raise ResourceNotFound(f"Project cannot be found: {arn(account, region, name)}")
    return project


def create(account: str, region: str, given: Mapping[str, Any]) -> Project:
    """Make a project with CodeBuild's defaults.

    Raises:
        AlreadyExists: one of this name exists.
        InvalidInput: something is not emulated, or does not go together.
    """
    name = given["name"]
    if name in of(account, region):
        raise AlreadyExists(f"Project already exists: {arn(account, region, name)}")
    now = datetime.now(UTC)
    defaults = {
        "cache": {"type": "NO_CACHE"},
        "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480,
        "encryptionKey": f"arn:aws:kms:{region}:{account}:alias/aws/s3",
        "tags": [],
        "badge": {"badgeEnabled": False},
        "projectVisibility": "PRIVATE",
    }
    project = {**defaults, **_members(given), "arn": arn(account, region, name), "created": now, "lastModified": now}
    _check(project, account)
    of(account, region)[name] = project
    return project


def update(account: str, region: str, given: Mapping[str, Any]) -> Project:
    """Change the members of a project that are given, and leave the others.

    Raises:
        ResourceNotFound: there is no project of this name.
        InvalidInput: as for `create`.
    """
    present = get(account, region, given["name"])
    project = {**present, **_members(given), "lastModified": datetime.now(UTC)}
    _check(project, account)
    of(account, region)[given["name"]] = project
    return project


def _members(given: Mapping[str, Any]) -> Project:
    """The members of a request without those that ask for nothing.

    Raises:
        InvalidInput: one of the others is not emulated.
    """
    asked = {name: value for name, value in given.items() if value not in (None, [], {}) or name in _CARRIED}
    _only(asked, _CARRIED, "")
    if asked.pop("badgeEnabled", False):
        raise InvalidInput("badgeEnabled is not emulated: badges are of public sources")
    return asked


def _only(given: Mapping[str, Any], carried: frozenset[str], place: str) -> None:
    if unknown := sorted(set(given) - carried):
        raise InvalidInput(f"{place}{unknown[0]} is not emulated")


def _check(project: Mapping[str, Any], account: str) -> None:
    """Refuse what CodeBuild refuses, and by name what is not emulated."""
    source, artifacts = project["source"], project["artifacts"]
    if (source["type"], artifacts["type"]) not in {("CODEPIPELINE", "CODEPIPELINE"), ("NO_SOURCE", "NO_ARTIFACTS")}:
        raise InvalidInput(
            f"Source type {source['type']} with artifact type {artifacts['type']} is not emulated: both are "
            "CODEPIPELINE, or NO_SOURCE and NO_ARTIFACTS"
        )
    _only(source, _SOURCE_MEMBERS, "source.")
    if source["type"] == "NO_SOURCE" and not source.get("buildspec"):
        raise InvalidInput("Project source has to have a buildspec if its type is NO_SOURCE")
    if not project["serviceRole"].startswith(f"arn:aws:iam::{account}:role/"):
        raise InvalidInput("Invalid service role: Service role account ID does not match caller's account")
    _check_environment(project["environment"])
    _check_cache(project["cache"])
    s3_logs = project.get("logsConfig", {}).get("s3Logs", {"status": "DISABLED"})
    if s3_logs["status"] != "DISABLED":
        raise InvalidInput("logsConfig.s3Logs is not emulated")


def _check_environment(environment: Mapping[str, Any]) -> None:
    _only(environment, _ENVIRONMENT_MEMBERS, "environment.")
    if not environment["type"].startswith(("LINUX_", "ARM_")):
        raise InvalidInput(f"Environment type {environment['type']} is not emulated")
    if environment.get("privilegedMode"):
        raise InvalidInput("environment.privilegedMode is not emulated")
    for variable in environment.get("environmentVariables", []):
        if variable.get("type", "PLAINTEXT") != "PLAINTEXT":
            raise InvalidInput(f"Type {variable['type']} of environment variable {variable['name']} is not emulated")


def _check_cache(cache: Mapping[str, Any]) -> None:
    if cache["type"] == "S3":
        raise InvalidInput("Cache type S3 is not emulated")
    if cache["type"] == "LOCAL" and not cache.get("modes"):
        raise InvalidInput("Invalid cache: at least one mode is needed for a cache of type LOCAL")
    if unknown := sorted(set(cache.get("modes", [])) - _CACHE_MODES):
        raise InvalidInput(f"Cache mode {unknown[0]} is not emulated")
