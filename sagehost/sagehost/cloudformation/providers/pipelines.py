"""CodePipeline, CodeBuild and CodeConnections: resources that are checked and stored, and that run nothing here."""

import uuid
from typing import Any

from sagehost.aws_errors import Refused
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    ResourceNotFound,
    already_exists,
    failure,
)
from sagehost.pipelines.definition import Definition
from sagehost.pipelines.store import RESOURCES, status
from sagehost.validation import Asked, rules


class Stored(Provider):
    """A provider that stores the properties once `validation.rules` has let them pass."""

    def create(self, resource: Resource, properties: Props) -> str:
        """Checks and stores it; gives its physical id."""
        arn = "arn:{partition}:codeconnections:{region}:{account}:connection/" + str(uuid.uuid4())
        given = properties.get(self.name) or resource.generated_name(self.longest_name)
        physical_id = str(given) if self.name else resource.text(arn, {})
        if physical_id in self._all(resource):
            raise already_exists(self.type, physical_id)
        resource.authorize(self.create_with, {**properties, self.name or "ConnectionArn": physical_id})
        self._store(resource, physical_id, properties)
        return physical_id

    def update(self, resource: Resource, properties: Props) -> None:
        """The same with other properties."""
        resource.authorize(self.update_with, {**properties, self.name or "ResourceArn": resource.id})
        self._store(resource, resource.id, properties)

    def delete(self, resource: Resource, _: Props) -> None:
        """Forgets it."""
        resource.authorize(self.delete_with, {self.name or "ConnectionArn": resource.id})
        if self._all(resource).pop(resource.id, None) is None:
            raise ResourceNotFound(f"{resource.id} does not exist")

    def _all(self, resource: Resource) -> dict[str, dict[str, Any]]:
        return RESOURCES[resource.account, resource.region, self.type]

    def _store(self, resource: Resource, physical_id: str, properties: Props) -> None:
        wanted = {**properties, self.name: physical_id} if self.name else dict(properties)
        _, service, kind = self.type.split("::")
        given = Definition(wanted, resource.region, resource.account).request if kind == "Pipeline" else wanted
        place = {"account": resource.account, "region": resource.region, "access_key": ""}
        try:
            rules.check(Asked(service=service.lower(), operation=f"Create{kind}", given=given, **place))
        except Refused as error:
            raise failure(service, error.code, error.message) from error
        except NotImplementedError as error:
            raise ResourceFailure(f"{error} (not emulated)") from error
        self._all(resource)[physical_id] = wanted


def connection_status(resource: Resource, _: Props) -> str:
    """The attribute of a connection."""
    return status(resource.id)
