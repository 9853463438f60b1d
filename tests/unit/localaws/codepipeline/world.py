"""An account in which pipelines can do everything, with a stand-in for builds alone."""

from __future__ import annotations

import io
import json
import queue
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localaws.codebuild import runner
from localaws.codebuild.builds import Phase
from localaws.codepipeline import api_pipelines
from localaws.codepipeline.execution import ActionRun, Execution, StageRun, now
from localaws.codepipeline.surroundings import EmbeddedAws
from localaws.pipelines import connections
from tests.unit.localaws.codepipeline.accounts import PATIENCE_S, Account
from tests.unit.localaws.codepipeline.structures import REGION, source, stage

TOPIC = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "first"}}}}
WITH_OUTPUT = {**TOPIC, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}}
BROKEN = {
    "Resources": {"Key": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/it", "TargetKeyId": "gone"}}}
}


class Builder:
    """Stands in for CodeBuild's runner: takes note of what it is asked for, and makes what it is told to."""

    def __init__(
        self,
        made: Mapping[str, str] | None = None,
        status: str = "SUCCEEDED",
        exported: Mapping[str, str] | None = None,
    ) -> None:
        self.asked: list[dict[str, Any]] = []
        self.sources: dict[str, list[str]] = {}
        self._made = made or {}
        self._status = status
        self._exported = exported or {}

    def __call__(self, project: str, account: str, region: str, **asked: Any) -> runner.BuildResult:
        self.asked.append({"project": project, **asked})
        asked["started"](f"{project}:1")
        for name, file in asked["sources"].items():
            with zipfile.ZipFile(file) as archive:
                self.sources[name] = archive.namelist()
        folder = Path(tempfile.mkdtemp())
        outputs = {}
        for name, content in self._made.items():
            outputs[name] = folder / f"{name or 'primary'}.zip"
            with zipfile.ZipFile(outputs[name], "w") as archive:
                archive.writestr("made", content)
        phase = Phase("BUILD", now(), now(), self._status, "" if self._status == "SUCCEEDED" else BUILD_FAILED)
        return runner.BuildResult(self._status, (phase,), outputs, self._exported, "group", "stream", f"{project}:1")


BUILD_FAILED = "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1"


class World(Account):
    """An account with a repository, a connection to it, a bucket for artifacts, and roles for everything."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.clone = folder / "clone"
        self.changes: queue.Queue[tuple[str, str, str]] = queue.Queue()
        self.runs: list[ActionRun] = []
        self.bucket = f"artifacts-{self.id}"
        self.stores: dict[str, str] = {}
        self.key = ""
        self.client("s3").create_bucket(Bucket=self.bucket)
        made = self.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="ours")
        self.connection = str(made["ConnectionArn"])
        self.allow(
            self.pipeline_role,
            "codestar-connections:UseConnection",
            "s3:*Object",
            "s3:PutObjectAcl",
            "codebuild:StartBuild",
        )
        self.execution_role = self.role("execution", Service="cloudformation.amazonaws.com")
        self.git("init", "--quiet", "--initial-branch=main", str(self.clone), inside=False)
        surroundings = EmbeddedAws()
        changed = surroundings.changed

        def heard(execution: Execution, stage: StageRun | None, run: ActionRun | None, state: str) -> None:
            changed(execution, stage, run, state)
            if run and run not in self.runs:
                self.runs.append(run)
            self.changes.put((stage.stage.name if stage else "", run.action.name if run else "", state))

        monkeypatch.setattr(surroundings, "changed", heard)
        monkeypatch.setattr(api_pipelines, "surroundings", lambda: surroundings)

    def allow(self, role: str, *actions: str, resource: str = "*") -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = role.rsplit("/", 1)[-1]
        self.client("iam").put_role_policy(RoleName=name, PolicyName=f"allowed-{len(resource)}", PolicyDocument=policy)

    def git(self, *arguments: str, inside: bool = True) -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        where = ["-C", str(self.clone)] if inside else []
        command = ["git", *where, *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **files: Any) -> str:
        """Commit JSON files and give the id of the commit."""
        for name, content in files.items():
            (self.clone / f"{name}.json").write_text(json.dumps(content))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A commit\n\nWith a reason")
        return self.git("rev-parse", "HEAD")

    def handshake(self) -> None:
        connection = connections.find(self.connection)
        assert connection is not None
        connections.handshake(connection, "team/model", self.clone)

    def begin(self, *stages: dict[str, Any], **members: Any) -> str:
        """Create a pipeline and give the status of its first execution when that has ended."""
        self.create_without_waiting(*stages, **members)
        self.ended()
        return str(self.executions()[0]["status"])

    def create_without_waiting(self, *stages: dict[str, Any], **members: Any) -> None:
        configuration = source()["configuration"] | {"ConnectionArn": self.connection}
        first = stage("Source", source(configuration=configuration, namespace="Repo", **members))
        key: dict[str, Any] = {"encryptionKey": {"type": "KMS", "id": self.key}} if self.key else {}
        store: dict[str, Any] = {"type": "S3", "location": self.bucket, **key}
        others = {region: {"type": "S3", "location": bucket} for region, bucket in self.stores.items()}
        stores = {"artifactStores": {REGION: store, **others}} if others else {"artifactStore": store}
        declared = {
            "name": "pipeline",
            "roleArn": self.pipeline_role,
            **stores,
            "pipelineType": "V2",
            "stages": [first, *stages],
        }
        self.codepipeline.create_pipeline(pipeline=declared)

    def again(self) -> str:
        self.start()
        self.ended()
        return str(self.executions()[0]["status"])

    def project(self, name: str = "project") -> None:
        """A CodeBuild project with a role of its own."""
        role = self.role(f"{name}-role", Service="codebuild.amazonaws.com")
        self.allow(role, "s3:*Object")
        self.client("codebuild").create_project(
            name=name,
            source={"type": "CODEPIPELINE", "buildspec": json.dumps({"version": "0.2"})},
            artifacts={"type": "CODEPIPELINE"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=role,
        )

    def ended(self) -> None:
        while self.changes.get(timeout=PATIENCE_S) not in (("", "", "SUCCEEDED"), ("", "", "FAILED")):
            pass

    def error(self, action: str) -> dict[str, str]:
        run = next(run for run in reversed(self.runs) if run.action.name == action)
        assert run.outcome.error is not None
        return dict(zip(("code", "message"), run.outcome.error, strict=True))

    def outcome(self, action: str) -> Any:
        return next(run for run in reversed(self.runs) if run.action.name == action).outcome

    def files(self, artifact: str) -> dict[str, str]:
        """The files of an artifact, read from the bucket."""
        found = next(one for run in self.runs for one in run.outcome.artifacts if one.name == artifact)
        body = self.client("s3").get_object(Bucket=found.bucket, Key=found.key)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}
