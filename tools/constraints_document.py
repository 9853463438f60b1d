"""docs/constraints.md: what AWS and the container refuse, and what refuses it here first, from the code's docstrings.

A constraint is a paragraph of a docstring that ends in `Source: …`: of a rule of a file, or of a test that looks at
every template.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_SECTIONS = {
    "Refused when environment files are loaded": "mistral7b/environment",
    "Refused when pipeline.yaml is loaded": "mistral7b/promotion",
    "Held by tests": "tests/unit",
}
_CONSTRAINT = re.compile(r"(.+?)\.? Source: (.+)\.")


def constraints_document() -> str:
    """The document, as Markdown."""
    introduction, limits = Path(__file__).with_suffix(".md").read_text(encoding="utf-8").split("<!-- tables -->\n\n")
    parts = [introduction]
    for title, folder in _SECTIONS.items():
        rows = [
            f"| {constraint} | {source} | `{file.name}::{name}` |"
            for file in sorted((ROOT / folder).rglob("*.py"))
            for name, constraint, source in constraints(file)
        ]
        headings = ["| constraint | source | where |", "| --- | --- | --- |"]
        parts.append("\n".join([f"## {title}", "", *headings, *rows, "\n"]))
    return "".join([*parts, limits])


def constraints(file: Path) -> Iterator[tuple[str, str, str]]:
    """Function, constraint and source of each constraint in a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            for paragraph in (ast.get_docstring(node) or "").split("\n\n"):
                if found := _CONSTRAINT.fullmatch(" ".join(paragraph.split())):
                    yield node.name, found[1].replace("|", "\\|"), found[2]
