"""Runs commands: their lines as they come, and an end to everything that they started."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mistral7b.errors import FAILED, UserError

# How much of a failed command's output is shown.
_TAIL_LINES = 40
# How long a command may take to end after SIGTERM before it is killed, in seconds.
_PATIENCE_S = 5
_POLL_S = 0.05


class CommandFailedError(Exception):
    """A command ended with another status than 0."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        super().__init__(f"{' '.join(command)} ended with status {status}:\n{output}")
        self.status = status


def cdk_program(project: Path) -> str:
    """The CDK CLI that the project has installed, or the one on PATH.

    Raises:
        UserError: there is none.
    """
    own = [project / ".venv" / "bin" / "cdk", project / "node_modules" / ".bin" / "cdk"]
    if found := next((str(program) for program in own if program.is_file()), shutil.which("cdk")):
        return found
    raise UserError("there is no CDK CLI\nfix: install the project's: make setup, or npm ci", FAILED)


def mistral7b_command() -> list[str]:
    """This very installation's command, whatever is on PATH."""
    script = Path(sys.executable).with_name("mistral7b")
    return [str(script)] if script.is_file() else [sys.executable, "-c", "from mistral7b_cli import main; main()"]


def python_first(*folders: Path) -> str:
    """PATH with these folders first, then this interpreter's: for the `python3` that cdk.json names."""
    first = [*(str(folder) for folder in folders), str(Path(sys.executable).parent)]
    return os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])


def run(
    command: Sequence[str],
    folder: Path,
    on_line: Callable[[str], None] = lambda _: None,
    environment: Mapping[str, str] | None = None,
    *,
    log: Path | None = None,
    check: Callable[[], None] = lambda: None,
) -> str:
    """Runs a command to its end and returns what it printed, standard error included.

    The command gets a process group of its own, which ends with it, with everything that it started. Without an
    `environment` it gets this process's. Its output is added to the `log`, if there is one.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        on_line: Gets each line as it comes.
        environment: Its variables.
        log: A file that keeps the output.
        check: Called before the start and then many times a second; what it raises ends the command.

    Raises:
        CommandFailedError: it ended with another status than 0; the error holds the end of its output.
    """
    check()
    lines: list[str] = []
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.NamedTemporaryFile()).name) if log is None else log
        output = stack.enter_context(file.open("ab"))
        printed = stack.enter_context(file.open(encoding="utf-8", errors="replace"))
        printed.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        stack.callback(end_group, process)
        rest, ended = "", False
        while not ended:
            time.sleep(_POLL_S)
            check()
            ended = process.poll() is not None  # before the last look at its output
            *whole, rest = (rest + printed.read()).split("\n")
            for line in [*whole, rest] if ended and rest else whole:
                lines.append(line)
                on_line(line)
        if process.returncode != 0:
            raise CommandFailedError(command, process.returncode, "\n".join(lines[-_TAIL_LINES:]))
    return "\n".join(lines)


def run_together(
    commands: Sequence[tuple[Sequence[str], Mapping[str, str]]],
    folder: Path,
    at_once: int,
    on_end: Callable[[Sequence[str]], None],
) -> None:
    """Runs commands, each in its environment, to their ends, so many at the same time.

    Raises:
        CommandFailedError: one ended with another status than 0; the others are ended, too.
    """
    ending = threading.Event()

    def check() -> None:
        if ending.is_set():
            raise InterruptedError

    with ThreadPoolExecutor(at_once) as pool:
        running = {pool.submit(run, one, folder, environment=own, check=check): one for one, own in commands}
        try:
            for future in as_completed(running):
                future.result()
                on_end(running[future])
        except BaseException:
            ending.set()
            raise


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
