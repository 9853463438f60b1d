"""The references of the files in environments/ in Markdown, written from their schemas."""

from collections.abc import Iterator
from typing import Any

from mistral7b import catalog, promotion
from mistral7b.environment.schema import complete_schema
from mistral7b.tgi import LauncherSettings
from tools.markdown import anchor, linked

_ENVIRONMENT = """\
# The environment file

Every field of a file in `environments/`: type, range, default and meaning. Written from the schema by `make generate`.

- `common.yaml` holds what all environments share. A field of `<environment>.yaml` replaces the same field of
  `common.yaml`; `null` removes it. `common` and `pipeline` are reserved names: no environment can have them.
- A required field may be in either file. In an optional section, it is required if you use the section.
- Rules across fields (what the model version, the container and AWS accept together) are checked when the file is
  loaded, before anything is deployed: [constraints.md](constraints.md).
"""


_PIPELINE = """\
# The pipeline file

Every field of `environments/pipeline.yaml`, which says what is promoted, in which order, and what has to succeed before
the next environment is deployed. Written from the schema by `make generate`.

- Without the file there is no pipeline.
- Rules across fields are checked when the file is loaded: each environment has a file and is promoted once, production
  comes last and is approved by someone, and all are in accounts and regions that one pipeline can reach
  ([constraints.md](constraints.md)). `mistral7b pipeline check` asks the accounts themselves.
- An environment is production if one of the words of its name is `prod`, `production` or `live`: `prod`, `eu-prod`.
"""


def environment_file() -> str:
    """Every field of the environment file."""
    return _written(_ENVIRONMENT, complete_schema())


def pipeline_file() -> str:
    """Every field of the pipeline file."""
    return _written(_PIPELINE, promotion.json_schema())


def _written(head: str, schema: dict[str, Any]) -> str:
    """Every field of a JSON schema with its type, range, default and meaning, below `head`; one table a section."""
    return "\n".join([head, *_sections(schema)])


def _sections(schema: dict[str, Any]) -> Iterator[str]:
    yield _table("Top level", "", schema | {"description": ""}, schema)
    yield from _nested(schema["properties"], "", schema)


def _nested(properties: dict[str, Any], prefix: str, schema: dict[str, Any]) -> Iterator[str]:
    for name, field in properties.items():
        section = _section_of(field, schema)
        if section is not None:
            path = f"{prefix}{name}[]" if field.get("type") == "array" else f"{prefix}{name}"
            yield _table(f"`{path}`", f"{path}.", section, schema)
            yield from _nested(section["properties"], f"{path}.", schema)


def _section_of(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    for choice in (field, field.get("items", {}), *field.get("anyOf", ()), *field.get("oneOf", ())):
        if "$ref" in choice:
            section: dict[str, Any] = schema["$defs"][choice["$ref"].rsplit("/", 1)[1]]
            return section
    return None


def _table(title: str, prefix: str, table: dict[str, Any], schema: dict[str, Any]) -> str:
    about = linked(table.get("description", ""))
    lines = [
        f"## {title}",
        "",
        *([about, ""] if about else []),
        "| field | required | type | default | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, field in table["properties"].items():
        section = _section_of(field, schema)
        required = "yes" if name in table.get("required", ()) else ""
        meaning = linked(" ".join((field.get("description") or (section or {}).get("description", "")).split()))
        kind = _type(field, anchor(f"{prefix}{name}"))
        lines.append(f"| `{name}` | {required} | {kind} | {_default(name, field)} | {meaning} |")
    return "\n".join([*lines, ""])


def _type(field: dict[str, Any], section: str = "") -> str:
    """What the field takes; `section` is the anchor of its own section, if it has one."""
    if "$ref" in field:
        return f"[section below](#{section})"
    choices = [choice for choice in (*field.get("anyOf", ()), *field.get("oneOf", ())) if choice.get("type") != "null"]
    if choices:
        return " or ".join(_type(choice, section) for choice in choices)
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    names = {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "true or false",
        "object": "mapping",
    }
    if field["type"] == "array":
        return f"list, [entries below](#{section})" if "$ref" in field["items"] else f"list of {_type(field['items'])}"
    return names[field["type"]] + _range(field)


def _range(field: dict[str, Any]) -> str:
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    if low is not None and high is not None and high < 2**31:
        return f", {low:g} to {high:g}"
    if low:
        return f", {low:g} or more"
    return ", above 0" if field.get("exclusiveMinimum") == 0 else ""


def _default(name: str, field: dict[str, Any]) -> str:
    launcher = LauncherSettings.model_validate({}).model_dump(by_alias=True)
    if name in launcher:
        value = catalog.model("instruct").default_version.environment("ml.g5.2xlarge").get(name, launcher[name])
    else:
        value = field.get("default")
    return "" if value is None or value in ([], {}) else f"`{str(value).lower() if isinstance(value, bool) else value}`"
