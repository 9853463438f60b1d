"""Who may import whom. `constructs` and `sagehost` know nothing of ours; `mistral7b` knows neither CDK nor commands."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each room's folder, and the packages of ours that it may import.
ROOMS = {
    "mistral7b": {"mistral7b"},
    "constructs/sagemaker_tgi": {"sagemaker_tgi"},
    "stacks/mistral7b_stacks": {"mistral7b_stacks", "sagemaker_tgi", "mistral7b"},
    "sagehost/sagehost": {"sagehost"},
    "mistral7b_cli": {"mistral7b_cli", "mistral7b", "sagehost"},
}
OURS = {"app"}.union(*ROOMS.values())
CDK = {"aws_cdk", "constructs", "cdk_nag"}
WITHOUT_CDK = ("mistral7b", "mistral7b_cli", "sagehost/sagehost")


def imports(file: Path) -> Iterator[str]:
    """Top-level names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def imported_by(room: str) -> dict[str, set[str]]:
    """What each file of a room imports."""
    return {str(file.relative_to(ROOT)): set(imports(file)) for file in sorted((ROOT / room).rglob("*.py"))}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    found = {file: names & OURS - ROOMS[room] for file, names in imported_by(room).items()}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize("room", WITHOUT_CDK)
def test_library_command_and_embedded_aws_do_without_the_cdk(room: str) -> None:
    found = {file: names & CDK for file, names in imported_by(room).items()}
    assert {file: names for file, names in found.items() if names} == {}


def test_the_command_loads_the_embedded_aws_only_for_those_that_need_it() -> None:
    program = "import sys, mistral7b_cli.app; print(*[name for name in sys.modules if name.startswith('sagehost')])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_the_constructs_folder_is_no_package_which_would_hide_pypis() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()
