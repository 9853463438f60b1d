"""Resource schemas: which types and properties exist, what replaces a resource, which attributes it has.

The schemas are CloudFormation's own, as cfn-lint ships them; nothing is downloaded, and one is read when its type is
first used. cfn-lint itself is not imported, which would take longer than the rest of the server's start.
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema
from botocore import xform_name

from sagehost.cloudformation.keywords import Validator
from sagehost.cloudformation.values import Json

_REGION = "us-east-1"
"""Region whose list of types counts: the one with all of them."""


@cache
def _directory() -> Path:
    specification = importlib.util.find_spec("cfnlint")
    if specification is None or not specification.submodule_search_locations:
        raise RuntimeError("cfn-lint is not installed, and it carries the resource schemas")
    return Path(specification.submodule_search_locations[0]) / "data" / "schemas"


@cache
def types() -> Mapping[str, str]:
    """AWS's resource types -> names of the files with their schemas."""
    index: dict[str, str] = json.loads((_directory() / "providers" / f"{_REGION}.json").read_text())
    return index


@cache
def load(resource_type: str) -> "ResourceSchema":
    """The schema of an existing type. Raises KeyError: AWS has no such type."""
    path = _directory() / "resources" / f"{types()[resource_type]}.json"
    return ResourceSchema(resource_type, json.loads(path.read_text()))


def _names(pointers: list[str]) -> frozenset[str]:
    """`["/properties/A/B", …]` -> `{"A.B", …}`, the way Fn::GetAtt writes nested attributes."""
    return frozenset(pointer.removeprefix("/properties/").replace("/", ".") for pointer in pointers)


@dataclass(frozen=True)
class Tagging:
    """How a type takes tags: as a list of Key and Value, or as a mapping."""

    property: str
    is_list: bool
    system_tags: bool
    add_with: str
    """boto3's method that adds tags, as far as the schema tells; likewise `remove_with`."""
    remove_with: str


class ResourceSchema:
    """One resource type."""

    def __init__(self, resource_type: str, schema: Mapping[str, Any]) -> None:
        self.type = resource_type
        self.json_schema, self._validator = schema, Validator(schema)
        self.properties: frozenset[str] = frozenset(schema["properties"])
        self.read_only = _names(schema.get("readOnlyProperties", []))
        self.create_only = _names(schema.get("createOnlyProperties", []))
        self.identifier = _names(schema.get("primaryIdentifier", []))
        self.deletes_first: bool = schema.get("replacementStrategy") == "delete_then_create"

    @cached_property
    def tagging(self) -> Tagging | None:
        """How the type takes tags, or None if it takes none."""
        declared = self.json_schema.get("tagging", {})
        name = declared.get("tagProperty", "/properties/Tags").removeprefix("/properties/")
        if declared.get("taggable") is False or name not in self.properties:
            return None
        shape = self.json_schema["properties"][name]
        if "$ref" in shape:
            shape = self.json_schema["definitions"][shape["$ref"].rsplit("/", 1)[1]]
        actions = [permission.partition(":")[2] for permission in declared.get("permissions", [])]
        adding, removing = (
            next((xform_name(action) for action in actions if action.startswith(verbs)), "")
            for verbs in (("Tag", "Add", "Create"), ("Untag", "Remove", "Delete"))
        )
        system_tags = bool(declared.get("cloudFormationSystemTags"))
        return Tagging(name, shape.get("type") == "array", system_tags, adding, removing)

    def problems(self, properties: Mapping[str, Json]) -> Iterator[str]:
        """What is wrong with the properties, each with its place. Unknown parts are taken to be right.

        The wording is that of CloudFormation's own validation, with the nearest legal name added.
        """
        for name in sorted(self.read_only & set(properties)):
            yield f"#: readOnly property [{name}] cannot be set"
        writable = {name: value for name, value in properties.items() if name not in self.read_only}
        yield from map(_worded, self._validator.iter_errors(writable))


def _worded(error: jsonschema.ValidationError) -> str:
    place = "#" + "".join(f"/{part}" for part in error.absolute_path)
    if error.validator in ("anyOf", "oneOf"):
        return f"{place}: no permitted form matches ({'; '.join(sorted(set(map(_worded, error.context))))})"
    return f"{place}: {error.message}"


def section_problems(name: str, section: Json) -> Iterator[str]:
    """What is wrong with the form of a section of a template, by cfn-lint's schemas."""
    return map(_worded, _section(name.lower()).iter_errors(section))


@cache
def _section(name: str) -> Any:
    return Validator(json.loads((_directory() / "other" / name / "configuration.json").read_text()))
