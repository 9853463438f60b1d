"""`mistral7b pipeline rehearse`: wrong calls are refused before anything is started."""

import subprocess
from pathlib import Path

import pytest

from mistral7b_cli import main


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> "Refused":
    """Runs the command in a project with one commit, and gives its message."""
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "environments").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mistral7b_cli.pipeline_rehearse.run_rehearsal", lambda *_, **__: pytest.fail("it started"))
    return Refused(monkeypatch, capfd)


class Refused:
    """A run of the command that has to end with status 2."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments: str) -> str:
        self._monkeypatch.setattr("sys.argv", ["mistral7b", "pipeline", "rehearse", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        return self._capfd.readouterr().err


def test_without_a_terminal_to_ask_on_it_names_approve(refused: Refused) -> None:
    assert "no terminal to ask on\nfix: run it at a terminal, or approve everything with --approve" in refused()


def test_a_picture_of_an_unknown_kind_is_refused(refused: Refused) -> None:
    assert "--picture pipeline.doc: " in refused("--approve", "--picture", "pipeline.doc")


def test_picture_in_a_missing_folder_is_rejected(refused: Refused) -> None:
    assert "--picture nowhere/p.svg: " in refused("--approve", "--picture", "nowhere/p.svg")


def test_a_project_without_a_commit_is_refused(refused: Refused) -> None:
    assert "has no commit HEAD\nfix: commit the project first" in refused("--approve")


def test_an_unknown_commit_to_begin_with_is_refused(refused: Refused) -> None:
    assert "has no commit nowhere" in refused("--approve", "--after", "nowhere")


def test_command_outside_the_project_is_rejected(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path / "environments")
    assert "no cdk.json here; run it in the project's folder" in refused("--approve")
