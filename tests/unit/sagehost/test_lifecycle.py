"""A server in the background, its state file, and what can go wrong with it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
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


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_state_file_is_no_server(state_dir: Path, text: str) -> None:
    state_dir.mkdir()
    (state_dir / "state.json").write_text(text)
    assert status(state_dir) is None


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
    deadline = time.monotonic() + 10
    while _exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _exists(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
