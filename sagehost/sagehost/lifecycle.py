"""Starting and stopping the embedded AWS: in the background for a user, or for the length of a `with` block."""

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
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sagehost.accounts import DEFAULT_ACCOUNT, DEFAULT_REGION, credentials

START_S = 30.0
"""How long a server may take until it answers."""

STOP_S = 5.0
"""How long a server may take to end after it is killed."""

_POLL_S = 0.02
_TAIL_LINES = 15
_STATE = "state.json"

# A proxy of the environment has nothing to do with localhost.
_HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


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

    def settings(self, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> dict[str, str]:
        """Environment variables with which any AWS tool calls the server as an account; see `accounts.credentials`."""
        return {"AWS_ENDPOINT_URL": self.url, **credentials(account, region, secret=self.secret)}


def up(state_dir: Path, port: int = 0) -> State:
    """Start a server that outlives this process, or find the one that runs already.

    Args:
        state_dir: where its state and its log are kept; one server a directory.
        port: 0 takes a free one.

    Raises:
        LifecycleError: the directory cannot be written, the port is taken, or the server does not start.
        ModuleNotFoundError: its packages are not installed.
    """
    with _locked(state_dir):
        return status(state_dir) or _start(state_dir, port, outlives_us=True)[1]


def status(state_dir: Path) -> State | None:
    """The server of this directory if it is running.

    The pid in the file may now belong to another process, so the server itself is asked for its pid.
    """
    try:
        state = State(**json.loads((state_dir / _STATE).read_text()), log=str(state_dir / "server.log"))
        with _HTTP.open(state.url + "/_sagehost/health", timeout=2) as answer:
            return state if json.load(answer)["pid"] == state.pid else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def down(state_dir: Path) -> bool:
    """Stop the server of this directory and wait until it has ended. Whether there was one."""
    with _locked(state_dir):
        state = status(state_dir)
        if state is not None:
            _stop(state.pid)
        (state_dir / _STATE).unlink(missing_ok=True)
        return state is not None


@contextlib.contextmanager
def running_server(port: int = 0) -> Iterator[State]:
    """A server for the length of a `with` block, in a process of its own, which ends even if this one is killed.

    Raises:
        LifecycleError: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="sagehost-") as directory:
        process, state = _start(Path(directory), port, outlives_us=False)
        try:
            yield state
        finally:
            _stop(process.pid)
            if process.stdin is not None:
                process.stdin.close()


def _start(state_dir: Path, port: int, *, outlives_us: bool) -> tuple[subprocess.Popen[bytes], State]:
    if importlib.util.find_spec("moto") is None:
        raise ModuleNotFoundError("the embedded AWS stands on moto", name="moto")
    ready, log = state_dir / _STATE, state_dir / "server.log"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sagehost", "--port", str(port), "--ready-file", str(ready)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command if outlives_us else [*command, "--until-stdin-closes"],
            stdin=subprocess.DEVNULL if outlives_us else subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=state_dir,
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LifecycleError(f"the embedded AWS did not start:\n{_tail(log)}")
        if (state := status(state_dir)) is not None:
            return process, state
        time.sleep(_POLL_S)
    _stop(process.pid)
    raise LifecycleError(f"the embedded AWS did not start within {START_S:g} s:\n{_tail(log)}")


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
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = (state_dir / "lock").open("w")
    except OSError as error:
        raise LifecycleError(f"cannot write to {state_dir}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
