"""`mistral7b local`: the embedded AWS in the background."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import BIN


def local(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `mistral7b local` with a state folder of the test's own."""
    return subprocess.run(
        [str(BIN / "mistral7b"), "local", *arguments, "--state", str(state)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a server that `local up` has started."""
    folder = tmp_path_factory.mktemp("local") / "state"
    local(folder, "up", "--port", "0")
    yield folder
    local(folder, "down")


def running(state: Path) -> dict[str, Any]:
    """What `local status` tells scripts."""
    told: dict[str, Any] = json.loads(local(state, "status", "--json").stdout)
    return told


def test_up_prints_settings_that_lead_any_shell_to_it(state: Path) -> None:
    printed = local(state, "up", "--account", "555555555555").stdout
    exports = dict(shlex.split(line)[1].split("=", 1) for line in printed.splitlines())
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    asked = subprocess.run(
        [str(BIN / "python"), "-c", program], env=os.environ | exports, capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip() == "555555555555"


def test_a_second_up_finds_the_first(state: Path) -> None:
    first = running(state)["pid"]
    assert json.loads(local(state, "up", "--port", "0", "--json").stdout)["pid"] == first


def test_a_port_that_is_taken_is_named_with_the_fix(state: Path, tmp_path: Path) -> None:
    port = running(state)["port"]
    result = local(tmp_path / "other", "up", "--port", str(port))
    assert result.returncode == 1
    assert f"cannot listen on port {port}" in result.stderr
    assert "fix: name another port" in result.stderr


def test_status_tells_by_its_exit_status_whether_it_runs(state: Path, tmp_path: Path) -> None:
    assert local(state, "status").returncode == 0
    assert local(tmp_path / "nothing", "status").returncode == 1


def test_a_relative_state_folder_is_of_the_folder_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = local(Path("state"), "up", "--port", "0")
    stopped = local(Path("state"), "down")
    assert started.returncode == 0, started.stderr
    assert "is stopped" in stopped.stderr
    assert (tmp_path / "state" / "server.log").exists()


def test_down_ends_the_process(tmp_path: Path) -> None:
    pid = json.loads(local(tmp_path, "up", "--port", "0", "--json").stdout)["pid"]
    local(tmp_path, "down")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_account_that_is_none_is_refused_with_the_fix(tmp_path: Path) -> None:
    result = local(tmp_path, "up", "--account", "12")
    assert result.returncode == 2
    assert "fix: give 12 digits" in result.stderr
