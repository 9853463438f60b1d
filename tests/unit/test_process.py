"""Commands as steps: their output, their failures, several at a time."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mistral7b.process import CommandFailedError, run, run_together

ENVIRONMENT = {"PATH": os.environ["PATH"], "WHO": "ada"}


def job(script: str) -> tuple[list[str], dict[str, str]]:
    """A shell script with its environment."""
    return ["sh", "-c", script], ENVIRONMENT


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked for yet does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_gets_the_environment_that_it_is_given(tmp_path: Path) -> None:
    assert run(["sh", "-c", "echo $WHO"], tmp_path, lambda _: None, ENVIRONMENT) == "ada"


def test_lines_come_while_the_command_runs_and_also_the_last_without_its_end(tmp_path: Path) -> None:
    seen: list[str] = []

    def see(line: str) -> None:
        seen.append(line)
        (tmp_path / "seen").touch()

    waits = "echo first; while ! test -e seen; do sleep 0.01; done; printf last"
    assert run(["sh", "-c", waits], tmp_path, see) == "first\nlast"
    assert seen == ["first", "last"]


def test_background_processes_end_with_the_command(tmp_path: Path) -> None:
    run(["sh", "-c", "sleep 600 & echo $! > pid"], tmp_path)
    deadline = time.monotonic() + 60
    while alive(int((tmp_path / "pid").read_text())):  # a killed process ends when it is scheduled next
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_commands_run_at_the_same_time(tmp_path: Path) -> None:
    meet = "touch {0}; for i in $(seq 500); do test -e {1} && exit 0; sleep 0.01; done; exit 1"
    run_together([job(meet.format("a", "b")), job(meet.format("b", "a"))], tmp_path, 2, lambda _: None)


def test_no_more_run_at_once_than_allowed(tmp_path: Path) -> None:
    alone = "mkdir busy || exit 1; sleep 0.05; rmdir busy"
    run_together([job(alone)] * 3, tmp_path, 1, lambda _: None)


def test_each_end_is_reported(tmp_path: Path) -> None:
    jobs = [job("true"), job("exit 0")]
    ended: list[Sequence[str]] = []
    run_together(jobs, tmp_path, 2, ended.append)
    assert sorted(map(list, ended)) == sorted(command for command, _ in jobs)


def test_a_failure_shows_what_the_command_printed_and_ends_the_others(tmp_path: Path) -> None:
    waits = job("echo $$ > pid; exec sleep 600")
    fails = job("while ! test -s pid; do sleep 0.01; done; echo no such account; exit 3")
    with pytest.raises(CommandFailedError, match="ended with status 3:\nno such account"):
        run_together([waits, fails], tmp_path, 2, lambda _: None)
    assert not alive(int((tmp_path / "pid").read_text()))


def test_an_interruption_ends_them_all(tmp_path: Path) -> None:
    def interrupt(_: Sequence[str]) -> None:
        raise KeyboardInterrupt

    waits = job("echo $$ > pid; exec sleep 600")
    ends = job("while ! test -s pid; do sleep 0.01; done")
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_together([waits, ends], tmp_path, 2, interrupt)
    assert not alive(int((tmp_path / "pid").read_text()))
    assert time.monotonic() - started < 60
