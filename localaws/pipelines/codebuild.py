"""CodeBuild: projects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from localaws import roles
from localaws.own_service import InvalidInput, OwnService, ResourceNotFound

PRINCIPAL = "codebuild.amazonaws.com"
"""The service in trust policies."""

_CARRIED = frozenset(
    ["artifacts", "badgeEnabled", "cache", "description", "encryptionKey", "environment", "logsConfig", "name", "queuedTimeoutInMinutes", "serviceRole", "source", "tags", "timeoutInMinutes"]
)
"""Members of CreateProject and UpdateProject that are emulated."""

_SOURCE_MEMBERS = frozenset(["type", "buildspec", "gitCloneDepth", "insecureSsl"])
_ENVIRONMENT_MEMBERS = frozenset(
    ["type", "image", "computeType", "environmentVariables", "privilegedMode", "imagePullCredentialsType"]
)
_CACHE_MODES = frozenset(("LOCAL_CUSTOM_CACHE", "LOCAL_SOURCE_CACHE"))

_PROJECTS: defaultdict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)


class AlreadyExists(ServiceException):
    """There is a project of this name."""

    code = "ResourceAlreadyExistsException"


class CodeBuild(OwnService):
    """Projects. Nothing is built here: `mistral7b pipeline rehearse` runs their commands."""

    service = "codebuild"

    def create_project(self) -> ActionResult:
        """CreateProject, with CodeBuild's defaults."""
        request = self.request
        defaults = {
            "cache": {"type": "NO_CACHE"},
            "timeoutInMinutes": 60,
            "queuedTimeoutInMinutes": 480,
            "encryptionKey": f"arn:aws:kms:{self.region}:{self.current_account}:alias/aws/s3",
            "tags": [],
        }
        if request["name"] in self._projects:
            raise AlreadyExists(f"Project already exists: {self._arn(request['name'])}")
        return self._stored({**defaults, **_members(request), "arn": self._arn(request["name"])})

    def update_project(self) -> ActionResult:
        """UpdateProject, which leaves what is not given as it was."""
        request = self.request
        if request["name"] not in self._projects:
            raise ResourceNotFound(f"Project cannot be found: {self._arn(request['name'])}")
        return self._stored({**self._projects[request["name"]], **_members(request)})

    def delete_project(self) -> ActionResult:
        """DeleteProject, which succeeds for one that does not exist."""
        self._projects.pop(self.request["name"], None)
        return EmptyResult()

    def batch_get_projects(self) -> ActionResult:
        """BatchGetProjects, by names."""
        wanted, known = self.request["names"], self._projects
        missing = [name for name in wanted if name not in known]
        return ActionResult(
            {"projects": [known[name] for name in wanted if name in known], "projectsNotFound": missing}
        )

    def list_projects(self) -> ActionResult:
        """ListProjects, by name."""
        return ActionResult({"projects": sorted(self._projects)})

    @property
    def _projects(self) -> dict[str, dict[str, Any]]:
        return _PROJECTS[self.current_account, self.region]

    def _arn(self, name: str) -> str:
        return f"arn:aws:codebuild:{self.region}:{self.current_account}:project/{name}"

    def _stored(self, project: dict[str, Any]) -> ActionResult:
        _check(project, self.current_account)
        try:
            roles.check(
                project["serviceRole"], by=PRINCIPAL, source_account=self.current_account, source_arn=project["arn"]
            )
        except roles.AccessDenied as error:
            raise InvalidInput(
                f"CodeBuild is not authorized to perform: sts:AssumeRole on {project['serviceRole']}"
            ) from error
        self._projects[project["name"]] = project
        return ActionResult({"project": project})


def _members(given: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a request without those that ask for nothing."""
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
    source, artifacts, environment = project["source"], project["artifacts"], project["environment"]
    if (source["type"], artifacts["type"]) != ("CODEPIPELINE", "CODEPIPELINE"):
        raise InvalidInput(
            f"Source type {source['type']} with artifact type {artifacts['type']} is not emulated: both are CODEPIPELINE"
        )
    _only(source, _SOURCE_MEMBERS, "source.")
    if not project["serviceRole"].startswith(f"arn:aws:iam::{account}:role/"):
        raise InvalidInput("Invalid service role: Service role account ID does not match caller's account")
    _only(environment, _ENVIRONMENT_MEMBERS, "environment.")
    if not environment["type"].startswith(("LINUX_", "ARM_")):
        raise InvalidInput(f"Environment type {environment['type']} is not emulated")
    if environment.get("privilegedMode"):
        raise InvalidInput("environment.privilegedMode is not emulated")
    for variable in environment.get("environmentVariables", []):
        if variable.get("type", "PLAINTEXT") != "PLAINTEXT":
            raise InvalidInput(f"Type {variable['type']} of environment variable {variable['name']} is not emulated")
    _check_cache(project["cache"])
    if project.get("logsConfig", {}).get("s3Logs", {"status": "DISABLED"})["status"] != "DISABLED":
        raise InvalidInput("logsConfig.s3Logs is not emulated")


def _check_cache(cache: Mapping[str, Any]) -> None:
    if cache["type"] == "S3":
        raise InvalidInput("Cache type S3 is not emulated")
    if cache["type"] == "LOCAL" and not cache.get("modes"):
        raise InvalidInput("Invalid cache: at least one mode is needed for a cache of type LOCAL")
    if unknown := sorted(set(cache.get("modes", [])) - _CACHE_MODES):
        raise InvalidInput(f"Cache mode {unknown[0]} is not emulated")
