"""mypy reads of the CDK what is imported, and what that is derived from: anything that it skips is `Any` unsaid."""

import ast
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import aws_cdk

ROOT = Path(__file__).parents[2]
MYPY: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
MODULES = {f"aws_cdk.{file.parent.name}" for file in Path(aws_cdk.__file__).parent.glob("*/__init__.py")}


def imported_modules(file: Path) -> Iterator[str]:
    """The modules of the CDK that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "aws_cdk")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "aws_cdk":
            yield from {node.module} | ({f"{node.module}.{alias.name}" for alias in node.names} & MODULES)


def modules_of_base_classes(module: str) -> Iterator[str]:
    """The modules of the CDK that define what a module's classes are derived from."""
    for value in vars(import_module(module)).values():
        if isinstance(value, type):
            yield from (base.__module__ for base in value.__mro__ if base.__module__.split(".")[0] == "aws_cdk")


def test_mypy_reads_the_modules_of_the_cdk_that_are_imported() -> None:
    folders = [ROOT / name for name in MYPY["files"]]
    files = [file for folder in folders for file in ([folder] if folder.is_file() else folder.rglob("*.py"))]
    needed = {module for file in files for module in imported_modules(file)}
    needed |= {base for module in needed for base in modules_of_base_classes(module)}
    [read] = [one["module"] for one in MYPY["overrides"] if one.get("follow_imports") == "normal"]
    assert "aws_cdk.interfaces.*" in read
    assert {name for name in needed if not name.startswith("aws_cdk.interfaces")} - {*read} == set()
