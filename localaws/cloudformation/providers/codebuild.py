"""CodeBuild: projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from localaws.cloudformation.providers.base import Context, Props, Provider
from localaws.cloudformation.providers.calls import api, arn, by, itself, parameter
from localaws.cloudformation.values import Json

_PROJECT = api(
    "codebuild",
    create="create_project",
    delete="delete_project",
    sends="Name Description Source Artifacts Environment ServiceRole EncryptionKey Cache LogsConfig TimeoutInMinutes "
    "QueuedTimeoutInMinutes BadgeEnabled Tags",
    name="Name",
    longest_name=150,
    identify=parameter("Name"),
    handle=by("Name"),
    attributes={"Arn": arn("codebuild", "project/"), "Id": itself},
)


def _update(context: Context, name: str, properties: Props) -> None:
    """UpdateProject leaves what is not given as it was: what has gone from the template is given its default."""
    defaults: dict[str, Json] = {
        "Description": "",
        "EncryptionKey": context.arn("kms", "alias/aws/s3"),
        "Cache": {"Type": "NO_CACHE"},
        "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED"}},
        "TimeoutInMinutes": 60,
        "QueuedTimeoutInMinutes": 480,
        "Tags": [],
    }
    sent = {key: value for key, value in properties.items() if key in _PROJECT.sends}
    context.call("codebuild", "update_project", {**defaults, **sent, "Name": name})


PROJECT = replace(_PROJECT, update=_update)

PROVIDERS: Mapping[str, Provider] = {"AWS::CodeBuild::Project": PROJECT}
