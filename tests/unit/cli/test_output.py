"""What reaches standard output."""

import pytest

from mistral7b_cli.output import write, write_json

HOSTILE = "one\x1b[2J\x9b1mtwo\x07\n\tthree"


def test_a_terminal_gets_an_answer_without_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    write(HOSTILE)
    assert capsys.readouterr().out == "one[2J1mtwo\n\tthree"


def test_a_pipe_gets_an_answer_exactly_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write(HOSTILE)
    assert capsys.readouterr().out == HOSTILE


def test_json_keeps_what_looks_like_an_emoji_or_markup(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"text": ":+1: [bold]"}, indent=None)
    assert capsys.readouterr().out == '{"text": ":+1: [bold]"}\n'
