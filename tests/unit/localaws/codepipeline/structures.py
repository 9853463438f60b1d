"""Pipelines to test with, as CodePipeline's API writes them."""

from __future__ import annotations

import json
from typing import Any

from localaws.codepipeline.definition import Definition, completed

REGION = "us-east-1"
ACCOUNT = "111111111111"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/6c9a1f6e-1b1f-4a0c-9f5e-2b7f3f1d2c3b"
BUCKET = "artifacts-of-tests"


def action(name: str, category: str, provider: str, **members: Any) -> dict[str, Any]:
    type_id = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": type_id, **members}


def source(name: str = "Source", output: str = "Code", **members: Any) -> dict[str, Any]:
    configuration = {"ConnectionArn": CONNECTION, "FullRepositoryId": "team/model", "BranchName": "main"}
    return action(
        name,
        "Source",
        "CodeStarSourceConnection",
        **{"outputArtifacts": [{"name": output}], "configuration": configuration, **members},
    )


def build(name: str = "Build", inputs: str = "Code", outputs: str = "", **members: Any) -> dict[str, Any]:
    named = inputs.split()
    primary = {"PrimarySource": named[0]} if len(named) > 1 else {}
    return action(
        name,
        "Build",
        "CodeBuild",
        **{
            "inputArtifacts": [{"name": one} for one in named],
            "outputArtifacts": [{"name": one} for one in outputs.split()],
            "configuration": {"ProjectName": "project", **primary},
            **members,
        },
    )


def approval(name: str = "Approve", **members: Any) -> dict[str, Any]:
    return action(name, "Approval", "Manual", **members)


def deployment(name: str = "Deploy", **configuration: str) -> dict[str, Any]:
    stated = {
        "ActionMode": "CHANGE_SET_REPLACE",
        "ChangeSetName": "changes",
        "StackName": "stack",
        "TemplatePath": "Code::template.json",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
        **configuration,
    }
    return action(name, "Deploy", "CloudFormation", inputArtifacts=[{"name": "Code"}], configuration=stated)


def stage(name: str, *actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"name": name, "actions": list(actions), **members}


def pipeline(*stages: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A pipeline of a source stage and these, or of a build if there are none."""
    return {
        "name": "pipeline",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/pipeline",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "pipelineType": "V2",
        "stages": [stage("Source", source()), *(stages or [stage("Build", build())])],
        **members,
    }


def definition(*stages: dict[str, Any], version: int = 1, **members: Any) -> Definition:
    return Definition(completed(pipeline(*stages, **members), version), REGION, ACCOUNT)


def trust(**principals: Any) -> str:
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principals}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
