"""The structure of a pipeline: what GetPipeline shows, in a form to work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

TypeId = tuple[str, str, str, str]
"""Category, owner, provider and version."""

EXECUTION_ID = "#{codepipeline.PipelineExecutionId}"
"""The variable that the configuration of every action can name."""


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
    timeout_minutes: int | None

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
    """One version of a pipeline."""

    declared: Mapping[str, Any]
    """As the API writes it."""
    region: str
    account: str

    @property
    def name(self) -> str:
        """The name of the pipeline."""
        return str(self.declared["name"])

    @property
    def arn(self) -> str:
        """The ARN of the pipeline."""
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.name}"

    @property
    def version(self) -> int:
        """1, and one more with every update."""
        return int(self.declared["version"])

    @property
    def role_arn(self) -> str:
        """The role that CodePipeline assumes."""
        return str(self.declared["roleArn"])

    @cached_property
    def stores(self) -> Mapping[str, Store]:
        """Region -> its artifact store."""
        stores = self.declared.get("artifactStores") or {self.region: self.declared["artifactStore"]}
        return {
            region: Store(one["location"], one.get("encryptionKey", {}).get("id")) for region, one in stores.items()
        }

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in order."""
        return tuple(
            Stage(stage["name"], tuple(self._action(stage["name"], action) for action in stage["actions"]))
            for stage in self.declared["stages"]
        )

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions of all stages."""
        return tuple(action for stage in self.stages for action in stage.actions)

    def _action(self, stage: str, declared: Mapping[str, Any]) -> Action:
        type_id = declared["actionTypeId"]
        return Action(
            stage=stage,
            name=declared["name"],
            type=(type_id["category"], type_id["owner"], type_id["provider"], type_id["version"]),
            run_order=declared.get("runOrder", 1),
            configuration=declared.get("configuration", {}),
            inputs=tuple(artifact["name"] for artifact in declared.get("inputArtifacts", ())),
            outputs=tuple(artifact["name"] for artifact in declared.get("outputArtifacts", ())),
            role_arn=declared.get("roleArn"),
            region=declared.get("region", self.region),
            timeout_minutes=declared.get("timeoutInMinutes"),
        )
