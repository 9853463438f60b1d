"""What the resources of a stack are to become, and what that changes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from moto.utilities.utils import get_partition

from sagehost import moto_app
from sagehost.accounts import url_suffix
from sagehost.cloudformation import schema
from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.intrinsics import Evaluator
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.providers.provider import Resource, as_mapping
from sagehost.cloudformation.store import STORES, Deployed, Output, Problem, Stack, Target
from sagehost.cloudformation.values import UNKNOWN, Json, as_text, has_unknown, hint

_DYNAMIC = re.compile(r"\{\{resolve:([^:{}]+):([^{}]+)\}\}")

ATTRIBUTES = ("Metadata", "DeletionPolicy", "UpdateReplacePolicy")
"""Parts of a resource's definition that can change without the resource."""


def resource_of(stack: Stack, resource: Deployed) -> Resource:
    """A resource of the stack, for its provider."""
    where = (stack.account, stack.region, stack.name, resource.logical_id, resource.physical_id)
    return Resource(PROVIDERS[resource.type], *where, role_arn=stack.role_arn)


def ssm_value(stack: Stack, name: str) -> str:
    """The value of an SSM parameter, such as `name` or `name:version`, in the stack's account and region."""
    client = moto_app.client("ssm", stack.account, stack.region)
    try:
        return str(client.get_parameter(Name=name.removesuffix(":"))["Parameter"]["Value"])
    except client.exceptions.ClientError as error:
        raise ValidationError(f"Unable to fetch parameters [{name}] from parameter store for this account.") from error


class TargetState:
    """The state that a target describes, as far as it is known, and what its template's references mean then."""

    def __init__(self, stack: Stack, target: Target) -> None:
        self._stack = stack
        self.target = target
        self.known: dict[str, Deployed] = {}
        """The resources that exist already as the target wants them: others can refer to them."""
        self.imports: set[str] = set()
        self._pseudo: Mapping[str, Json] = {
            "AWS::AccountId": stack.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": get_partition(stack.region),
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": url_suffix(stack.region),
        }
        self.evaluator = Evaluator(target.template, target.parameters.values, stack.region, self)
        self.active = frozenset(name for name, one in target.template.resources.items() if self.evaluator.holds(one))
        self.order = target.template.order(self.active)

    def reference(self, logical_id: str) -> Json:
        """What Ref gives for a resource or a pseudo parameter; UNKNOWN before deployment."""
        if logical_id in self._pseudo:
            return self._pseudo[logical_id]
        self._check_exists(logical_id)
        return self.known[logical_id].physical_id if logical_id in self.known else UNKNOWN

    def attribute(self, logical_id: str, name: str) -> Json:
        """What Fn::GetAtt gives for a resource; UNKNOWN before deployment."""
        self._check_exists(logical_id)
        resource_type = self.target.template.resources[logical_id]["Type"]
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
        try:
            return provider.attribute(resource_of(self._stack, resource), name, resource.properties)
        except ResourceFailure as error:
            raise ValidationError(str(error)) from error

    def _check_exists(self, logical_id: str) -> None:
        if logical_id not in self.target.template.resources:
            raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}")

    def imported(self, export: str) -> Json:
        """The value of another stack's export."""
        exporter = STORES[self._stack.account, self._stack.region].exporter(export)
        if exporter is None or exporter is self._stack:
            raise ValidationError(f"No export named {export} found.")
        self.imports.add(export)
        return exporter.exports()[export]

    def zones(self, region: str) -> list[str]:
        """The names of a region's availability zones."""
        client = moto_app.client("ec2", self._stack.account, region)
        return [zone["ZoneName"] for zone in client.describe_availability_zones()["AvailabilityZones"]]

    def outputs(self) -> list[Output]:
        """The outputs whose condition holds; what only the deployment will tell is `UNKNOWN` or says so."""
        made = list[Output]()
        for key, output in self.target.template.section("Outputs").items():
            if self.evaluator.holds(output):
                value = self.evaluator.value(output["Value"])
                export = self.evaluator.value(output.get("Export", {})).get("Name")
                if export and export in (one.export_name for one in made):
                    raise ValidationError(f"Template error: several outputs have the export name {export}")
                made.append(Output(key, as_text(value), output.get("Description"), export))
        return made

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
        own = properties.get(tagging.property) if tagging else None
        if tagging is None or tagging.property not in provider.properties or has_unknown(own):
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
        problem = partial(Problem.of, logical_id, resource_type)
        if (provider := PROVIDERS.get(resource_type)) is None:
            yield problem("Type", _not_emulated(resource_type, logical_id))
            return
        declared = schema.load(resource_type)
        for message in declared.problems(properties):
            place = message.partition(":")[0].lstrip("#")
            yield problem(f"Properties{place}", f"{INVALID} {logical_id} with message: {message}")
        for name in sorted((set(properties) & declared.properties) - provider.properties - declared.read_only):
            message = f"Property {name} of {resource_type} is not emulated (resource {logical_id})"
            yield problem(f"Properties/{name}", message)

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
        return ssm_value(self._stack, match[2])


INVALID = "Properties validation failed for resource"


def _not_emulated(resource_type: str, logical_id: str) -> str:
    """Why a resource of this type cannot be deployed."""
    if resource_type == "AWS::CloudFormation::CustomResource" or resource_type.startswith("Custom::"):
        return f"Custom resource {logical_id} ({resource_type}) is not emulated"
    if resource_type in schema.types():
        return f"Resource type {resource_type} is not emulated (resource {logical_id})"
    similar = hint(resource_type, schema.types())
    return f"Template format error: Unrecognized resource types: [{resource_type}]{similar} (resource {logical_id})"


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
    """Raise ResourceFailure if a resource is replaced by one of its name, as the two have to exist at once."""
    provider = PROVIDERS[have.type]
    unique_in = (provider.name, *provider.within.split())
    if provider.name in properties and all(properties.get(one) == have.properties.get(one) for one in unique_in):
        raise ResourceFailure(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {properties[provider.name]} and update the stack again."
        )
