"""Runs a command as a step of the demo: its lines as they come, and an end to it and its children if interrupted."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

# How much of a failed command's output is shown.
_TAIL_LINES = 40
# How long a command may take to end after SIGTERM before it is killed, in seconds.
_PATIENCE_S = 5


class CommandFailedError(Exception):
    """A command ended with another status than 0."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        super().__init__(f"{' '.join(command)} ended with status {status}:\n{output}")


def run(command: Sequence[str], folder: Path, on_line: Callable[[str], None]) -> str:
    """Runs a command to its end and returns what it printed, standard error included.

    The command gets a process group of its own: an interruption ends it with everything that it started.

    Raises:
        CommandFailedError: it ended with another status than 0; the error holds the end of its output.
    """
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip("\n"))
                on_line(lines[-1])
            status = process.wait()
        except BaseException:
            _end_group(process)
            raise
    if status != 0:
        raise CommandFailedError(command, status, "\n".join(lines[-_TAIL_LINES:]))
    return "\n".join(lines)


def _end_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
