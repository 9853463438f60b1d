"""The command that writes documents: once, again, only to compare, and where it cannot."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import write_docs


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(write_docs, "ROOT", tmp_path)
    monkeypatch.setattr(write_docs, "DOCUMENTS", {"facts.md": lambda: "# Facts\n"})
    monkeypatch.setattr(sys, "argv", ["write_docs.py"])
    return tmp_path / "facts.md"


def test_a_document_is_written_and_a_second_run_changes_nothing(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_docs.main() == 0
    assert document.read_text(encoding="utf-8") == "# Facts\n"
    written = document.stat().st_mtime_ns
    assert write_docs.main() == 0
    assert document.stat().st_mtime_ns == written
    assert capsys.readouterr().out == "facts.md: written\nfacts.md: up to date\n"


def test_a_check_of_an_old_document_fails_names_the_command_and_writes_nothing(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document.write_text("# Of old\n")
    monkeypatch.setattr(sys, "argv", ["write_docs.py", "--check"])
    assert write_docs.main() == 1
    assert document.read_text(encoding="utf-8") == "# Of old\n"
    assert capsys.readouterr().err == "facts.md: not up to date; run python tools/write_docs.py\n"


def test_a_document_that_cannot_be_written_is_named_with_the_reason(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> str:
        raise ValueError("dev/endpoint/Role, Logs: WriteLogs has no reason")

    monkeypatch.setattr(write_docs, "DOCUMENTS", {"facts.md": refuse})
    assert write_docs.main() == 2
    assert not document.exists()
    assert "facts.md cannot be written:\ndev/endpoint/Role, Logs: WriteLogs has no reason" in capsys.readouterr().err


def test_it_runs_as_a_plain_script_from_any_folder(tmp_path: Path) -> None:
    script = Path(write_docs.__file__).resolve()
    run = subprocess.run([sys.executable, script, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--check" in run.stdout
