"""What an edit has to pass before it is committed: `make check`. All of it: `make test`.

The tests of environments/ always. Where git shows edits of code and the linters are installed (INSTALL=dev): ruff,
mypy, and the unit tests that import what was edited, or were edited themselves.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ROOMS = {"stacks": "stacks", "constructs": "constructs", "sagehost": "sagehost", "scaling_rules": "scaling_rules"}
"""Folders whose packages are one level down, as `stacks/mistral7b_stacks`."""


def main() -> int:
    """Runs what there is to run; the exit status is that of the first failure."""
    commands = [[sys.executable, "-m", "pytest", "tests/environments"]]
    edited = [file for file in edits() if file.suffix == ".py" and "environments" not in file.parts]
    if edited and (BIN / "ruff").is_file():
        commands += [[str(BIN / "ruff"), "check"], [str(BIN / "ruff"), "format", "--check"], [str(BIN / "mypy")]]
        if tests := sorted(map(str, concerned_tests({name for file in edited for name in names(file)}))):
            commands.append([str(BIN / "pytest"), "--numprocesses", str(os.cpu_count()), "--dist", "loadgroup", *tests])
    for command in commands:
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            return status
    return 0


def edits() -> Iterator[Path]:
    """Files that differ from the last commit, new ones included; none outside of a git repository."""
    git = ["git", "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z"]
    shown = subprocess.run(git, cwd=ROOT, check=False, capture_output=True, text=True)
    for line in filter(None, shown.stdout.split("\0")):
        if (ROOT / line[3:]).is_file():
            yield Path(line[3:])


def module(file: Path) -> str:
    """Name of a file's module, such as `mistral7b.catalog` for mistral7b/catalog/__init__.py."""
    parts = list(file.with_suffix("").parts)
    if parts[0] in ROOMS:
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names(file: Path) -> Iterator[str]:
    """Names by which a module is imported: its own, and that of a package that imports it for others."""
    yield module(file)
    package = ROOT / file.parent / "__init__.py"
    if package.is_file() and module(file) in imports(package):
        yield module(file.parent / "__init__.py")


def concerned_tests(modules: set[str]) -> Iterator[Path]:
    """Unit tests that import one of the modules, or are one."""
    for file in (ROOT / "tests" / "unit").rglob("test_*.py"):
        relative = file.relative_to(ROOT)
        if module(relative) in modules or modules.intersection(imports(file)):
            yield relative


def imports(file: Path) -> Iterator[str]:
    """Modules that a file imports, and what of packages, of which some are modules."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


if __name__ == "__main__":
    sys.exit(main())
