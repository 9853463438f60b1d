"""Steps as a user sees them."""

import io
import threading

from rich.console import Console

from mistral7b_cli.demo.report import Report


class Screen(io.StringIO):
    """Text that tells when a word is in it."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word, self.there = word, threading.Event()

    def write(self, text: str) -> int:
        """Writes, and looks for the word."""
        written = super().write(text)
        if self.word in self.getvalue():
            self.there.set()
        return written


def test_elsewhere_than_on_a_terminal_a_long_step_says_what_it_is_doing() -> None:
    screen = Screen("s: halfway")
    report = Report(Console(file=screen, width=100), remind_s=0.01)
    with report.step("Set up", "make setup"):
        report.now("  halfway\n")
        assert screen.there.wait(60)


def test_a_step_that_ended_is_not_reminded_of() -> None:
    screen = Screen("…")
    report = Report(Console(file=screen, width=100), remind_s=0.01)
    with report.step("Set up"):
        assert screen.there.wait(60)
        assert "reminder" in {thread.name for thread in threading.enumerate()}
    assert "reminder" not in {thread.name for thread in threading.enumerate()}


def test_without_reminders_a_step_is_its_heading_and_its_end() -> None:
    screen = Screen("")
    report = Report(Console(file=screen, width=100))
    with report.step("Deploy", "cdk deploy") as step:
        report.now("working")
        step.result = "InService"
    heading, end = screen.getvalue().strip().splitlines()
    assert heading == "[1] Deploy   $ cdk deploy"
    assert end.strip().endswith("InService")
