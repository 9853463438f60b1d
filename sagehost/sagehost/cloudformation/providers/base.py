"""What a resource provider is, and the parts providers are put together from."""

from __future__ import annotations

import functools
import re
import secrets
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from moto.utilities.utils import get_partition

from sagehost import moto_app
from sagehost.cloudformation import schema
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.coercion import coerce
from sagehost.cloudformation.values import Json

Props = Mapping[str, Json]
"""Properties of a resource, all of them known."""

_ABSENT = re.compile(
    r"NotFound|NoSuch|NonExist|does not exist|Could not find|not found|No scal\w+ \w+ found", re.IGNORECASE
)
_SUFFIX = string.ascii_uppercase + string.digits


class Absent(ResourceFailure):
    """The service says that the thing does not exist."""


def failure(error: ClientError, service: str) -> ResourceFailure:
    """CloudFormation's status reason for an error of a service."""
    code, message = error.response["Error"].get("Code", "Unknown"), error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    where = f"(Service: {service}, Status Code: {status}, Error Code: {code})"
    text = f'Resource handler returned message: "{message}" {where}'
    return Absent(text) if _ABSENT.search(f"{code} {message}") else ResourceFailure(text)


@dataclass(frozen=True)
class Context:
    """Where a resource lives, and whose it is."""

    account: str
    region: str
    stack_name: str
    stack_id: str
    logical_id: str
    resource_type: str

    def client(self, service: str) -> Any:
        """A boto3 client for the stack's account and region."""
        return moto_app.client(service, self.account, self.region)

    def call(self, service: str, operation: str, parameters: Props) -> Json:
        """Call an operation, its parameters brought to the types of the API.

        Raises:
            ResourceFailure: the service refuses, in CloudFormation's wording of it.
        """
        client = self.client(service)
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        shaped = coerce(parameters, model.input_shape, self.resource_type) if model.input_shape else {}
        try:
            return getattr(client, operation)(**shaped)
        except ClientError as error:
            raise failure(error, model.service_model.service_id) from error
        except ParamValidationError as error:
            raise ResourceFailure(f"Invalid request: {error}") from error

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:{get_partition(self.region)}:{service}:{self.region}:{self.account}:{resource}"

    def made_up_name(self, limit: int, *, lower: bool = False) -> str:
        """A unique name such as CloudFormation gives: stack, logical id and 12 random characters."""
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(12))
        stem = f"{self.stack_name}-{self.logical_id}"[: limit - 13].rstrip("-")
        name = f"{stem}-{suffix}"
        return name.lower() if lower else name


Apply = Callable[[Context, str, Props, Props], None]
"""Brings properties of a resource from the old values to the new: context, physical id, new, old.

Old is empty when the resource has just been created. Called with new and old the other way round, it undoes itself.
"""


@dataclass(frozen=True)
class Facet:
    """Properties that have API calls of their own, apart from the one that creates the resource."""

    properties: frozenset[str]
    apply: Apply


Attribute = Callable[[Context, str, Props], Json]
"""The value of an attribute for Fn::GetAtt: context, physical id, properties."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """How one resource type is created, changed and deleted. Everything not listed here fails by name."""

    create: Callable[[Context, Props], str]
    """Creates the resource and gives its physical id, which is what Ref gives."""
    delete: Callable[[Context, str, Props], None]
    sends: frozenset[str] = frozenset()
    """Properties that `create` sends."""
    facets: Sequence[Facet] = ()
    update: Callable[[Context, str, Props], None] | None = None
    """Sends all of `sends` again to a resource that exists. None: a change of them replaces it."""
    ready: Callable[[Context, str], None] | None = None
    """Waits, after creation and every change, until the resource is in service."""
    name: str | None = None
    """The property that names the resource."""
    within: frozenset[str] = frozenset()
    """Properties that name what the name is unique in. Default: account and region."""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    system_tags: bool = False
    """Whether the service lets CloudFormation put its `aws:cloudformation:` tags."""

    @functools.cached_property
    def properties(self) -> frozenset[str]:
        """Every property that the provider carries over."""
        return self.sends.union(*(facet.properties for facet in self.facets))

    def replaces(self, resource_type: str, changed: Iterable[str]) -> set[str]:
        """Of these properties, those whose change needs a new resource."""
        names = set(changed)
        in_place = frozenset().union(*(facet.properties for facet in self.facets))
        if self.update:
            in_place |= self.sends
        return schema.load(resource_type).replaced_by_change_of(names) | (names - in_place)

    def configure(self, context: Context, physical_id: str, new: Props, old: Props) -> None:
        """Bring a resource that exists from `old` to `new`."""
        changed = {name for name in new.keys() | old.keys() if new.get(name) != old.get(name)}
        if old and self.update and changed & self.sends:
            self.update(context, physical_id, new)
        for facet in self.facets:
            sent_already = not old and facet.properties <= self.sends
            if changed & facet.properties and not sent_already:
                facet.apply(context, physical_id, new, old)
        if self.ready:
            self.ready(context, physical_id)

    def remove(self, context: Context, physical_id: str, properties: Props) -> None:
        """Delete a resource. One that is gone already is as good."""
        try:
            self.delete(context, physical_id, properties)
        except Absent:
            return
