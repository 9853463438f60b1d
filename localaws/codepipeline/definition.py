"""The structure of a pipeline: what GetPipeline shows, in a form to work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from localaws.codepipeline.action_types import TypeId


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
    region: str | None
    namespace: str | None
    timeout_minutes: int | None

    @property
    def category(self) -> str:
        """Source, Build, Test, Deploy or Approval."""
        return self.type[0]

    @property
    def type_id(self) -> dict[str, str]:
        """The type as the API writes it."""
        return dict(zip(("category", "owner", "provider", "version"), self.type, strict=True))


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

    @property
    def mode(self) -> str:
        """SUPERSEDED or QUEUED."""
        return str(self.declared["executionMode"])

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
            Stage(stage["name"], tuple(_action(stage["name"], action) for action in stage["actions"]))
            for stage in self.declared["stages"]
        )

    def stage(self, name: str) -> Stage | None:
        """The stage of this name."""
        return next((stage for stage in self.stages if stage.name == name), None)


def completed(declared: Mapping[str, Any], version: int) -> dict[str, Any]:
    """A pipeline as GetPipeline shows it: with the defaults of what was not given."""
    return {
        **declared,
        "version": version,
        "executionMode": declared.get("executionMode", "SUPERSEDED"),
        "pipelineType": declared.get("pipelineType", "V1"),
        "stages": [
            {**stage, "actions": [_completed_action(action) for action in stage["actions"]]}
            for stage in declared["stages"]
        ],
    }


def _completed_action(action: Mapping[str, Any]) -> dict[str, Any]:
    return {"runOrder": 1, "configuration": {}, "inputArtifacts": [], "outputArtifacts": [], **action}


def _action(stage: str, declared: Mapping[str, Any]) -> Action:
    type_id = declared["actionTypeId"]
    return Action(
        stage=stage,
        name=declared["name"],
        type=(type_id["category"], type_id["owner"], type_id["provider"], type_id["version"]),
        run_order=declared["runOrder"],
        configuration=declared["configuration"],
        inputs=tuple(artifact["name"] for artifact in declared["inputArtifacts"]),
        outputs=tuple(artifact["name"] for artifact in declared["outputArtifacts"]),
        role_arn=declared.get("roleArn"),
        region=declared.get("region"),
        namespace=declared.get("namespace"),
        timeout_minutes=declared.get("timeoutInMinutes"),
    )
