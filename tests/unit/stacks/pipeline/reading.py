"""Reads what a pipeline's template says."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Template = Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """One action of the pipeline."""

    stage: str
    name: str
    run_order: int
    provider: str
    configuration: dict[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    role: str
    """ARN of its own role; none: the pipeline's."""
    region: str
    """The region that it acts in, where that is another than the pipeline's."""


def resource(template: Template, kind: str) -> dict[str, Any]:
    """The only resource of this type."""
    [found] = of_type(template, kind)
    return found


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    """Every resource of this type."""
    return [r for r in template.get("Resources", {}).values() if r["Type"] == kind]


def actions(template: Template) -> list[Action]:
    """Every action, in the order of the stages."""
    stages = resource(template, "AWS::CodePipeline::Pipeline")["Properties"]["Stages"]
    return [
        Action(
            stage["Name"],
            action["Name"],
            action["RunOrder"],
            action["ActionTypeId"]["Provider"],
            action.get("Configuration", {}),
            tuple(artifact["Name"] for artifact in action.get("InputArtifacts", ())),
            tuple(artifact["Name"] for artifact in action.get("OutputArtifacts", ())),
            text(action.get("RoleArn", "")),
            action.get("Region", ""),
        )
        for stage in stages
        for action in stage["Actions"]
    ]


def action(template: Template, stage: str, name: str) -> Action:
    """The action of this name."""
    return next(one for one in actions(template) if (one.stage, one.name) == (stage, name))


def project(template: Template, stage: str, name: str) -> dict[str, Any]:
    """Properties of an action's project."""
    logical_id = action(template, stage, name).configuration["ProjectName"]["Ref"]
    properties: dict[str, Any] = template["Resources"][logical_id]["Properties"]
    return properties


def projects(template: Template) -> Iterator[tuple[Action, dict[str, Any]]]:
    """Every action of CodeBuild with its project's properties."""
    for one in actions(template):
        if one.provider == "CodeBuild":
            yield one, project(template, one.stage, one.name)


def buildspec(template: Template, stage: str, name: str) -> dict[str, Any]:
    """The build specification of an action."""
    found: dict[str, Any] = json.loads(project(template, stage, name)["Source"]["BuildSpec"])
    return found


def commands(template: Template, stage: str, name: str) -> tuple[list[str], list[str]]:
    """An action's commands of set-up and of the build."""
    phases = buildspec(template, stage, name)["phases"]
    return phases["install"]["commands"], phases["build"]["commands"]


def text(value: Any) -> str:
    """A value with `Fn::Join` and pseudo parameters written out: `arn:<AWS::Partition>:iam::…`."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return f"<{logical_id}.{attribute}>"
        case {"Fn::Join": ["", parts]}:
            return "".join(text(part) for part in parts)
        case _:
            raise ValueError(value)
