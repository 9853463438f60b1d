"""Reads docs/constraints.md, and what it refers to."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mistral7b import promotion
from tests.unit.environment.mutations import sites, sites_of

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "constraints.md"
ROOMS = ("mistral7b/environment", "constructs/sagemaker_tgi", "stacks/mistral7b_stacks", "mistral7b", "mistral7b_cli")
_FUNCTION = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Row:
    """One constraint."""

    number: str
    constraint: str
    source: str
    kept_by: str
    test: str

    def places(self) -> list[str]:
        """Functions and constants: `file.py::name`."""
        return [name for name in _quoted(self.kept_by) if "::" in name]

    def fields(self) -> list[str]:
        """Fields of the environment file, `section.field` or `section.*`, and of the pipeline's, `pipeline.field`."""
        return [name for name in _quoted(self.kept_by) if "::" not in name]

    def tests(self) -> list[str]:
        """Tests: `test_file.py::test_name`, some with a case in brackets."""
        return _quoted(self.test)


@cache
def rows() -> tuple[Row, ...]:
    """Every row of every table."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if re.match(r"\| [A-Z]\d+ \|", line)
    ]
    return tuple(Row(*row) for row in cells)


def _quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def place_exists(place: str) -> bool:
    """Whether a file of the project defines the function, method or constant."""
    file, name = place.split("::")
    return any(name in names(path) for path in _files_of(file))


def _files_of(file: str) -> Iterator[Path]:
    for room in ROOMS:
        if (path := ROOT / room / file).is_file():
            yield path


@cache
def names(file: Path) -> frozenset[str]:
    """Functions, classes, `Class.method`s and constants that a file defines."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, _FUNCTION):
            found.add(node.name)
            if isinstance(node, ast.ClassDef):
                found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, _FUNCTION)}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(found)


def test_exists(test: str) -> bool:
    """Whether a file of tests/ has the test, and the case in brackets among its parameters."""
    file, _, name = test.partition("::")
    name, _, case = name.partition("[")
    found = [path for path in (ROOT / "tests").rglob(file) if name in names(path)]
    return any(not case or case.removesuffix("]") in _texts(path) for path in found)


test_exists.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test where it is imported


@cache
def _texts(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))


@cache
def bounded_fields() -> dict[str, bool]:
    """Every field of both schemas, the pipeline's as `pipeline.…`, and whether the schema limits what it may be."""
    limits = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "enum", "minItems", "maxItems"}
    limits |= {"minLength", "maxLength", "maxProperties"}

    def bounded(form: object) -> bool:
        if not isinstance(form, dict):
            return False
        return bool(limits & set(form)) or any(bounded(form.get(k)) for k in ("items", "additionalProperties"))

    fields = {".".join(site.path): site for site in sites()}
    fields |= {f"pipeline.{'.'.join(site.path)}": site for site in sites_of(promotion.json_schema())}
    return {name: any(bounded(form) for form in site.forms) for name, site in fields.items()}
