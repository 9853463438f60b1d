"""`mistral7b verify` with wrong arguments and without credentials. tests/unit/conformance has what it records."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run

GOOD = '{"prefix": "verify-1a2b3c", "region": "us-east-1"}\n'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of --record, --replay and --clean"),
        (["--record", "a.jsonl", "--clean", "verify-1a2b3c"], "give one of --record, --replay and --clean"),
        (["--clean", "mistral"], "--clean mistral: no run has this prefix"),
        (["--record", "a.jsonl", "--region", "moon-1"], "--region moon-1"),
        (["--record", "a.jsonl", "--tier", "full", "--environment", "none"], "There is no environment 'none'"),
    ],
)
def test_wrong_arguments_are_named(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run("verify", *[str(tmp_path / one) if one == "a.jsonl" else one for one in arguments])
    assert result.status == 2
    assert message in result.err
    assert not (tmp_path / "a.jsonl").exists()


BROKEN = ("", "{", "[]\n", '{"prefix": "", "region": "us-east-1"}\n', '{"prefix": 1}\n', GOOD + "1\n", GOOD + "{}\n")


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_is_no_recording_is_named(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text(text)
    result = run("verify", "--replay", str(file))
    assert result.status == 2
    assert f"--replay {file}: it is no recording" in result.err


def test_a_recording_is_not_written_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text("precious")
    assert "the file exists" in run("verify", "--record", str(file)).err
    assert file.read_text() == "precious"


def test_without_credentials_it_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    result = run("verify", "--record", str(tmp_path / "a.jsonl"))
    assert result.status == 3
    assert "no AWS credentials" in result.err
