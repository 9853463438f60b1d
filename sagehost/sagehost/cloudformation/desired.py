"""What the resources of a stack are to become, and what that changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from moto.utilities.utils import get_partition

from sagehost import moto_app
from sagehost.accounts import url_suffix
from sagehost.cloudformation import schema
from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.intrinsics import Evaluator
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.providers.provider import Resource, as_mapping
from sagehost.cloudformation.store import Deployed, Problem, Stack, Target, store
from sagehost.cloudformation.values import UNKNOWN, Json, has_unknown

_DYNAMIC = re.compile(r"\{\{resolve:([^:}]+):([^}]+)\}\}")

ATTRIBUTES = ("Metadata", "DeletionPolicy", "UpdateReplacePolicy")
"""Parts of a resource's definition that can change without the resource."""


def resource_of(stack: Stack, resource: Deployed) -> Resource:
    """A resource of the stack, for its provider."""
    return Resource(
        provider=PROVIDERS[resource.type],
        account=stack.account,
        region=stack.region,
        stack_name=stack.name,
        logical_id=resource.logical_id,
        id=resource.physical_id,
    )


def ssm_value(account: str, region: str) -> Callable[[str], str]:
    """Looks up SSM parameters of an account and region."""

    def value(name: str) -> str:
        path, _, version = name.partition(":")
        client = moto_app.client("ssm", account, region)
        try:
            return str(client.get_parameter(Name=f"{path}:{version}" if version else path)["Parameter"]["Value"])
        except client.exceptions.ClientError as error:
            raise ValidationError(
                f"Unable to fetch parameters [{name}] from parameter store for this account."
            ) from error

    return value


class Resources:
    """What references to resources mean: those that exist, and those of which nothing is known yet."""

    def __init__(self, stack: Stack, target: Target) -> None:
        self._stack = stack
        self._target = target
        self.known: dict[str, Deployed] = {}
        self.imports: set[str] = set()

    def pseudo(self, name: str) -> Json:
        """A pseudo parameter's value, or None."""
        return {
            "AWS::AccountId": self._stack.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": get_partition(self._stack.region),
            "AWS::Region": self._stack.region,
            "AWS::StackId": self._stack.id,
            "AWS::StackName": self._stack.name,
            "AWS::URLSuffix": url_suffix(self._stack.region),
        }.get(name)

    def reference(self, logical_id: str) -> Json:
        """See `World`."""
        if (value := self.pseudo(logical_id)) is not None:
            return value
        resource = self.known.get(logical_id)
        if resource is None:
            self._check_exists(logical_id)
            return UNKNOWN
        return resource.physical_id

    def attribute(self, logical_id: str, name: str) -> Json:
        """See `World`."""
        self._check_exists(logical_id)
        resource_type = self._target.template.resources[logical_id]["Type"]
        provider = PROVIDERS.get(resource_type)
        if provider is None:
            return UNKNOWN
        if name not in provider.readable:
            if name in schema.load(resource_type).read_only:
                raise ValidationError(f"Attribute {name} of {resource_type} is not emulated (resource {logical_id})")
            raise ValidationError(
                f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt"
            )
        resource = self.known.get(logical_id)
        if resource is None:
            return UNKNOWN
        return provider.attribute(resource_of(self._stack, resource), name, resource.properties)

    def _check_exists(self, logical_id: str) -> None:
        if logical_id not in self._target.template.resources:
            raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}")

    def imported(self, export: str) -> Json:
        """See `World`."""
        exporter = store(self._stack.account, self._stack.region).exporter(export)
        if exporter is None or exporter is self._stack:
            raise ValidationError(f"No export named {export} found.")
        self.imports.add(export)
        return exporter.exports()[export]

    def zones(self, region: str) -> list[str]:
        """See `World`."""
        client = moto_app.client("ec2", self._stack.account, region)
        return [zone["ZoneName"] for zone in client.describe_availability_zones()["AvailabilityZones"]]


class Desired:
    """The state that a target describes, as far as it is known."""

    def __init__(self, stack: Stack, target: Target) -> None:
        self._stack = stack
        self.target = target
        self.resources = Resources(stack, target)
        self.evaluator = Evaluator(target.template, target.parameters.values, stack.region, self.resources)
        self.active = self.evaluator.active()
        self.order = target.template.order(self.active)

    def properties(self, logical_id: str) -> dict[str, Json]:
        """The properties of a resource, without the tags of the stack.

        Raises:
            ValidationError: an expression in them is wrong.
        """
        written = self.target.template.resources[logical_id].get("Properties") or {}
        properties: dict[str, Json] = self._dynamic(self.evaluator.value(written))
        return properties

    def tagged(self, logical_id: str, properties: Mapping[str, Json]) -> dict[str, Json]:
        """The properties with the tags of the stack, and CloudFormation's own where the service takes them."""
        resource_type = self.target.template.resources[logical_id]["Type"]
        provider, tagging = PROVIDERS[resource_type], schema.load(resource_type).tagging
        if tagging is None or tagging.property not in provider.properties:
            return dict(properties)
        own = properties.get(tagging.property)
        if own is UNKNOWN or has_unknown(own):
            return dict(properties)
        tags = {**self.target.tags, **as_mapping(own)}
        if provider.system_tags and tagging.system_tags:
            tags |= {
                "aws:cloudformation:stack-name": self._stack.name,
                "aws:cloudformation:stack-id": self._stack.id,
                "aws:cloudformation:logical-id": logical_id,
            }
        if not tags:
            return dict(properties)
        shaped = [{"Key": key, "Value": value} for key, value in tags.items()] if tagging.is_list else tags
        return {**properties, tagging.property: shaped}

    def deployed(self, logical_id: str, physical_id: str, properties: Mapping[str, Json]) -> Deployed:
        """The record of a resource that has these properties."""
        definition = self.target.template.resources[logical_id]
        dependencies = self.target.template.references[logical_id] & self.active
        return Deployed(logical_id, definition["Type"], physical_id, properties, definition, dependencies)

    def problems(self, logical_id: str, properties: Mapping[str, Json]) -> Iterator[Problem]:
        """What is wrong with a resource, as far as its properties are known."""
        resource_type = self.target.template.resources[logical_id]["Type"]
        yield from _type_problems(logical_id, resource_type)
        provider = PROVIDERS.get(resource_type)
        if provider is None:
            return
        declared = schema.load(resource_type)
        place = f"/Resources/{logical_id}/Properties"
        for problem in declared.problems(properties):
            where, _, _ = problem.partition(":")
            yield Problem(
                logical_id, resource_type, place + where.lstrip("#"), f"{INVALID} {logical_id} with message: {problem}"
            )
        for name in sorted((set(properties) & declared.properties) - provider.properties - declared.read_only):
            message = f"Property {name} of {resource_type} is not emulated (resource {logical_id})"
            yield Problem(logical_id, resource_type, f"{place}/{name}", message)

    def _dynamic(self, value: Json) -> Json:
        """`value` with its dynamic references resolved."""
        if isinstance(value, dict):
            return {key: self._dynamic(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self._dynamic(part) for part in value]
        return _DYNAMIC.sub(self._resolve, value) if isinstance(value, str) else value

    def _resolve(self, match: re.Match[str]) -> str:
        if match[1] != "ssm":
            raise ValidationError(f"Dynamic reference {match[0]} is not emulated: only ssm is")
        return ssm_value(self._stack.account, self._stack.region)(match[2])


INVALID = "Properties validation failed for resource"


def _type_problems(logical_id: str, resource_type: str) -> Iterator[Problem]:
    place = f"/Resources/{logical_id}/Type"
    if resource_type in PROVIDERS:
        return
    if resource_type == "AWS::CloudFormation::CustomResource" or resource_type.startswith("Custom::"):
        yield Problem(
            logical_id, resource_type, place, f"Custom resource {logical_id} ({resource_type}) is not emulated"
        )
    elif schema.exists(resource_type):
        message = f"Resource type {resource_type} is not emulated (resource {logical_id})"
        yield Problem(logical_id, resource_type, place, message)
    else:
        similar = schema.nearest(resource_type)
        hint = f" (did you mean {similar}?)" if similar else ""
        message = f"Template format error: Unrecognized resource types: [{resource_type}]{hint} (resource {logical_id})"
        yield Problem(logical_id, resource_type, place, message)


@dataclass(frozen=True)
class Difference:
    """How a resource that exists differs from what it is to be."""

    changed: frozenset[str]
    """Top-level properties that change, or may change."""
    definition: frozenset[str]
    """Parts of the definition other than properties that change."""
    replacing: frozenset[str]
    """The changed properties whose change needs a new resource."""
    uncertain: frozenset[str]
    """The changed properties of which only the deployment will tell whether they change."""

    @property
    def replacement(self) -> str:
        """CloudFormation's word for whether the resource will be replaced."""
        if not self.replacing:
            return "False"
        return "Conditional" if self.replacing <= self.uncertain else "True"


def difference(have: Deployed, properties: Mapping[str, Json], definition: Mapping[str, Json]) -> Difference:
    """Compare a resource that exists with what it is to be."""
    names = have.properties.keys() | properties.keys()
    changed = frozenset(name for name in names if have.properties.get(name) != properties.get(name))
    parts = frozenset(part for part in ATTRIBUTES if have.definition.get(part) != definition.get(part))
    return Difference(
        changed=changed,
        definition=parts,
        replacing=frozenset(PROVIDERS[have.type].replaced_by(changed)),
        uncertain=frozenset(name for name in changed if has_unknown(properties.get(name))),
    )


def refuse_renaming(have: Deployed, properties: Mapping[str, Json]) -> None:
    """Refuse to replace a resource by one of the same name, as the two have to exist at once.

    Raises:
        ResourceFailure: in CloudFormation's words.
    """
    provider = PROVIDERS[have.type]
    name = provider.name
    if any(properties.get(parent) != have.properties.get(parent) for parent in provider.within.split()):
        return
    if name and name in properties and properties[name] == have.properties.get(name):
        raise ResourceFailure(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {properties[name]} and update the stack again."
        )
