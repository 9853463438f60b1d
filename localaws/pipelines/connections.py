"""CodeConnections, which moto lacks: connections to repositories, PENDING until a handshake.

On AWS the handshake is a click in the console, with which the user lets AWS into the provider's repositories.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from localaws.own_service import InvalidInput, OwnService, ResourceNotFound


@dataclass
class Connection:
    """A connection."""

    arn: str
    name: str
    provider: str
    tags: dict[str, str]
    status: str = "PENDING"


_CONNECTIONS: dict[str, Connection] = {}


def _found(arn: str) -> Connection:
    if arn not in _CONNECTIONS:
        raise ResourceNotFound(f"Connection {arn} not found")
    return _CONNECTIONS[arn]


def shake_hands(arn: str) -> str:
    """Make a connection AVAILABLE, and give that status.

    Raises:
        ResourceNotFound: there is no such connection.
    """
    connection = _found(arn)
    connection.status = "AVAILABLE"
    return connection.status


def _as_mapping(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


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
        _CONNECTIONS[arn] = Connection(arn, request["ConnectionName"], request["ProviderType"], tags)
        return ActionResult({"ConnectionArn": arn})

    def get_connection(self) -> ActionResult:
        """GetConnection."""
        return ActionResult({"Connection": _described(self._named("ConnectionArn"))})

    def list_connections(self) -> ActionResult:
        """ListConnections, all of them."""
        own = [one for one in _CONNECTIONS.values() if self._is_own(one.arn)]
        return ActionResult({"Connections": [_described(one) for one in own]})

    def delete_connection(self) -> ActionResult:
        """DeleteConnection."""
        del _CONNECTIONS[self._named("ConnectionArn").arn]
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
        tags = self._named("ResourceArn").tags
        return ActionResult({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    def _named(self, parameter: str) -> Connection:
        """The connection that the request names, of the caller's account and region."""
        arn: str = self.request[parameter]
        if not self._is_own(arn):
            raise ResourceNotFound(f"Connection {arn} not found")
        return _found(arn)

    def _is_own(self, arn: str) -> bool:
        return arn.split(":")[3:5] == [self.region, self.current_account]


class CodeStarConnections(CodeConnections):
    """The service under its former name, which its endpoint and the ARNs that it makes still have."""

    service = "codestar-connections"


def _described(connection: Connection) -> dict[str, Any]:
    return {
        "ConnectionName": connection.name,
        "ConnectionArn": connection.arn,
        "ProviderType": connection.provider,
        "OwnerAccountId": connection.arn.split(":")[4],
        "ConnectionStatus": connection.status,
    }
