"""CodeConnections: connections to repositories."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.cloudformation.providers.base import Attribute, Context, Props, Provider
from localaws.cloudformation.providers.calls import answer, api, by, itself, tags
from localaws.cloudformation.values import Json


def _described(member: str) -> Attribute:
    def attribute(context: Context, arn: str, _: Props) -> Json:
        return context.call("codeconnections", "get_connection", {"ConnectionArn": arn})["Connection"][member]

    return attribute


CONNECTION = api(
    "codeconnections",
    create="create_connection",
    delete="delete_connection",
    sends="ConnectionName ProviderType HostArn",
    identify=answer("ConnectionArn"),
    handle=by("ConnectionArn"),
    facets=(tags("codeconnections", lambda _, arn: {"ResourceArn": arn}),),
    attributes={
        "ConnectionArn": itself,
        "ConnectionStatus": _described("ConnectionStatus"),
        "OwnerAccountId": _described("OwnerAccountId"),
    },
    system_tags=True,
)

PROVIDERS: Mapping[str, Provider] = {"AWS::CodeConnections::Connection": CONNECTION}
