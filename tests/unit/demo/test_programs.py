"""The programs that demo and rehearsal run, wherever they are installed."""

import os
import sys
from pathlib import Path

import pytest

from mistral7b.process import cdk_program, mistral7b_command, python_first


def program(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_the_cdk_cli_is_the_projects_own_before_that_on_path(tmp_path: Path, elsewhere: Path) -> None:
    places = (elsewhere / "cdk", tmp_path / "node_modules" / ".bin" / "cdk", tmp_path / ".venv" / "bin" / "cdk")
    for place in places:  # each comes before those that are there already
        installed = program(place)
        assert cdk_program(tmp_path) == installed


@pytest.mark.usefixtures("elsewhere")
def test_a_missing_cdk_cli_is_an_error_that_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(match="make setup, or npm ci"):
        cdk_program(tmp_path)


def test_mistral7b_is_the_command_beside_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    assert mistral7b_command()[0] == str(tmp_path / "python3")
    script = program(tmp_path / "mistral7b")
    assert mistral7b_command() == [script]


def test_python3_is_this_interpreter_after_the_folders_given(elsewhere: Path) -> None:
    found = python_first(Path("/project/bin")).split(os.pathsep)
    assert found == ["/project/bin", str(Path(sys.executable).parent), str(elsewhere)]
