"""Starting and stopping the embedded AWS: in the background for a user, or for the length of a `with` block."""

from __future__ import annotations

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
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

START_S = 30.0
"""How long a server may take until it answers."""

STOP_S = 5.0
"""How long a server may take to end after SIGTERM before it is killed."""

_POLL_S = 0.02
_TAIL_LINES = 15
_HEALTH = "/_sagehost/health"

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
    log: str
    """Path of its log file."""
    started_at: str
    """UTC, ISO 8601."""


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
        if (running := status(state_dir)) is not None:
            return running
        state = _start(state_dir, port, outlives_us=True)[1]
        _write(state_dir / "state.json", json.dumps(asdict(state)))
        return state


def status(state_dir: Path) -> State | None:
    """The server of this directory if it is running.

    The pid in the file may meanwhile be another process's, so it is the server that is asked for its own.
    """
    try:
        state = State(**json.loads((state_dir / "state.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return state if _health(state.url) == state.pid else None


def down(state_dir: Path) -> bool:
    """Stop the server of this directory and wait until it has ended. Whether there was one."""
    with _locked(state_dir):
        state = status(state_dir)
        if state is not None:
            _stop(state.pid)
        (state_dir / "state.json").unlink(missing_ok=True)
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
    ready, log = state_dir / "ready.json", state_dir / "server.log"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sagehost", "--port", str(port), "--ready-file", str(ready)]
    if not outlives_us:
        command.append("--until-stdin-closes")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
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
        if ready.exists():
            state = _state(ready, log)
            if _health(state.url) == process.pid:
                return process, state
        time.sleep(_POLL_S)
    process.kill()
    process.wait()
    raise LifecycleError(f"the embedded AWS did not start within {START_S:g} s:\n{_tail(log)}")


def _state(ready: Path, log: Path) -> State:
    told = json.loads(ready.read_text())
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    return State(pid=told["pid"], port=told["port"], url=told["url"], log=str(log), started_at=started_at)


def _health(url: str) -> int | None:
    """The pid that the server at `url` says it has, or None if nothing of ours answers."""
    try:
        with _HTTP.open(url + _HEALTH, timeout=2) as answer:
            return int(json.load(answer)["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _stop(pid: int) -> None:
    for number, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, STOP_S)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if _ended(pid):
                return
            time.sleep(_POLL_S)
    raise LifecycleError(f"process {pid} does not end")


def _ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):  # started by another process, which collects it
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


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


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
