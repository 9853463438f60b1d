"""Pipelines to test with, as templates write them."""

from __future__ import annotations

from typing import Any

from sagehost.pipelines.definition import Definition

REGION = "us-east-1"
ACCOUNT = "111111111111"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/6c9a1f6e-1b1f-4a0c-9f5e-2b7f3f1d2c3b"
BUCKET = "artifacts-of-tests"


def action(name: str, category: str, provider: str, **members: Any) -> dict[str, Any]:
    type_id = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
    return {"Name": name, "ActionTypeId": type_id, **members}


def source(name: str = "Source", output: str = "Code", **members: Any) -> dict[str, Any]:
    configuration = {"ConnectionArn": CONNECTION, "FullRepositoryId": "team/model", "BranchName": "main"}
    return action(
        name,
        "Source",
        "CodeStarSourceConnection",
        **{"OutputArtifacts": [{"Name": output}], "Configuration": configuration, **members},
    )


def build(name: str = "Build", inputs: str = "Code", outputs: str = "", **members: Any) -> dict[str, Any]:
    named = inputs.split()
    primary = {"PrimarySource": named[0]} if len(named) > 1 else {}
    return action(
        name,
        "Build",
        "CodeBuild",
        **{
            "InputArtifacts": [{"Name": one} for one in named],
            "OutputArtifacts": [{"Name": one} for one in outputs.split()],
            "Configuration": {"ProjectName": "project", **primary},
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
    return action(name, "Deploy", "CloudFormation", InputArtifacts=[{"Name": "Code"}], Configuration=stated)


def stage(name: str, *actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"Name": name, "Actions": list(actions), **members}


def pipeline(*stages: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A pipeline of a source stage and these, or of a build if there are none."""
    return {
        "Name": "pipeline",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/pipeline",
        "ArtifactStore": {"Type": "S3", "Location": BUCKET},
        "PipelineType": "V2",
        "Stages": [stage("Source", source()), *(stages or [stage("Build", build())])],
        **members,
    }


def definition(declared: dict[str, Any]) -> Definition:
    return Definition(declared, REGION, ACCOUNT)
