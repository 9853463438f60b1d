"""The API of CodeConnections, which moto lacks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from localaws.own_service import InvalidInput, OwnService, ResourceNotFound
from localaws.pipelines import connections
from localaws.pipelines.connections import Connection

PAGE = 100
"""MaxResults of ListConnections, at most and unless given."""


def _as_mapping(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class CodeConnections(OwnService):
    """Connections. Hosts, repository links and Git sync are not emulated."""

    service = "codeconnections"

    def create_connection(self) -> ActionResult:
        """CreateConnection: PENDING until its handshake."""
        request = self.request
        if "HostArn" in request:
            raise ResourceNotFound(f"Host {request['HostArn']} does not exist (hosts are not emulated)")
        if "ProviderType" not in request:
            raise InvalidInput("Either a ProviderType or a HostArn is required")
        arn = f"arn:{self.partition}:{self.service}:{self.region}:{self.current_account}:connection/{uuid.uuid4()}"
        tags = _as_mapping(request.get("Tags", []))
        connections.add(Connection(arn, request["ConnectionName"], request["ProviderType"], tags))
        return ActionResult({"ConnectionArn": arn, "Tags": _pairs(tags)})

    def get_connection(self) -> ActionResult:
        """GetConnection."""
        return ActionResult({"Connection": _described(self._named("ConnectionArn"))})

    def list_connections(self) -> ActionResult:
        """ListConnections, those of one provider where the request names it."""
        request = self.request
        provider = request.get("ProviderTypeFilter")
        found = [
            one
            for one in connections.of(self.current_account, self.region)
            if provider in (None, one.provider) and "HostArnFilter" not in request
        ]
        start = self._start(str(request.get("NextToken", "0")), len(found))
        end = start + (request.get("MaxResults") or PAGE)
        following = {"NextToken": str(end)} if end < len(found) else {}
        return ActionResult({"Connections": [_described(one) for one in found[start:end]], **following})

    @staticmethod
    def _start(token: str, length: int) -> int:
        if not token.isdecimal() or int(token) > length:
            raise InvalidInput(f"NextToken {token} is not one of this list's")
        return int(token)

    def delete_connection(self) -> ActionResult:
        """DeleteConnection."""
        connections.remove(self._named("ConnectionArn").arn)
        return EmptyResult()

    def tag_resource(self) -> ActionResult:
        """TagResource."""
        self._named("ResourceArn").tags.update(_as_mapping(self.request["Tags"]))
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        """UntagResource."""
        tags = self._named("ResourceArn").tags
        for key in self.request["TagKeys"]:
            tags.pop(key, None)
        return EmptyResult()

    def list_tags_for_resource(self) -> ActionResult:
        """ListTagsForResource."""
        return ActionResult({"Tags": _pairs(self._named("ResourceArn").tags)})

    def _named(self, parameter: str) -> Connection:
        """The connection that the request names, of the caller's account and region."""
        arn = self.request[parameter]
        connection = connections.find(arn)
        if connection is None or arn.split(":")[3:5] != [self.region, self.current_account]:
            raise ResourceNotFound(f"Connection {arn} not found")
        return connection


class CodeStarConnections(CodeConnections):
    """The service under its former name, which its endpoint and the ARNs that it makes still have."""

    service = "codestar-connections"


def _described(connection: Connection) -> dict[str, Any]:
    return {
        "ConnectionName": connection.name,
        "ConnectionArn": connection.arn,
        "ProviderType": connection.provider,
        "OwnerAccountId": connection.account,
        "ConnectionStatus": connection.status,
    }
