"""Builds in accounts of their own, run in this process with real shells."""

from __future__ import annotations

import itertools
import json
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localaws import codebuild, moto_app
from localaws.codebuild import BuildResult
from tests.unit.fresh_accounts import fresh_account

REGION = "us-east-1"


def commands(**phases: list[str] | Mapping[str, Any]) -> dict[str, Any]:
    """A buildspec with these commands, or these whole phases."""
    shaped = {name: phase if isinstance(phase, Mapping) else {"commands": phase} for name, phase in phases.items()}
    return {"version": "0.2", "phases": shaped}


class Builder:
    """An account with a project."""

    def __init__(self, folder: Path) -> None:
        self.id = fresh_account()
        self.folder = folder
        self._projects = itertools.count(1)
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codebuild.amazonaws.com"}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        made = self.client("iam").create_role(RoleName="builds", AssumeRolePolicyDocument=policy)
        self.role = str(made["Role"]["Arn"])
        self.permit("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.id, REGION)

    def permit(self, *actions: str) -> None:
        """Let builds do just this."""
        allowed = {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:logs:{REGION}:{self.id}:log-group:*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.client("iam").put_role_policy(RoleName="builds", PolicyName="logs", PolicyDocument=policy)

    def delete_role(self) -> None:
        self.client("iam").delete_role_policy(RoleName="builds", PolicyName="logs")
        self.client("iam").delete_role(RoleName="builds")

    def project(self, buildspec: Any = "", **given: Any) -> str:
        """The name of a new project."""
        name = f"project-{next(self._projects)}"
        text = buildspec if isinstance(buildspec, str) else json.dumps(buildspec)
        properties = {
            "source": {"type": "CODEPIPELINE", "buildspec": text},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": {"type": "LINUX_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"},
            "serviceRole": self.role,
        }
        self.client("codebuild").create_project(name=name, **properties | given)
        return name

    def archive(self, files: Mapping[str, str]) -> Path:
        """A zip archive; what begins with `#!` may be executed."""
        path = self.folder / f"source-{next(self._projects)}.zip"
        with zipfile.ZipFile(path, "w") as made:
            for name, text in files.items():
                member = zipfile.ZipInfo(name)
                member.external_attr = (0o100755 if text.startswith("#!") else 0o100644) << 16
                made.writestr(member, text)
        return path

    def run(self, project: str, files: Mapping[str, str] | None = None, **options: Any) -> BuildResult:
        """Run a build with these files as its primary source."""
        given: dict[str, Any] = {
            "sources": {"Source": self.archive(files or {"file.txt": "text"})},
            "primary": "Source",
            "environment": {},
            "initiator": "codepipeline/test",
            "cancelled": threading.Event(),
        }
        return codebuild.run(project, self.id, REGION, **given | options)

    def build(self, buildspec: Any, files: Mapping[str, str] | None = None, **options: Any) -> BuildResult:
        """Run a build of a new project."""
        return self.run(self.project(buildspec), files, **options)

    def log(self, result: BuildResult) -> list[str]:
        """The lines of a build's log that its commands have written."""
        events = self.client("logs").get_log_events(
            logGroupName=result.log_group, logStreamName=result.log_stream, startFromHead=True
        )["events"]
        return [event["message"] for event in events if not event["message"].startswith("[Container]")]

    def printed(self, *lines: str, **options: Any) -> list[str]:
        """What commands print in a build that succeeds."""
        result = self.build(commands(build=list(lines)), **options)
        assert result.status == "SUCCEEDED", (result.reason, self.log(result))
        return self.log(result)


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    folder = tmp_path / "with a space"
    folder.mkdir()
    codebuild.install(codebuild.Settings("http://localhost:1", folder / "builds"))
    return Builder(folder)
