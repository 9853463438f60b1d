"""Values of templates brought to the types of the API."""

import json
from collections.abc import Mapping

from botocore.model import Shape

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.values import Json, as_text


def coerce(value: Json, shape: Shape, resource_type: str, place: str = "") -> Json:
    """A template's value as the API wants it.

    "1" and "true" become a number and a boolean, names take the API's case and plural: ResourceId may be ResourceIds.

    Raises:
        ResourceFailure: a property that the API does not have, or a value of the wrong type.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        members = {name.lower(): name for name in shape.members}
        keys = {name: key if (key := name.lower()) in members else f"{key}s" for name in value}
        if unknown := [name for name, key in keys.items() if key not in members]:
            raise ResourceFailure(f"Property {place}{unknown[0]} of {resource_type} is not emulated")
        named = {members[keys[name]]: part for name, part in value.items()}
        return {
            name: coerce(part, shape.members[name], resource_type, f"{place}{name}.") for name, part in named.items()
        }
    if kind == "list":
        parts = value if isinstance(value, list) else [value]
        return [coerce(part, shape.member, resource_type, place) for part in parts]
    if kind == "map" and isinstance(value, Mapping):
        for key, part in value.items():
            if not isinstance(part, str) and shape.value.type_name == "string":
                raise ResourceFailure(
                    f"Model validation failed (#/{place.replace('.', '/')}{key}: expected type: String, found: "
                    f"{type(part).__name__})"
                )
        return dict(value)
    return _scalar(value, kind)


def _scalar(value: Json, kind: str) -> Json:
    if kind in ("integer", "long"):
        return int(float(value))
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value) if isinstance(value, dict | list) else as_text(value)
    return value
