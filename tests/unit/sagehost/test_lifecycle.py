"""A server in the background, its state file, and what can go wrong with it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sagehost.lifecycle import LifecycleError, State, down, status, up


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "a folder"
    yield directory
    down(directory)


def answers(state: State) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{state.url}/_sagehost/health", timeout=5) as answer:
        return bool(json.load(answer)["pid"] == state.pid)


def test_up_starts_one_server_and_down_ends_it(state_dir: Path) -> None:
    state = up(state_dir)
    assert answers(state)
    assert up(state_dir) == state
    assert status(state_dir) == state
    assert down(state_dir)
    assert status(state_dir) is None
    with pytest.raises(ProcessLookupError):
        os.kill(state.pid, 0)
    assert not down(state_dir)


def test_a_server_that_was_started_by_another_process_is_found_and_ended(state_dir: Path) -> None:
    code = "import sys; from pathlib import Path; from sagehost.lifecycle import up; print(up(Path(sys.argv[1])).pid)"
    started = subprocess.run([sys.executable, "-c", code, str(state_dir)], capture_output=True, text=True, check=True)
    state = status(state_dir)
    assert state is not None
    assert state.pid == int(started.stdout)
    assert down(state_dir)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", state.port), timeout=5)


def test_a_pid_that_belongs_to_something_else_by_now_is_left_alone(state_dir: Path) -> None:
    state_dir.mkdir()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        stale = {"pid": stranger.pid, "port": 1, "url": "http://localhost:1", "started_at": ""}
        (state_dir / "state.json").write_text(json.dumps(stale))
        assert status(state_dir) is None
        assert not down(state_dir)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_does_not_answer_is_still_known_and_ended(state_dir: Path) -> None:
    state = up(state_dir)
    os.kill(state.pid, signal.SIGSTOP)
    assert status(state_dir) == up(state_dir) == state
    assert down(state_dir)
    assert not _exists(state.pid)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_server_whose_state_file_is_damaged_is_not_forgotten(state_dir: Path, text: str) -> None:
    state_dir.mkdir()
    (state_dir / "state.json").write_text(text)
    with (state_dir / "server.log").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LifecycleError, match=r"state\.json is damaged"):
            down(state_dir)
    assert not down(state_dir)


def test_only_the_owner_may_read_what_a_server_writes(state_dir: Path) -> None:
    state_dir.mkdir(mode=0o700)
    (state_dir / "server.log").write_text("of an earlier server, readable for all")
    up(state_dir)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in state_dir.iterdir()}
    assert modes == dict.fromkeys(["lock", "server.log", "state.json"], 0o600)


def test_a_new_state_folder_is_its_owners(tmp_path: Path) -> None:
    down(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_interrupting_up_leaves_no_server(state_dir: Path, number: signal.Signals) -> None:
    code = "import sys; from pathlib import Path; from sagehost.lifecycle import up; up(Path(sys.argv[1]))"
    with subprocess.Popen([sys.executable, "-c", code, str(state_dir)], stderr=subprocess.DEVNULL) as starter:
        while not (state_dir / "server.log").exists():  # it starts the server at this moment
            assert starter.poll() is None
        starter.send_signal(number)
    _wait_until(lambda: not _is_locked(state_dir / "server.log"))


def test_a_full_disk_is_told_with_its_place(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_dir.mkdir()
    with Path("/dev/full").open("wb") as full:
        monkeypatch.setattr("sagehost.lifecycle._private", lambda _: os.fdopen(os.dup(full.fileno()), "ab"))
        with pytest.raises(LifecycleError, match=f"^cannot write to {state_dir}: No space left on device$"):
            up(state_dir)


def test_a_busy_port_is_told_with_the_end_of_the_log(state_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LifecycleError, match=f"did not start:\ncannot listen on port {port}"):
            up(state_dir, port)
    assert status(state_dir) is None


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LifecycleError, match="cannot write to"):
        up(tmp_path / "file" / "state")


def test_a_server_for_a_with_block_ends_when_its_process_is_killed(tmp_path: Path) -> None:
    program = (
        "import time\nfrom sagehost.lifecycle import running_server\n"
        "with running_server() as server:\n    print(server.pid, flush=True)\n    time.sleep(600)\n"
    )
    command, environment = [sys.executable, "-c", program], os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    _wait_until(lambda: not _exists(pid))


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_locked(log: Path) -> bool:
    with log.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
