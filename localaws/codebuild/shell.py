"""The shell of a build: one process for all commands, so that `cd` and `export` carry over from each to the next."""

from __future__ import annotations

import contextlib
import os
import queue
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

# Reads the name of a file with a command, runs it in this shell, and tells its status on what is the shell's standard
# error and not the commands'.
_LOOP = """\
while IFS= read -r __codebuild_command; do
  . "$__codebuild_command" </dev/null 2>&1
  printf '%s\\n' "$?" >&2
done
"""

_POLL_S = 0.1
_PATIENCE_S = 5.0
"""How long processes may take to end after SIGTERM."""

_RUNNING: set[int] = set()
"""Process groups of the shells that have not been ended, each by the pid of its shell."""

_RUNNING_LOCK = threading.Lock()


class Interrupted(Exception):
    """A command was not waited for any longer: `stop` said why."""


def kill_all() -> None:
    """End the processes of every build at once: the server itself is about to end."""
    for group in list(_RUNNING):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


class Shell:
    """A shell in a session and a process group of its own. A context manager: leaving it ends what it has started."""

    def __init__(
        self,
        program: str,
        *,
        environment: Mapping[str, str],
        folder: Path,
        scratch: Path,
        write: Callable[[str], None],
        stop: Callable[[], str | None],
    ) -> None:
        """Start it.

        Args:
            program: such as `/bin/sh`.
            environment: all of its environment.
            folder: where it starts.
            scratch: an empty folder for the files that this class needs.
            write: takes the output, a line a time.
            stop: says why nothing is waited for any longer, or None; asked several times a second.
        """
        self._scratch, self._write, self._stop = scratch, write, stop
        self._count = 0
        loop = scratch / "loop.sh"
        loop.write_text(_LOOP, encoding="utf-8")
        with _RUNNING_LOCK:
            self._process = subprocess.Popen(
                [program, str(loop)],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            _RUNNING.add(self._process.pid)
        self._interrupted = False
        self._results: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._output = threading.Thread(target=self._read_output, daemon=True)
        self._output.start()
        threading.Thread(target=self._read_results, daemon=True).start()

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def alive(self) -> bool:
        """Whether it still takes commands; one that called `exit` has ended it."""
        return self._process.poll() is None

    def run(self, command: str) -> int:
        """Run a command, and give its exit status; that of the shell itself where the command ended it.

        Raises:
            Interrupted: the shell was told to stop meanwhile. Its processes still run.
        """
        self._count += 1
        file = self._scratch / f"command-{self._count}.sh"
        file.write_text(command + "\n", encoding="utf-8")
        with contextlib.suppress(BrokenPipeError):  # it has ended, which its status tells
            self._stdin.write(f"{file}\n".encode())
            self._stdin.flush()
        while True:
            try:
                status = self._results.get(timeout=_POLL_S)
            except queue.Empty:
                if reason := self._stop():
                    self._interrupted = True
                    raise Interrupted(reason) from None
            else:
                return self._process.wait() if status is None else status

    def say(self, text: str) -> None:
        """Write a line to the output, after everything that the commands have written until now."""
        if not self.alive or self.run(f"printf '%s\\n' {shlex.quote(text)}"):
            self._output.join(timeout=_POLL_S)
            self._write(text)

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._write(line.decode("utf-8", errors="replace").rstrip("\r\n"))

    def _read_results(self) -> None:
        """The status of each command; None once the shell has ended."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._results.put(int(line))
        self._results.put(None)

    def end(self) -> None:
        """End the shell and whatever it has started and is still running; all output is written then."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        if not self._interrupted:  # it ends by itself then, and runs the traps that commands have set
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_PATIENCE_S)
        self._signal(signal.SIGTERM)
        self._output.join(timeout=_PATIENCE_S)  # which nobody can write to any longer once all have ended
        self._signal(signal.SIGKILL)
        self._process.wait()
        with _RUNNING_LOCK:
            _RUNNING.discard(self._process.pid)
        self._output.join(timeout=_PATIENCE_S)

    def _signal(self, number: int) -> None:
        """Send a signal to every process of the group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses where none but a zombie is left
            os.killpg(self._process.pid, number)
