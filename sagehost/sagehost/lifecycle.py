"""Starting and stopping the embedded AWS: in the background for a user, or for the length of a `with` block.

A server holds the lock of its log file for as long as it lives, as the kernel sees it: so one that does not answer is
still known to run, and the pid in the state file is known to be its own.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sagehost.accounts import DEFAULT_ACCOUNT, DEFAULT_REGION, credentials

START_S = 30.0
"""How long a server may take until it answers."""

STOP_S = 5.0
"""How long a server may take to end after it is killed."""

_POLL_S = 0.02
_TAIL_LINES = 15
_ROOM = 65536
"""Bytes that a server needs on the disk for its state and the beginning of its log."""
_STATE = "state.json"
_LOG = "server.log"


class LifecycleError(Exception):
    """The server could not be started or stopped; the text says why, for the user."""


@dataclass(frozen=True)
class State:
    """A server that is running."""

    pid: int
    port: int
    url: str
    started_at: str
    """UTC, ISO 8601."""
    secret: str = field(repr=False)
    """The secret access key of every account."""
    log: str
    """Path of its log file."""
    speed: str = "1"
    """Of its clock; `instant` if nothing takes time."""
    variables: dict[str, str] = field(default_factory=dict)
    """Environment variables that it was started with, for its containers."""

    def settings(self, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> dict[str, str]:
        """Environment variables with which any AWS tool calls the server as an account; see `accounts.credentials`."""
        return {"AWS_ENDPOINT_URL": self.url, **credentials(account, region, secret=self.secret)}


def up(state_dir: Path, port: int = 0, speed: str = "instant", **variables: str) -> State:
    """Start a server that outlives this process, or find the one that runs already.

    Args:
        state_dir: where its state and its log are kept; one server a directory.
        port: 0 takes a free one.
        speed: of its clock, a number or `instant`; see `sagehost --help`.
        variables: of its environment, for its containers.

    Raises:
        LifecycleError: the directory cannot be written, the port is taken, or the server does not start.
        ModuleNotFoundError: its packages are not installed.
    """
    with _locked(state_dir):
        return status(state_dir) or _start(state_dir, port, speed, variables, outlives_us=True)[1]


def status(state_dir: Path) -> State | None:
    """The server of this directory if it runs, even if it does not answer.

    Raises:
        LifecycleError: one is starting or ending, or the file that names its process is damaged.
    """
    log, ready = state_dir / _LOG, state_dir / _STATE
    if not _is_locked(log):
        return None
    try:
        return State(**json.loads(ready.read_text()), log=str(log))
    except (OSError, ValueError, TypeError) as error:
        raise LifecycleError(f"an embedded AWS is starting or ending, or {ready} is damaged: {error}") from error


def down(state_dir: Path) -> bool:
    """Stop the server of this directory and wait until it has ended. Whether there was one.

    Raises:
        LifecycleError: it does not end, or see `status`.
    """
    with _locked(state_dir):
        state = status(state_dir)
        if state is not None:
            _stop(state.pid)
        (state_dir / _STATE).unlink(missing_ok=True)
        return state is not None


@contextlib.contextmanager
def running_server(port: int = 0, speed: str = "instant") -> Iterator[State]:
    """A server for the length of a `with` block, in a process of its own, which ends even if this one is killed.

    Raises:
        LifecycleError: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="sagehost-") as directory:
        with _locked(Path(directory)):
            process, state = _start(Path(directory), port, speed, {}, outlives_us=False)
        try:
            yield state
        finally:
            _stop(process.pid)
            if process.stdin is not None:
                process.stdin.close()


def _start(
    state_dir: Path, port: int, speed: str, variables: Mapping[str, str], *, outlives_us: bool
) -> tuple[subprocess.Popen[bytes], State]:
    if importlib.util.find_spec("moto") is None:
        raise ModuleNotFoundError("the embedded AWS stands on moto", name="moto")
    ready, log = state_dir / _STATE, state_dir / _LOG
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sagehost", "--port", str(port), "--speed", speed, "--ready-file", str(ready)]
    with _private(log) as output:
        output.write(bytes(_ROOM))
        output.flush()  # a full disk shows here, and not as a server that cannot say why it ends
        output.truncate(0)
        fcntl.flock(output, fcntl.LOCK_EX)  # the server inherits it, and the kernel releases it at the server's end
        process = subprocess.Popen(
            [*command, "--until-stdin-closes"],  # so it ends if this process is interrupted or killed at any moment
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=state_dir,
            env=os.environ | variables,
            umask=0o077,
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        )
    try:
        deadline = time.monotonic() + START_S
        while not ready.exists():
            if process.poll() is not None:
                raise LifecycleError(f"the embedded AWS did not start:\n{_tail(log)}")
            if time.monotonic() > deadline:
                raise LifecycleError(f"the embedded AWS did not start within {START_S:g} s:\n{_tail(log)}")
            time.sleep(_POLL_S)
        told = json.loads(ready.read_text()) | {"variables": dict(variables)}
        ready.write_text(json.dumps(told))
        state = State(**told, log=str(log))
        if outlives_us and process.stdin is not None:
            process.stdin.write(b"\n")
            process.stdin.close()
    except BaseException:
        _stop(process.pid)
        raise
    return process, state


def _is_locked(log: Path) -> bool:
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False


def _private(path: Path) -> IO[bytes]:
    """A file that only its owner may read, opened to append; it is created if need be."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "ab")


def _stop(pid: int) -> None:
    """End a process and wait until it has ended. Nothing that it keeps outlives it, so nothing is left to finish."""
    deadline = time.monotonic() + STOP_S
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):  # started by another process, which collects it
                os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
            time.sleep(_POLL_S)
        raise LifecycleError(f"process {pid} does not end")


@contextlib.contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    """One `up` or `down` at a time."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _private(state_dir / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise LifecycleError(f"cannot write to {state_dir}: {error.strerror}") from error


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
