"""CodeBuild's API, in the place of moto's, whose builds run nothing and always succeed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from localaws import roles
from localaws.codebuild import builds, projects
from localaws.own_service import InvalidInput, OwnService, ResourceNotFound

PAGE = 100
"""Items of one answer."""

PRINCIPAL = "codebuild.amazonaws.com"
"""The service in trust policies."""


class CodeBuild(OwnService):
    """Projects and builds. Builds are started by pipelines alone: there is no StartBuild."""

    service = "codebuild"

    def create_project(self) -> ActionResult:
        """CreateProject."""
        request = self.request
        self._check_role(request["serviceRole"], request["name"])
        return ActionResult({"project": projects.create(self.current_account, self.region, request)})

    def update_project(self) -> ActionResult:
        """UpdateProject."""
        request = self.request
        if "serviceRole" in request:
            self._check_role(request["serviceRole"], request["name"])
        return ActionResult({"project": projects.update(self.current_account, self.region, request)})

    def _check_role(self, role: str, name: str) -> None:
        project = projects.arn(self.current_account, self.region, name)
        try:
            roles.check(role, by=PRINCIPAL, source_account=self.current_account, source_arn=project)
        except roles.AccessDenied as error:
            raise InvalidInput(f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}") from error

    def delete_project(self) -> ActionResult:
        """DeleteProject, which succeeds for one that does not exist."""
        projects.of(self.current_account, self.region).pop(self.request["name"], None)
        return EmptyResult()

    def batch_get_projects(self) -> ActionResult:
        """BatchGetProjects, by names or ARNs."""
        by_name = projects.of(self.current_account, self.region)
        by_either = {**by_name, **{project["arn"]: project for project in by_name.values()}}
        found, missing = _partition(self.request["names"], by_either)
        return ActionResult({"projects": found, "projectsNotFound": missing})

    def list_projects(self) -> ActionResult:
        """ListProjects, by name; other orders are not emulated."""
        request = self.request
        if request.get("sortBy", "NAME") != "NAME":
            raise InvalidInput(f"sortBy {request['sortBy']} is not emulated")
        names = sorted(projects.of(self.current_account, self.region))
        if request.get("sortOrder") == "DESCENDING":
            names.reverse()
        return self._page("projects", names)

    def batch_get_builds(self) -> ActionResult:
        """BatchGetBuilds, by ids or ARNs."""
        by_id = builds.of(self.current_account, self.region)
        by_either = {**by_id, **{build.arn: build for build in by_id.values()}}
        found, missing = _partition(self.request["ids"], by_either)
        return ActionResult({"builds": [build.described() for build in found], "buildsNotFound": missing})

    def list_builds(self) -> ActionResult:
        """ListBuilds."""
        return self._build_ids(list(builds.of(self.current_account, self.region)))

    def list_builds_for_project(self) -> ActionResult:
        """ListBuildsForProject."""
        name = self.request["projectName"]
        projects.get(self.current_account, self.region, name)
        found = builds.of(self.current_account, self.region).items()
        return self._build_ids([key for key, build in found if build.project["name"] == name])

    def stop_build(self) -> ActionResult:
        """StopBuild: its processes end in a moment, and its status is then STOPPED."""
        wanted = self.request["id"]
        if ":" not in wanted:
            raise InvalidInput("Invalid build ID provided")
        for build in builds.of(self.current_account, self.region).values():
            if wanted in (build.id, build.arn):
                build.stop.set()
                return ActionResult({"build": build.described()})
        raise ResourceNotFound(f"Build {wanted} does not exist")

    def _build_ids(self, newest_first: list[str]) -> ActionResult:
        if self.request.get("sortOrder", "DESCENDING") == "ASCENDING":
            newest_first.reverse()
        return self._page("ids", newest_first)

    def _page(self, key: str, items: Sequence[str]) -> ActionResult:
        token = str(self.request.get("nextToken") or "0")
        if not token.isdecimal() or int(token) > len(items):
            raise InvalidInput(f"nextToken {token} is not one of this list's")
        end = int(token) + PAGE
        following = {"nextToken": str(end)} if end < len(items) else {}
        return ActionResult({key: items[int(token) : end], **following})


def _partition(wanted: Sequence[str], known: dict[str, Any]) -> tuple[list[Any], list[str]]:
    """What is known of the wanted, and the names of the others."""
    return [known[name] for name in wanted if name in known], [name for name in wanted if name not in known]
