"""Linters that know GitHub's workflows: zizmor for what is unsafe, check-jsonschema for what is no workflow."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.promotion.github.workflows import FILES, FOLDER


def linted(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of the virtual environment that runs the tests."""
    command = [str(Path(sys.executable).parent / program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def zizmor(file: Path) -> "subprocess.CompletedProcess[str]":
    """Every finding, also those that only an auditor would like to see."""
    options = ["--offline", "--no-config", "--persona", "auditor", "--format", "plain", "--color", "never"]
    return linted("zizmor", *options, str(file))


def schema(*files: Path) -> "subprocess.CompletedProcess[str]":
    return linted("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, files))


def broken(folder: Path, right: str, wrong: str) -> Path:
    """promote.yml with a mistake."""
    text = (FOLDER / "promote.yml").read_text(encoding="utf-8")
    assert right in text
    file = folder / "promote.yml"
    file.write_text(text.replace(right, wrong))
    return file


@pytest.mark.parametrize("file", FILES)
def test_zizmor_finds_nothing(file: str) -> None:
    found = zizmor(FOLDER / file)
    assert (found.returncode, "No findings to report" in found.stdout) == (0, True), found.stdout


def test_githubs_schema_accepts_the_workflows() -> None:
    checked = schema(*(FOLDER / file for file in FILES))
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        ("permissions: {}\n\n", "permissions: write-all\n\n", "excessive-permissions"),
        ('run: eval "$TEST"', "run: echo ${{ github.event.head_commit.message }}", "template-injection"),
        ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6", "unpinned-uses"),
        ("        with: {persist-credentials: false}\n", "", "artipacked"),
    ],
)
def test_zizmor_finds_what_is_unsafe(tmp_path: Path, right: str, wrong: str, finding: str) -> None:
    found = zizmor(broken(tmp_path, right, wrong))
    assert found.returncode != 0
    assert f"[{finding}]" in found.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("timeout-minutes: 60", "timeout-minuts: 60"), ("contents: read", "contents: look")],
)
def test_the_schema_refuses_a_file_that_is_not_a_workflow(tmp_path: Path, right: str, wrong: str) -> None:
    assert schema(broken(tmp_path, right, wrong)).returncode != 0
