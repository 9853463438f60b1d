"""Who may import whom: app.py -> stacks -> constructs -> mistral7b <- localaws."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"app", "stacks", "sagemaker_tgi", "mistral7b", "localaws"}
ALLOWED = {
    "stacks": {"stacks", "sagemaker_tgi", "mistral7b"},
    "constructs/sagemaker_tgi": {"sagemaker_tgi", "mistral7b"},
    "mistral7b": {"mistral7b"},
    "localaws": {"localaws", "mistral7b"},
}
# The commands that run the embedded AWS.
MAY_IMPORT_LOCALAWS = {
    "mistral7b/cli/demo.py",
    "mistral7b/cli/local.py",
    "mistral7b/cli/pipeline_rehearse.py",
    "mistral7b/demo/scenario.py",
    "mistral7b/rehearsal/cloud.py",
    "mistral7b/rehearsal/play.py",
    "mistral7b/rehearsal/run.py",
    "mistral7b/rehearsal/walk.py",
}
# The embedded AWS knows the container's rules and the instance types, not this project's files, client or commands.
LOCALAWS_MAY_IMPORT = ("mistral7b.tgi", "mistral7b.catalog.instances")


def imports(file: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def files() -> list[Path]:
    """Every Python file of the rooms."""
    return [file for room in ALLOWED for file in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_imports_only_the_rooms_below_its_own(file: Path) -> None:
    name = file.relative_to(ROOT).as_posix()
    room = next(room for room in ALLOWED if name.startswith(f"{room}/"))
    allowed = ALLOWED[room] | ({"localaws"} if name in MAY_IMPORT_LOCALAWS else set())
    assert {module.split(".")[0] for module in imports(file)} & OURS <= allowed


@pytest.mark.parametrize(
    "file", sorted((ROOT / "mistral7b").rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT))
)
def test_the_ground_floor_does_without_the_cdk(file: Path) -> None:
    assert not {module.split(".")[0] for module in imports(file)} & {"aws_cdk", "constructs", "cdk_nag"}


@pytest.mark.parametrize(
    "file", sorted((ROOT / "localaws").rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT))
)
def test_the_embedded_aws_knows_of_ours_only_the_container_and_instances(file: Path) -> None:
    ours = [module for module in imports(file) if module.split(".")[0] == "mistral7b"]
    assert all(module.startswith(LOCALAWS_MAY_IMPORT) for module in ours), ours


def test_the_command_loads_the_embedded_aws_only_for_those_that_need_it() -> None:
    program = "import sys, mistral7b.cli.app; print(*[name for name in sys.modules if name.startswith('localaws')])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_the_constructs_folder_is_no_package_which_would_hide_pypis() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()
