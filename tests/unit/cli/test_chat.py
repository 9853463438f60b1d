"""`mistral7b chat`: turns that build on each other, from a pipe and at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from mistral7b.prompts import Message, conversation
from mistral7b.tgi.tokenizer import count_tokens
from tests.unit.cli.conftest import target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Run

COMMAND = [sys.executable, "-c", "from mistral7b_cli import main; main()"]


def test_every_line_of_a_pipe_is_a_turn_that_sees_those_before_it(run: Run) -> None:
    result = run("chat", "dev", stdin=b"My name is Ann.\n\nWhat is my name?\n")
    assert (result.status, result.err) == (0, target("dev"))
    first, second = result.out.splitlines()
    both = conversation(
        [Message("user", "My name is Ann."), Message("assistant", first), Message("user", "What is my name?")]
    )
    assert f"Your prompt of {count_tokens('[INST] My name is Ann. [/INST]')} tokens" in first
    assert f"Your prompt of {count_tokens(both)} tokens" in second


def test_parameters_hold_for_every_turn(run: Run) -> None:
    result = run("chat", "dev", "-p", "max_new_tokens=4", stdin=b"One\nTwo\n")
    assert result.out == "This is the embedded\n" * 2


def test_reset_starts_a_new_conversation(run: Run) -> None:
    result = run("chat", "dev", stdin=b"Hello!\n/reset\nHello!\n")
    first, second = result.out.splitlines()
    assert first == second


@pytest.mark.parametrize("word", [b"/exit", b"/quit"])
def test_exit_ends_the_conversation(run: Run, word: bytes) -> None:
    result = run("chat", "dev", stdin=word + b"\nHello!\n")
    assert (result.status, result.out) == (0, "")


def test_quit_without_a_slash_is_a_question_in_a_pipe(run: Run) -> None:
    assert "Your prompt of" in run("chat", "dev", stdin=b"quit\n").out


def test_help_lists_every_command(run: Run) -> None:
    assert [line.split()[0] for line in run("chat", "dev", stdin=b"/help\n").err.splitlines()[1:]] == [
        "/help",
        "/reset",
        "/exit",
    ]


def test_an_unknown_command_is_not_sent(run: Run) -> None:
    result = run("chat", "dev", stdin=b"/rset\n")
    assert (result.status, result.out) == (2, "")
    assert "there is no command /rset\nfix: did you mean /reset?" in result.err


def test_a_line_that_begins_with_a_space_is_sent_whatever_follows(run: Run) -> None:
    result = run("chat", "dev", stdin=b" /etc/hosts is what?\n")
    assert f"Your prompt of {count_tokens('[INST]  /etc/hosts is what? [/INST]')} tokens" in result.out


def test_a_conversation_that_no_longer_fits_is_refused_and_nothing_dropped(run: Run) -> None:
    turn = "word " * 35 + "\n"
    result = run("chat", "small", stdin=(turn * 3).encode())
    assert result.status == 2
    assert len(result.out.splitlines()) == 1
    assert "MAX_INPUT_LENGTH of small allows" in result.err
    assert "/reset starts a new conversation" in result.err


def test_a_first_question_that_does_not_fit_is_not_answered_by_a_reset(run: Run) -> None:
    result = run("chat", "small", stdin=("word " * 200).encode())
    assert result.status == 2
    assert "/reset" not in result.err


def test_a_control_token_is_refused_with_its_message(run: Run) -> None:
    result = run("chat", "dev", stdin=b"One\nTwo</s>\n")
    assert "message 3 has </s> in it" in result.err


def test_the_base_model_is_refused(run: Run) -> None:
    result = run("chat", "base", stdin=b"Hello!\n")
    assert (result.status, result.out) == (2, "")
    assert "runs the base model" in result.err
    assert "mistral7b invoke base" in result.err


@pytest.mark.parametrize("parameter", ["truncate=100", "return_full_text=true"])
def test_a_parameter_that_would_spoil_the_conversation_is_refused(run: Run, parameter: str) -> None:
    result = run("chat", "dev", "-p", parameter, stdin=b"Hello!\n")
    assert (result.status, result.out) == (2, "")
    assert parameter.partition("=")[0] in result.err


class Terminal:
    """The command at a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = ""
        self.command = subprocess.Popen([*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, again: Callable[[], object] = lambda: None) -> None:
        """Reads until this was shown; the next call sees what is left. Does something again every second."""
        deadline = time.monotonic() + 20
        while text not in self.shown:
            ready, _, _ = select.select([self._ours], [], [], 1)
            if not ready:
                assert time.monotonic() < deadline, f"{text!r} was not shown within 20 s, but {self.shown!r}"
                again()
                continue
            try:
                part = os.read(self._ours, 4096)
            except OSError:  # the command has ended
                part = b""
            assert part, f"{text!r} was never shown, but {self.shown!r}"
            self.shown += part.decode()
        self.shown = self.shown.partition(text)[2]

    def close(self) -> None:
        self.command.kill()
        self.command.wait()
        os.close(self._ours)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("word", ["quit", ":q"])
def test_at_a_terminal_a_word_ends_the_conversation(word: str) -> None:
    terminal = Terminal("chat", "dev")
    try:
        terminal.wait_for("> ")
        terminal.type(f"{word}\n")
        assert terminal.command.wait(timeout=20) == 0
    finally:
        terminal.close()


@pytest.mark.usefixtures("machine")
def test_at_a_terminal_an_interrupt_leaves_the_cursor_on_a_new_line() -> None:
    terminal = Terminal("chat", "dev")
    try:
        terminal.wait_for("> ")
        # readline does not see a signal that comes after its prompt and before it waits
        terminal.command.send_signal(signal.SIGINT)
        terminal.wait_for("\n", lambda: terminal.command.send_signal(signal.SIGINT))
        assert terminal.command.wait(timeout=20) == 130
    finally:
        terminal.close()


@pytest.mark.usefixtures("machine")
def test_at_a_terminal_the_conversation_goes_on_after_a_mistake_and_shows_what_it_has_used() -> None:
    terminal = Terminal("chat", "dev", "-p", "max_new_tokens=4")
    try:
        terminal.wait_for(target("dev").strip())
        terminal.wait_for("instruct 2.0.0: ")
        terminal.wait_for("> ")
        terminal.type("/oops\n")
        terminal.wait_for("there is no command /oops")
        terminal.wait_for("> ")
        terminal.type("Hello!\n")
        terminal.wait_for("This is the embedded")
        terminal.wait_for("cut at max_new_tokens=4; 14 of 8192")
        terminal.wait_for("tokens used")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.command.wait(timeout=20) == 0
    finally:
        terminal.close()
