"""CodePipeline: pipelines."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.cloudformation.providers.base import Context, Facet, Props, Provider
from localaws.cloudformation.providers.calls import arn, names, tags
from localaws.cloudformation.values import Json

_SENDS = names("Name RoleArn ArtifactStore ArtifactStores Stages PipelineType ExecutionMode Triggers Variables")


def _declaration(name: str, properties: Props) -> dict[str, Json]:
    declared = {key: value for key, value in properties.items() if key in _SENDS}
    if "ArtifactStores" in declared:  # a list in templates, a mapping by region in the API
        declared["ArtifactStores"] = {one["Region"]: _store(one["ArtifactStore"]) for one in declared["ArtifactStores"]}
    return {**declared, "Name": name}


def _store(store: Mapping[str, Json]) -> dict[str, Json]:
    key = {"encryptionKey": {name.lower(): value for name, value in store.get("EncryptionKey", {}).items()}}
    return {"type": store["Type"], "location": store["Location"], **(key if "EncryptionKey" in store else {})}


def _create(context: Context, properties: Props) -> str:
    name = properties.get("Name") or context.made_up_name(100)
    context.call("codepipeline", "create_pipeline", {"pipeline": _declaration(name, properties)})
    return str(name)


def _update(context: Context, name: str, properties: Props) -> None:
    context.call("codepipeline", "update_pipeline", {"pipeline": _declaration(name, properties)})


def _delete(context: Context, name: str, _: Props) -> None:
    context.call("codepipeline", "delete_pipeline", {"name": name})


def _nothing(*_: object) -> None:
    """RestartExecutionOnUpdate: nothing runs here; the rehearsal reads it in the stack's template."""


def _version(context: Context, name: str, _: Props) -> Json:
    return str(context.call("codepipeline", "get_pipeline", {"name": name})["pipeline"]["version"])


PIPELINE = Provider(
    create=_create,
    update=_update,
    delete=_delete,
    sends=_SENDS,
    facets=(
        Facet(names("RestartExecutionOnUpdate"), _nothing),
        tags(
            "codepipeline",
            lambda context, name: {"resourceArn": context.arn("codepipeline", name)},
            put_key="tags",
            remove_key="tagKeys",
            pair=("key", "value"),
        ),
    ),
    name="Name",
    attributes={"Arn": arn("codepipeline", ""), "Version": _version},
    system_tags=True,
)

PROVIDERS: Mapping[str, Provider] = {"AWS::CodePipeline::Pipeline": PIPELINE}
