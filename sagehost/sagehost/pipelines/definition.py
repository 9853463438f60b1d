"""The structure of a pipeline: AWS::CodePipeline::Pipeline, in a form to work with."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
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

    @property
    def category(self) -> str:
        """Source, Build, Test, Deploy or Approval."""
        return self.type[0]


@dataclass(frozen=True)
class Stage:
    """A stage of a pipeline."""

    name: str
    actions: tuple[Action, ...]


class Definition:
    """A pipeline."""

    def __init__(self, declared: Mapping[str, Any], region: str, account: str) -> None:
        self.declared = declared
        """Its properties, as in a template."""
        self.region, self.account = region, account
        self.name = str(declared["Name"])
        self.arn = f"arn:aws:codepipeline:{region}:{account}:{self.name}"
        self.role_arn = str(declared["RoleArn"])
        """The role that CodePipeline assumes."""
        stores = {one["Region"]: one["ArtifactStore"] for one in declared.get("ArtifactStores", [])}
        stores |= {region: declared["ArtifactStore"]} if "ArtifactStore" in declared else {}
        self.stores = {at: Store(one["Location"], one.get("EncryptionKey", {}).get("Id")) for at, one in stores.items()}
        """Region -> its artifact store."""
        self.stages = tuple(
            Stage(stage["Name"], tuple(_action(stage["Name"], action, region) for action in stage["Actions"]))
            for stage in declared["Stages"]
        )
        self.actions = tuple(action for stage in self.stages for action in stage.actions)

    @property
    def request(self) -> dict[str, Any]:
        """What `validation.rules` checks: the properties, the regions with a store, and what is known of each action.

        `available` are the artifacts of the stages before, and of the stage's actions with a lower run order.
        """
        made, actions = list[str](), list[dict[str, Any]]()
        for stage in self.stages:
            for one in stage.actions:
                before = [name for other in stage.actions if other.run_order < one.run_order for name in other.outputs]
                kind = _action_types().get(" ".join(one.type))
                actions.append({**asdict(one), "kind": kind, "available": [*made, *before]})
            made += [name for one in stage.actions for name in one.outputs]
        request = {**self.declared, "stores": [*self.stores], "actions": actions}
        return dict(json.loads(json.dumps(request)))  # JMESPath knows lists, not tuples

    def __eq__(self, other: object) -> bool:
        """Whether the pipelines are the same: a run starts again when an update has changed its pipeline."""
        return isinstance(other, Definition) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # its properties are mutable


@cache
def _action_types() -> dict[str, Any]:
    """How many artifacts an emulated type of action takes and makes, and the keys of its configuration."""
    return dict(json.loads(Path(__file__).with_name("action_types.json").read_text()))


def _action(stage: str, declared: Mapping[str, Any], region: str) -> Action:
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
        region=declared.get("Region", region),
    )
