"""Templates: their syntax, what refers to what, and the order that follows."""

import graphlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sagehost.cloudformation import schema
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.values import Json, hint

_SECTIONS = """
    AWSTemplateFormatVersion Description Metadata Parameters Rules Mappings Conditions Transform Resources Outputs
"""
_RESOURCE_ATTRIBUTES = """
    Type Properties DependsOn Condition Metadata DeletionPolicy UpdateReplacePolicy CreationPolicy UpdatePolicy
"""
_RETENTION = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")

MOST_BYTES = 1_000_000
_QUOTAS = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
_MOST_IN_YAML, _DEEPEST_YAML = 200_000, 100
"""Limits of our own, far above those of a template of a megabyte: libyaml recurses in C, without a limit."""

_SUBSTITUTION = re.compile(r"\$\{([^!{}][^{}]*)\}")


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms (`!Ref x`)."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    value: Json
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the only kind left
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
# Dates are strings in a template: `Version: 2012-10-17`.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Template:
    """A template that is sound as far as its text alone tells."""

    body: str
    document: Mapping[str, Json]
    resources: Mapping[str, Mapping[str, Json]]
    references: Mapping[str, frozenset[str]] = field(repr=False)
    """What each resource refers to: resources and parameters, in any branch of any condition."""

    def section(self, name: str) -> Mapping[str, Json]:
        """A section of the template; empty when absent."""
        return self.document.get(name) or {}

    def order(self, active: Collection[str]) -> list[str]:
        """The active resources, each after the ones it depends on."""
        graph = {name: self.references[name] & set(active) for name in self.resources if name in active}
        return _sorted(graph)


def parse(body: str) -> Template:
    """Read a template, JSON or YAML. Raises ValidationError: it is no sound template, in CloudFormation's words."""
    document = _document(body)
    if unknown := sorted(set(document).difference(_SECTIONS.split())):
        raise ValidationError(f"Invalid template property or properties [{', '.join(unknown)}]")
    if "Transform" in document:
        raise ValidationError(f"Template format error: Transform {document['Transform']} is not emulated")
    if document.get("AWSTemplateFormatVersion", "2010-09-09") != "2010-09-09":
        raise ValidationError("Template format error: unsupported value for AWSTemplateFormatVersion.")
    if len(str(document.get("Description", "")).encode()) > 1024:
        raise ValidationError("Template format error: 'Description' length is greater than 1024.")
    resources = document.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    for section, most in _QUOTAS.items():
        if (number := len(document.get(section) or ())) > most:
            told = f"Number of {section.lower()}, {number}, is greater than maximum allowed, {most}"
            raise ValidationError(f"Template format error: {told}")
    for name, resource in resources.items():
        _check_resource(name, resource)
    for section in ("Resources", "Parameters", "Mappings", "Outputs", "Rules"):
        for problem in schema.section_problems(section, document.get(section) or {}):
            place, _, told = problem.removeprefix("#").partition(": ")
            raise ValidationError(f"Template format error: [/{section}{place}] {told}")
    template = Template(
        body=body,
        document=document,
        resources=resources,
        references={name: frozenset(_resource_references(resource)) for name, resource in resources.items()},
    )
    _check_references(template)
    template.order(resources)
    return template


def _document(body: str) -> dict[str, Json]:
    language = "JSON" if body.lstrip().startswith("{") else "YAML"
    try:
        # CDK's templates are JSON, which the standard library reads many times faster than YAML. `int` refuses NaN.
        document = json.loads(body, parse_constant=int) if language == "JSON" else _from_yaml(body)
    except (yaml.YAMLError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ValidationError(f"Template format error: {language} not well-formed. ({error})") from error
    if not isinstance(document, dict):
        raise ValidationError("Template format error: unsupported structure.")
    return document


def _from_yaml(body: str) -> Json:
    depth = 0
    for number, event in enumerate(yaml.parse(body, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise ValidationError("Template error: YAML aliases are not allowed in CloudFormation templates")
        if number > _MOST_IN_YAML or depth > _DEEPEST_YAML:
            raise ValidationError("Template format error: YAML so large or deep is not emulated")
    # As JSON, which has texts as keys, and no bytes, sets or infinities.
    return json.loads(json.dumps(yaml.load(body, Loader=_Loader), allow_nan=False))


def _check_resource(name: str, resource: Any) -> None:
    place = f"[/Resources/{name}]"
    if not re.fullmatch(r"[A-Za-z0-9]{1,255}", str(name)):
        raise ValidationError(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise ValidationError(f"Template format error: {place} Every Resources object must contain a Type member.")
    for attribute in sorted(set(resource).difference(_RESOURCE_ATTRIBUTES.split())):
        similar = hint(attribute, _RESOURCE_ATTRIBUTES.split())
        raise ValidationError(f"Invalid template resource property '{attribute}' of {name}{similar}")
    for attribute in ("CreationPolicy", "UpdatePolicy"):
        if attribute in resource:
            raise ValidationError(f"Template format error: {place} {attribute} is not emulated")
    if not isinstance(resource.get("Properties", {}), dict):
        raise ValidationError(f"Template format error: [/Resources/{name}/Properties] must be an object.")
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(attribute, "Delete")
        if policy not in _RETENTION or (attribute == "UpdateReplacePolicy" and policy == "RetainExceptOnCreate"):
            raise ValidationError(f"Template format error: Unrecognized {attribute} {policy} for resource {name}")
        if policy == "Snapshot":
            raise ValidationError(f"Template format error: {place} {attribute} Snapshot is not emulated")


def _check_references(template: Template) -> None:
    known = set(template.resources) | set(template.section("Parameters"))
    for section, found in (
        ("Resources", set().union(*template.references.values())),
        ("Outputs", {name for output in template.section("Outputs").values() for name in references(output)}),
    ):
        if missing := sorted(name for name in found - known if not name.startswith("AWS::")):
            raise ValidationError(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {section} "
                "block of the template"
            )
    _check_conditions(template)


def _check_conditions(template: Template) -> None:
    conditions = template.section("Conditions")
    for section in ("Conditions", "Resources", "Outputs"):
        blocks = template.section(section)
        if missing := sorted(set(_conditions_in(blocks, section)) - set(conditions)):
            raise ValidationError(
                f"Template format error: Unresolved condition dependency {missing[0]} in the {section} block of the "
                "template"
            )


def _conditions_in(blocks: Mapping[str, Json], section: str) -> Iterator[str]:
    """Conditions that other conditions, resources and outputs name, or some Fn::If in these."""
    if section != "Conditions":
        yield from (block["Condition"] for block in blocks.values() if "Condition" in block)
    for mapping in _mappings(blocks):
        branch, name = mapping.get("Fn::If"), mapping.get("Condition")
        if isinstance(branch, list) and branch and section != "Conditions":
            yield str(branch[0])
        if section == "Conditions" and len(mapping) == 1 and isinstance(name, str):
            yield name


def _mappings(node: Json) -> Iterator[dict[str, Json]]:
    """`node` and all that is inside it, as far as they are mappings."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _mappings(part)


def references(node: Json) -> Iterator[str]:
    """Names that `node` refers to by Ref, Fn::GetAtt or Fn::Sub, in any branch."""
    for function, value in (pair for mapping in _mappings(node) for pair in mapping.items()):
        if function == "Ref" and isinstance(value, str):
            yield value
        elif function == "Fn::GetAtt":
            yield attribute_of(value)[0]
        elif function == "Fn::Sub":
            text, own = sub_arguments(value)
            yield from (name.split(".")[0] for name in substituted(text) if name not in own)


def sub_arguments(value: Json) -> tuple[str, Mapping[str, Json]]:
    """The text of a Fn::Sub and its own values. Raises ValidationError: it has neither form."""
    match value:
        case str(text) | [str(text)]:
            return text, {}
        case [str(text), dict(own)]:
            return text, own
    raise ValidationError(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
        "first argument, and an optional second argument to specify a mapping of values to replace in the string"
    )


def substituted(text: str) -> list[str]:
    """The names between `${` and `}`, without the literal `${!…}`."""
    return [name.strip() for name in _SUBSTITUTION.findall(text)]


def substitute(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `${name}` replaced, and each `${!name}` as the literal `${name}`."""
    replaced = _SUBSTITUTION.sub(lambda match: values[match[1].strip()], text)
    return replaced.replace("${!", "${")


def attribute_of(value: Json) -> tuple[str, Json]:
    """The resource and the attribute of a Fn::GetAtt in either form. Raises ValidationError: it has neither form."""
    parts = value.split(".", 1) if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
        raise ValidationError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute"
        )
    return parts[0], parts[1]


def _resource_references(resource: Mapping[str, Json]) -> Iterator[str]:
    depends = resource.get("DependsOn", [])
    yield from map(str, depends if isinstance(depends, list) else [depends])
    yield from references(resource.get("Properties", {}))


def _sorted(graph: Mapping[str, Collection[str]]) -> list[str]:
    try:
        # Sorted, so that one template is always worked through in one order.
        return list(graphlib.TopologicalSorter({name: sorted(before) for name, before in graph.items()}).static_order())
    except graphlib.CycleError as error:
        cycle = list(dict.fromkeys(error.args[1]))
        raise ValidationError(f"Circular dependency between resources: [{', '.join(cycle)}]") from error


def dependants_first(dependencies: Mapping[str, Collection[str]]) -> list[str]:
    """Names in the order in which they may be deleted."""
    known = {name: set(others) & set(dependencies) - {name} for name, others in dependencies.items()}
    return list(reversed(_sorted(known)))
