"""A pipeline that is deployed to an embedded AWS, and a repository for it to take commits from."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from mistral7b.operate.place import Place
from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_cli.rehearsal.approvals import Approver, approve_all
from mistral7b_cli.rehearsal.cloud import Cloud
from mistral7b_cli.rehearsal.execution import Action, Execution
from mistral7b_cli.rehearsal.view import View
from mistral7b_cli.rehearsal.walk import Walk
from sagehost.lifecycle import State
from tests.unit.fresh_accounts import fresh_account
from tests.unit.rehearsal.conftest import git
from tests.unit.sagehost.pipelines.structures import pipeline, source, stage

Json = dict[str, Any]
PIPELINE_MAY = (
    "s3:*",
    "codebuild:*",
    "codeconnections:*",
    "cloudformation:*",
    "iam:PassRole",
    "kms:*",
    "sts:AssumeRole",
)
BUILD_MAY = ("s3:*", "logs:*", "kms:*")


def got(resource: str) -> Json:
    """The resource's ARN."""
    return {"Fn::GetAtt": [resource, "Arn"]}


def role(service: str, may: Sequence[str]) -> Json:
    """A role that a service may assume, and that may do this."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(may), "Resource": "*"}]}
    inline = [{"PolicyName": "own", "PolicyDocument": policy}] if may else []
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}, "Policies": inline},
    }


@dataclass
class World:
    """An account with a pipeline."""

    server: State
    folder: Path
    account: str = field(default_factory=fresh_account)
    pipeline_may: Sequence[str] = PIPELINE_MAY
    build_may: Sequence[str] = BUILD_MAY
    connected: bool = True
    seen: list[str] = field(default_factory=list)
    """The approvals that were asked for."""

    def __post_init__(self) -> None:
        self.cloud, self.place = Cloud(self.server.url, self.server.secret), Place(self.account, "us-east-1")
        self.clone = self.folder / "clone"
        self.clone.mkdir()
        git(self.clone, "init", "--quiet", "--initial-branch", "main")
        self.commit({"file": "1"})

    def client(self, service: str) -> Any:
        """A client of the account's administrator."""
        return self.cloud.client(service, self.account, "us-east-1")

    def commit(self, files: dict[str, str]) -> str:
        """Commits files; the commit's id."""
        for name, text in files.items():
            (self.clone / name).write_text(text)
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--message", "A commit")
        return git(self.clone, "rev-parse", "HEAD")

    def deploy(self, *stages: Json, buildspec: Json | None = None, **project: Any) -> None:
        """Creates or updates the pipeline's stack: a source stage and these."""
        resources = {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Connection": {
                "Type": "AWS::CodeConnections::Connection",
                "Properties": {"ConnectionName": "c", "ProviderType": "GitHub"},
            },
            "PipelineRole": role("codepipeline", self.pipeline_may),
            "BuildRole": role("codebuild", self.build_may),
            "ExecutionRole": role("cloudformation", ("sns:*",)),
            "Project": {"Type": "AWS::CodeBuild::Project", "Properties": _project(buildspec or {}, project)},
            "Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": self._pipeline(stages)},
        }
        client, request = self.client("cloudformation"), {"StackName": "pipeline", "Capabilities": ["CAPABILITY_IAM"]}
        there = any(one["StackName"] == "pipeline" for one in client.describe_stacks()["Stacks"])
        operation = client.update_stack if there else client.create_stack
        operation(**request, TemplateBody=json.dumps({"Resources": resources}))
        (stack,) = client.describe_stacks(StackName="pipeline")["Stacks"]
        events = client.describe_stack_events(StackName="pipeline")["StackEvents"]
        reasons = [one["ResourceStatusReason"] for one in events if one["ResourceStatus"].endswith("_FAILED")]
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), reasons
        if self.connected:
            arn = self.resource("Connection")
            self.cloud.backstage("shake_hands", connection=arn)

    def resource(self, logical_id: str) -> str:
        """The physical id of a resource of the pipeline's stack."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName="pipeline", LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def walk(self, decide: Approver | None = None, view: View | None = None) -> Execution:
        """Takes the commit through the pipeline; everything is approved unless the test decides."""
        console = Console(quiet=True)
        decide = decide or approve_all(console, "the test says so")
        return Walk(self.cloud, self.place, self.clone, self.folder / "actions", view or View(console), decide).walk()

    def _pipeline(self, stages: Sequence[Json]) -> Json:
        first = source()
        first["Configuration"]["ConnectionArn"] = {"Fn::GetAtt": ["Connection", "ConnectionArn"]}
        made = pipeline(*stages, Name=PIPELINE_NAME, RoleArn=got("PipelineRole"), RestartExecutionOnUpdate=True)
        made["Stages"][0] = stage("Source", first)
        made["ArtifactStore"]["Location"] = {"Ref": "Bucket"}
        return made


def _project(buildspec: Json, properties: Json) -> Json:
    spec = {"version": "0.2", "phases": {"build": {"commands": ["true"]}}, **buildspec}
    environment = {
        "Type": "LINUX_CONTAINER",
        "Image": "aws/codebuild/standard:7.0",
        "ComputeType": "BUILD_GENERAL1_SMALL",
        "EnvironmentVariables": [{"Name": "OF_PROJECT", "Value": "project"}, {"Name": "OF_BOTH", "Value": "project"}],
    }
    return {
        "Name": "project",
        "Source": {"Type": "CODEPIPELINE", "BuildSpec": json.dumps(spec)},
        "Artifacts": {"Type": "CODEPIPELINE"},
        "Environment": environment,
        "ServiceRole": got("BuildRole"),
        **properties,
    }


def commands(*lines: str, **members: Any) -> Json:
    """A buildspec with these commands."""
    return {"phases": {"build": {"commands": list(lines)}}, **members}


def action(execution: Execution, title: str) -> Action:
    """An action by stage and name."""
    return next(one for one in execution.actions if f"{one.stage}/{one.name}" == title)


def ends(pid: int) -> bool:
    """Whether a process ends within 30 s: is gone, or a zombie, which nobody may collect in a container."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        command = ["ps", "-o", "stat=", "-p", str(pid)]
        state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if state == "" or state.startswith("Z"):
            return True
    return False
