"""Linters that know GitHub's workflows: zizmor for what is unsafe, check-jsonschema for what is no workflow."""

import subprocess
import sys
from pathlib import Path

import pytest

from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import workflow
from tests.unit.promotion.github.pipelines import VARIANTS, load


def executable(name: str) -> str:
    """A program of the virtual environment that runs the tests."""
    return str(Path(sys.executable).parent / name)


def zizmor(file: Path) -> "subprocess.CompletedProcess[str]":
    """Every finding, also those that only an auditor would like to see."""
    options = ["--offline", "--no-config", "--persona", "auditor", "--format", "plain", "--color", "never"]
    return subprocess.run([executable("zizmor"), *options, str(file)], capture_output=True, text=True, check=False)


def schema(*files: Path) -> "subprocess.CompletedProcess[str]":
    options = ["--builtin-schema", "vendor.github-workflows"]
    return subprocess.run(
        [executable("check-jsonschema"), *options, *map(str, files)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A workflow without a fault."""
    return workflow(load(tmp_path_factory.mktemp("environments")))


def saved(folder: Path, text: str) -> Path:
    file = folder / "promote.yml"
    file.write_text(text)
    return file


def test_zizmor_finds_nothing(variant: Promotion, tmp_path: Path) -> None:
    found = zizmor(saved(tmp_path, workflow(variant)))
    assert (found.returncode, found.stdout.strip()) == (0, "No findings to report. Good job!"), found.stderr


def test_githubs_schema_takes_every_workflow(tmp_path: Path) -> None:
    files = []
    for name, changes in VARIANTS.items():
        promotion = load(tmp_path / name, changes)
        files.append(saved(tmp_path / name, workflow(promotion)))
    checked = schema(*files)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        ("permissions: {}\n\n", "permissions: write-all\n\n", "excessive-permissions"),
        ("run: make check", "run: echo ${{ github.event.head_commit.message }}", "template-injection"),
        ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6", "unpinned-uses"),
        ("        persist-credentials: false\n", "", "artipacked"),
        (
            "concurrency:\n  group: mistral-7b-promotion-${{ github.ref }}\n  cancel-in-progress: false\n",
            "",
            "concurrency-limits",
        ),
    ],
)
def test_zizmor_finds_what_is_unsafe(text: str, tmp_path: Path, right: str, wrong: str, finding: str) -> None:
    assert right in text
    found = zizmor(saved(tmp_path, text.replace(right, wrong)))
    assert found.returncode != 0
    assert f"[{finding}]" in found.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("timeout-minutes: 60", "timeout-minuts: 60"),
        ("contents: read", "contents: look"),
        ("needs:\n    - build", "needs:\n      build: yes"),
    ],
)
def test_the_schema_refuses_what_is_no_workflow(text: str, tmp_path: Path, right: str, wrong: str) -> None:
    assert right in text
    assert schema(saved(tmp_path, text.replace(right, wrong))).returncode != 0
