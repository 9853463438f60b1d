"""Who may import whom. `constructs` knows nothing of ours, `sagehost` the rules of scaling, `mistral7b` no CDK."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each room's folder, and the packages of ours that it may import.
ROOMS = {
    "scaling_rules/scaling_rules": {"scaling_rules"},
    "mistral7b": {"mistral7b", "scaling_rules"},
    "constructs/sagemaker_tgi": {"sagemaker_tgi"},
    "stacks/mistral7b_stacks": {"mistral7b_stacks", "sagemaker_tgi", "mistral7b"},
    "sagehost/sagehost": {"sagehost", "scaling_rules"},
    "mistral7b_cli": {"mistral7b_cli", "mistral7b", "sagehost", "scaling_rules"},
}
OURS = {"app"}.union(*ROOMS.values())
CDK = {"aws_cdk", "constructs", "cdk_nag"}
WITHOUT_CDK = ("mistral7b", "mistral7b_cli", "sagehost/sagehost", "scaling_rules/scaling_rules")
# Inside the library: each package or module, and those below that it may import. Nothing imports a part above it.
LIBRARY = {
    "errors": set[str](),
    "yamlfile": {"errors"},
    "catalog": set[str](),
    "process": {"errors"},
    "project": set[str](),
    "prompts": set[str](),
    "promotion.names": set[str](),
    "examples": {"catalog"},
    "tgi": {"yamlfile"},
    "workload": {"yamlfile"},
    "capacity": {"catalog", "errors", "tgi", "workload", "yamlfile"},
    "container": {"capacity", "catalog", "tgi"},
    "endpoint": {"capacity", "errors", "tgi"},
    "bench": {"capacity", "endpoint", "errors", "tgi"},
    "environment": {"capacity", "catalog", "errors", "tgi", "workload", "yamlfile"},
    "operate": {"capacity", "catalog", "endpoint", "environment", "errors", "project", "promotion.names", "prompts"}
    | {"tgi", "yamlfile"},
    "conformance": {"operate"},
    "promotion": {"catalog", "environment", "errors", "operate", "project", "promotion.names", "yamlfile"},
}


def imports(file: Path) -> Iterator[str]:
    """Top-level names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def imported_by(room: str) -> dict[str, set[str]]:
    """What each file of a room imports."""
    files = [file for file in sorted((ROOT / room).rglob("*.py")) if "project_template" not in file.parts]
    return {str(file.relative_to(ROOT)): set(imports(file)) for file in files}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    found = {file: names & OURS - ROOMS[room] for file, names in imported_by(room).items()}
    assert {file: names for file, names in found.items() if names} == {}


def part(module: str) -> str:
    """The part of the library that a module is in, by its dotted name without `mistral7b.`."""
    return max((name for name in LIBRARY if f"{module}.".startswith(f"{name}.")), key=len, default="")


def modules(file: Path) -> Iterator[str]:
    """Modules of the library that a file imports, without `mistral7b.`; the package itself is no part."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "mistral7b":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mistral7b."):
            yield node.module.removeprefix("mistral7b.")


@pytest.mark.parametrize("name", LIBRARY)
def test_a_part_of_the_library_imports_only_the_parts_below_it(name: str) -> None:
    dotted = {
        file: ".".join(file.relative_to(ROOT / "mistral7b").with_suffix("").parts)
        for file in (ROOT / "mistral7b").rglob("*.py")
    }
    inside = {file for file, module in dotted.items() if part(module) == name}
    found = {part(module) or module for file in inside for module in modules(file)}
    assert inside
    assert found - LIBRARY[name] - {name} == set()


def test_the_parts_of_the_library_have_an_order() -> None:
    parts = list(LIBRARY)
    assert [(name, below) for name in parts for below in LIBRARY[name] if parts.index(below) > parts.index(name)] == []


def test_every_module_of_the_library_is_in_a_part() -> None:
    names = {
        file.stem if file.is_file() else file.name for file in (ROOT / "mistral7b").iterdir() if file.name[0] != "_"
    }
    assert {name for name in names - {"py"} if not part(name)} == set()


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
