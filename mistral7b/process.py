"""Runs commands as steps: their lines as they come, and an end to them and their children if interrupted."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

# How much of a failed command's output is shown.
_TAIL_LINES = 40
# How long a command may take to end after SIGTERM before it is killed, in seconds.
_PATIENCE_S = 5
_POLL_S = 0.05


class CommandFailedError(Exception):
    """A command ended with another status than 0."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        super().__init__(f"{' '.join(command)} ended with status {status}:\n{output}")


class ProgramNotFoundError(CommandFailedError):
    """A program is not installed; the text names the fix."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)


def cdk_program(project: Path) -> str:
    """The CDK CLI that the project has installed, or the one on PATH.

    Raises:
        ProgramNotFoundError: there is none.
    """
    own = [project / ".venv" / "bin" / "cdk", project / "node_modules" / ".bin" / "cdk"]
    if found := next((str(program) for program in own if program.is_file()), shutil.which("cdk")):
        return found
    raise ProgramNotFoundError("there is no CDK CLI\nfix: install the project's: make setup, or npm ci")


def mistral7b_command() -> list[str]:
    """This very installation's command, whatever is on PATH."""
    script = Path(sys.executable).with_name("mistral7b")
    return [str(script)] if script.is_file() else [sys.executable, "-c", "from mistral7b_cli import main; main()"]


def python_first(*folders: Path) -> str:
    """PATH with these folders first, then this interpreter's: for the `python3` that cdk.json names."""
    first = [*(str(folder) for folder in folders), str(Path(sys.executable).parent)]
    return os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])


@dataclass(frozen=True)
class Job:
    """A command among others that run at the same time."""

    command: Sequence[str]
    environment: Mapping[str, str]


def run(
    command: Sequence[str],
    folder: Path,
    on_line: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
) -> str:
    """Runs a command to its end and returns what it printed, standard error included.

    The command gets a process group of its own: an interruption ends it with everything that it started. Without an
    `environment` it gets this process's.

    Raises:
        CommandFailedError: it ended with another status than 0; the error holds the end of its output.
    """
    lines: list[str] = []
    with _start(command, folder, environment, subprocess.PIPE) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip("\n"))
                on_line(lines[-1])
            status = process.wait()
        except BaseException:
            end_group(process)
            raise
    if status != 0:
        raise CommandFailedError(command, status, "\n".join(lines[-_TAIL_LINES:]))
    return "\n".join(lines)


def run_together(jobs: Sequence[Job], folder: Path, at_once: int, on_end: Callable[[Job], None]) -> None:
    """Runs commands to their ends, so many at the same time; like `run`, each in a process group of its own.

    Raises:
        CommandFailedError: one ended with another status than 0; the others are ended, too.
    """
    waiting, running = deque(jobs), list[tuple[Job, subprocess.Popen[str], IO[str]]]()
    with ExitStack() as open_files:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    output = open_files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
                    job = waiting.popleft()
                    running.append((job, _start(job.command, folder, job.environment, output), output))
                for one in [one for one in running if one[1].poll() is not None]:
                    running.remove(one)
                    _check(*one)
                    on_end(one[0])
                time.sleep(_POLL_S)
        except BaseException:
            for _, process, _ in running:
                end_group(process)
            raise


def _start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None, output: int | IO[str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _check(job: Job, process: subprocess.Popen[str], output: IO[str]) -> None:
    if process.returncode != 0:
        output.seek(0)
        raise CommandFailedError(job.command, process.returncode, "".join(output.readlines()[-_TAIL_LINES:]).rstrip())


def end_group(process: subprocess.Popen[Any]) -> None:
    """Ends a process that leads a group, and whatever is left of the group: by SIGTERM, and then by SIGKILL."""
    # macOS refuses signals to a group of which none but a zombie is left
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
