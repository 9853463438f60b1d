"""The spinner comes late, goes at once, and never into a pipe."""

import io
import time

import pytest
from rich.console import Console

from mistral7b_cli import waiting
from mistral7b_cli.waiting import Waiting


def screen(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(waiting, "progress", Console(file=written, force_terminal=terminal, width=80))
    return written


def test_a_long_wait_at_a_terminal_shows_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    written = screen(monkeypatch, terminal=True)
    with Waiting("waiting for the model", patience_s=0.01):
        deadline = time.monotonic() + 10
        while "waiting for the model" not in written.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "waiting for the model" in written.getvalue()


def test_a_short_wait_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    written = screen(monkeypatch, terminal=True)
    with Waiting("waiting for the model", patience_s=60) as wait:
        wait.done()
    assert "waiting" not in written.getvalue()


def test_spinner_is_never_written_to_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    written = screen(monkeypatch, terminal=False)
    with Waiting("waiting for the model", patience_s=0):
        time.sleep(0.05)
    assert written.getvalue() == ""


def test_an_answer_is_not_shown_beside_a_spinner(monkeypatch: pytest.MonkeyPatch) -> None:
    written = screen(monkeypatch, terminal=True)
    with Waiting("waiting for the model", patience_s=0.01) as wait:
        while not written.getvalue():
            time.sleep(0.001)
        wait.done()
        shown = written.getvalue()
        time.sleep(0.2)  # longer than the spinner needs for its next picture
        assert written.getvalue() == shown
