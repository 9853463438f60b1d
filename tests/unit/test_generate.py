"""tools/generate.py: the files that are made from the code are up to date."""

from pathlib import Path

import pytest

from tools import generate


@pytest.mark.parametrize("name", generate.FILES)
def test_a_generated_file_is_what_the_code_writes(name: str) -> None:
    same = (generate.ROOT / name).read_text(encoding="utf-8") == generate.FILES[name]()
    assert same, f"{name} is not up to date: run make generate"


def test_a_file_that_is_not_up_to_date_is_written_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.md").write_text("before")
    (tmp_path / "same.md").write_text("now")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "FILES", {"old.md": lambda: "now", "same.md": lambda: "now"})
    monkeypatch.setattr("sys.argv", ["generate.py", "--no-templates"])
    assert generate.main() == 0
    assert (tmp_path / "old.md").read_text() == "now"
    assert capsys.readouterr().out == "old.md: written\n"


def test_templates_that_cannot_be_made_are_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "FILES", {})
    monkeypatch.setattr("sys.argv", ["generate.py"])
    assert generate.main() != 0  # there are no tests in this folder
