"""The structure of a pipeline: AWS::CodePipeline::Pipeline, in a form to work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

TypeId = tuple[str, str, str, str]
"""Category, owner, provider and version."""

EXECUTION_ID = "#{codepipeline.PipelineExecutionId}"
"""The variable that the configuration of every action can name."""


class InvalidDefinition(Exception):
    """CodePipeline refuses the pipeline; its error is `code`, and the text its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Store:
    """An artifact store."""

    bucket: str
    key: str | None
    """Id or ARN of the KMS key; None is S3's own."""


@dataclass(frozen=True)
class Action:
    """An action of a stage."""

    stage: str
    name: str
    type: TypeId
    run_order: int
    configuration: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    role_arn: str | None
    region: str

    @property
    def category(self) -> str:
        """Source, Build, Test, Deploy or Approval."""
        return self.type[0]


@dataclass(frozen=True)
class Stage:
    """A stage of a pipeline."""

    name: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Definition:
    """A pipeline."""

    declared: Mapping[str, Any]
    """Its properties, as in a template."""
    region: str
    account: str

    @property
    def name(self) -> str:
        """The name of the pipeline."""
        return str(self.declared["Name"])

    @property
    def arn(self) -> str:
        """The ARN of the pipeline."""
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.name}"

    @property
    def role_arn(self) -> str:
        """The role that CodePipeline assumes."""
        return str(self.declared["RoleArn"])

    @cached_property
    def stores(self) -> Mapping[str, Store]:
        """Region -> its artifact store."""
        stores = {one["Region"]: one["ArtifactStore"] for one in self.declared.get("ArtifactStores", [])}
        if "ArtifactStore" in self.declared:
            stores[self.region] = self.declared["ArtifactStore"]
        return {at: Store(one["Location"], one.get("EncryptionKey", {}).get("Id")) for at, one in stores.items()}

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in order."""
        return tuple(
            Stage(stage["Name"], tuple(self._action(stage["Name"], action) for action in stage["Actions"]))
            for stage in self.declared["Stages"]
        )

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions of all stages."""
        return tuple(action for stage in self.stages for action in stage.actions)

    def _action(self, stage: str, declared: Mapping[str, Any]) -> Action:
        of_type = declared["ActionTypeId"]
        return Action(
            stage=stage,
            name=declared["Name"],
            type=(of_type["Category"], of_type["Owner"], of_type["Provider"], of_type["Version"]),
            run_order=int(declared.get("RunOrder", 1)),
            configuration={key: str(value) for key, value in declared.get("Configuration", {}).items()},
            inputs=tuple(artifact["Name"] for artifact in declared.get("InputArtifacts", ())),
            outputs=tuple(artifact["Name"] for artifact in declared.get("OutputArtifacts", ())),
            role_arn=declared.get("RoleArn"),
            region=declared.get("Region", self.region),
        )
