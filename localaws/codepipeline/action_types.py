"""The action types that run here, what each takes, and those that CodePipeline has besides.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TypeId = tuple[str, str, str, str]
"""Category, owner, provider and version."""


@dataclass(frozen=True)
class ActionType:
    """What an action of this type has to declare."""

    inputs: range
    """How many input artifacts it can have."""
    outputs: range
    required: frozenset[str] = frozenset()
    """Keys that its configuration must have."""
    optional: frozenset[str] = frozenset()
    refused: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Keys, and the values of them that have no effect different from none; all others are not emulated."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FALSE, _NONE = frozenset(("false", "False")), frozenset(("",))

_CODEBUILD = ActionType(
    inputs=range(1, 6),
    outputs=range(6),
    required=_names("ProjectName"),
    optional=_names("PrimarySource EnvironmentVariables BatchEnabled CombineArtifacts"),
    refused={"BatchEnabled": _FALSE, "CombineArtifacts": _FALSE},
)

EMULATED: Mapping[TypeId, ActionType] = {
    ("Source", "AWS", "CodeStarSourceConnection", "1"): ActionType(
        inputs=range(1),
        outputs=range(1, 2),
        required=_names("ConnectionArn FullRepositoryId BranchName"),
        optional=_names("OutputArtifactFormat DetectChanges"),
        refused={"OutputArtifactFormat": frozenset(("CODE_ZIP",))},
    ),
    ("Build", "AWS", "CodeBuild", "1"): _CODEBUILD,
    ("Test", "AWS", "CodeBuild", "1"): _CODEBUILD,
    ("Approval", "AWS", "Manual", "1"): ActionType(
        inputs=range(1),
        outputs=range(1),
        optional=_names("NotificationArn CustomData ExternalEntityLink"),
        refused={"NotificationArn": _NONE},
    ),
    ("Deploy", "AWS", "CloudFormation", "1"): ActionType(
        inputs=range(11),
        outputs=range(2),
        required=_names("ActionMode StackName"),
        optional=_names(
            "ChangeSetName TemplatePath TemplateConfiguration Capabilities RoleArn ParameterOverrides OutputFileName"
        ),
        refused={"ParameterOverrides": frozenset(("{}",)), "OutputFileName": _NONE},
    ),
}

_TEMPLATE, _CHANGE_SET = _names("TemplatePath RoleArn"), _names("ChangeSetName")
CLOUDFORMATION_MODES: Mapping[str, frozenset[str]] = {
    "CHANGE_SET_REPLACE": _TEMPLATE | _CHANGE_SET,
    "CHANGE_SET_EXECUTE": _CHANGE_SET,
}
"""ActionMode -> the further keys that it requires."""

CLOUDFORMATION_MODES_ABSENT = _names("CREATE_UPDATE DELETE_ONLY REPLACE_ON_FAILURE")
"""Modes that CodePipeline has and that do not run here."""

ABSENT: Mapping[str, frozenset[str]] = {
    "Source": _names("S3 CodeCommit ECR GitHub"),
    "Build": _names("Jenkins ECRBuildAndPublish"),
    "Test": _names("DeviceFarm Jenkins BlazeMeter GhostInspector Micro-Focus-StormRunner-Load Nouvola"),
    "Deploy": _names(
        "S3 CodeDeploy CodeDeployToECS ECS ElasticBeanstalk OpsWorks ServiceCatalog AlexaSkillsKit AppConfig EC2 EKS "
        "Lambda CloudFormationStackSet CloudFormationStackInstances"
    ),
    "Invoke": _names("Lambda StepFunctions CodePipeline InspectorScan Snyk"),
    "Compute": _names("Commands"),
}
"""Category -> providers that CodePipeline has and that do not run here."""
