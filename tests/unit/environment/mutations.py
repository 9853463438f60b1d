"""Mutations of valid environment files. What there is to mutate is read from the JSON schema, so new fields are too."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from mistral7b import catalog
from mistral7b.environment import json_schema
from tests.variants import FOLDERS

REMOVE = object()
Path_ = tuple[str, ...]
Edit = tuple[Path_, Any]


@dataclass(frozen=True)
class Files:
    """The text of dev.yaml, and of common.yaml where there is one."""

    dev: str
    common: str | None = None

    def __str__(self) -> str:
        return f"--- common.yaml\n{self.common}\n--- dev.yaml\n{self.dev}" if self.common else self.dev


@cache
def texts() -> tuple[str, ...]:
    """The text of every environment file of the tests that is complete in itself."""
    files = [
        file for folder in FOLDERS.values() for file in sorted(folder.glob("*.yaml")) if file.name != "pipeline.yaml"
    ]
    return tuple(file.read_text(encoding="utf-8") for file in files if "\nregion:" in file.read_text(encoding="utf-8"))


@cache
def documents() -> tuple[dict[str, Any], ...]:
    """The same files as values."""
    return tuple(yaml.safe_load(text) for text in texts())


@dataclass(frozen=True)
class Site:
    """A field that an environment file may have: where, and the forms that its value may take."""

    path: Path_
    forms: tuple[Mapping[str, Any], ...]


@cache
def sites() -> tuple[Site, ...]:
    """Every field of the schema, sections included."""
    return tuple(sites_of(json_schema()))


def sites_of(schema: Mapping[str, Any]) -> Iterator[Site]:
    """Every field of a schema, sections and those of a list's entries included."""
    return _walk(schema, (), schema["$defs"])


def _walk(section: Mapping[str, Any], path: Path_, sections: Mapping[str, Any]) -> Iterator[Site]:
    for name, shape in section.get("properties", {}).items():
        here = (*path, name)
        forms = tuple(_forms(shape, sections))
        yield Site(here, forms)
        for form in forms:
            yield from _walk(form, here, sections)
            for entry in _forms(form.get("items", {}), sections):
                yield from _walk(entry, here, sections)


def _forms(shape: Mapping[str, Any], sections: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in shape:
        yield from _forms(sections[shape["$ref"].rsplit("/", 1)[1]], sections)
    elif alternatives := shape.get("anyOf", shape.get("oneOf")):
        for alternative in alternatives:
            yield from _forms(alternative, sections)
    else:
        yield shape


_ZONED = ("us-east-1", "eu-central-1", "us-west-2")


def _zones(region: str) -> list[str]:
    """Names and ids of a region's zones; some of the names are of no zone."""
    return [*(region + letter for letter in "abcdef"), *catalog.availability_zones(region)]


@cache
def pools() -> dict[str, list[str]]:
    """Texts that make sense, by the name of their field: those of the project's files, and of the catalogue."""
    found: dict[str, list[str]] = {
        "region": list({r for m in catalog.models() for v in m.versions for r in v.regions}),
        "model_version": [v.version for m in catalog.models() for v in m.versions],
        "type": [t.name for t in catalog.instance_types()],
        "cidr": ["10.0.0.0/16", "10.0.0.0/27", "192.168.4.0/24", "10.0.0.0/28", "172.31.0.0/26", "8.8.0.0/16"],
        "availability_zones": [zone for region in _ZONED for zone in _zones(region)],
    }

    def collect(value: Any, name: str) -> None:
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
        for key, inner in value.items() if isinstance(value, dict) else ():
            collect(inner, key)
        for inner in value if isinstance(value, list) else ():
            collect(inner, name)

    for document in documents():
        collect(document, "")
    return {name: sorted(set(values)) for name, values in found.items()}


OTHER_TYPES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 1.5, -0.0, 1e308, 5e-324, 10**30, -(10**4000), float("inf"), float("nan")),
    *("", "x", "1", "true", "null", "~", "-1", "1e3", "0x1F", "1_000", "12:30:45", "2001-12-14", ".inf", "١٢", "yes"),
    *([], {}, [[]], [None], {"a": 1}, {"": None}, [{"a": [1]}], ["x"] * 200, {str(n): "x" for n in range(200)}),
)
HOSTILE = (
    *("\x00", "\x1b[31m", "\x07", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\u202e", "\u2066", "\u200b", "\u00a0"),
    *("\ud800", "\udfff", "\ufffe", "\U0010ffff", "\U0001f600", "е", "Ⅰ", "ﬁ", "ß", "İ", "١", "字", "á", "\n", "\r\n"),
    *("\t", " ", "'", '"', "\\", "#", ": ", "- ", "{{x}}", "${Token[TOKEN.1]}", "{{resolve:ssm:/x:1}}", "$(id)", "%s"),
    *("../", "a" * 64, "a" * 257, "1" * 1025, "-", "_", "!", "&", "*", "|", ">", "@", "`", "[red]", "<b>"),
)


@cache
def good(form: Any, name: str) -> st.SearchStrategy[Any]:
    """Values that fit one form of the schema, its bounds foremost."""
    shape = json.loads(form)
    low, high = shape.get("minimum"), shape.get("maximum")
    if "enum" in shape or "const" in shape:
        return st.sampled_from(shape.get("enum") or [shape["const"]])
    match shape.get("type"):
        case "integer":
            low, high = low or 0, high if high is not None else (low or 0) + 10_000
            return st.sampled_from([low, min(low + 1, high), high]) | st.integers(low, high)
        case "number":
            return st.sampled_from([0.5, 1, 32, high or 128]) | st.floats(low or 1e-300, high or 1e4)
        case "boolean":
            return st.booleans()
        case "string" if name in pools():
            return st.sampled_from(pools()[name])
        case "string" if "pattern" in shape:
            return st.from_regex(shape["pattern"], fullmatch=True)
        case "string":
            return st.sampled_from(HOSTILE)
        case "array":
            items = st.one_of([good(json.dumps(f), name) for f in _forms(shape["items"], json_schema()["$defs"])])
            least = shape.get("minItems", 0)
            return st.lists(items, min_size=least, max_size=max(least, min(shape.get("maxItems", 4), 4)))
        case "object" if "properties" not in shape:
            return st.dictionaries(st.from_regex(r"[a-z.-]{1,8}", fullmatch=True), st.sampled_from(HOSTILE), max_size=3)
    return st.just({}) | st.none()


def near(form: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values at the bounds of one form and just beyond them."""
    bounds = [form[k] for k in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if k in form]
    if bounds:
        beside = [b + d for b in bounds for d in (-1, 0, 1, 0.5)]
        return st.sampled_from([*beside, *map(str, bounds), -(10**20), 2**32, 2**64, 10**4000])
    sizes = [form[k] for k in ("minItems", "maxItems", "minLength", "maxLength", "maxProperties") if k in form]
    around = [max(0, size + d) for size in sizes for d in (-1, 0, 1)] or [0, 1, 2, 64, 300]
    match form.get("type"):
        case "array":
            return st.sampled_from(around).map(lambda n: ["a"] * n)
        case "object":
            return st.sampled_from(around).map(lambda n: {f"k{i}": "v" for i in range(n)})
    return st.sampled_from([c * n for n in around for c in ("a", "1", "é")])


def fitting(site: Site) -> st.SearchStrategy[Any]:
    """Values that fit the site by itself."""
    return st.one_of([good(json.dumps(form), site.path[-1]) for form in site.forms])


def edited(document: Mapping[str, Any], edits: list[Edit]) -> dict[str, Any]:
    """The document with every edit; what is in the way of a path goes."""
    result = deepcopy(dict(document))
    for path, value in edits:
        node = result
        for part in path[:-1]:
            if not isinstance(node.get(part), dict):
                node[part] = {}
            node = node[part]
        if value is REMOVE:
            node.pop(path[-1], None)
        else:
            node[path[-1]] = deepcopy(value)
    return result


def written(document: Mapping[str, Any], as_json: bool) -> str:
    """The document as block YAML, or as JSON, which escapes what YAML files cannot hold."""
    escaped = json.dumps(document)
    if as_json or "\\ud" in escaped:
        return escaped
    return yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
