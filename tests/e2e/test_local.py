"""`mistral7b local`: the embedded AWS in the background."""

import json
import os
import shlex
import subprocess
from pathlib import Path

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


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder."""
    return tmp_path / "state"


def test_up_prints_settings_that_lead_any_shell_to_it(state: Path) -> None:
    try:
        printed = local(state, "up", "--port", "0", "--account", "123456789012").stdout
        exports = dict(shlex.split(line)[1].split("=", 1) for line in printed.splitlines())
        program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
        asked = subprocess.run(
            [str(BIN / "python"), "-c", program], env=os.environ | exports, capture_output=True, text=True, check=True
        )
    finally:
        local(state, "down")
    assert asked.stdout.strip() == "123456789012"


def test_a_second_up_finds_the_first(state: Path) -> None:
    try:
        first = json.loads(local(state, "up", "--port", "0", "--json").stdout)
        second = json.loads(local(state, "up", "--port", "0", "--json").stdout)
    finally:
        local(state, "down")
    assert second["pid"] == first["pid"]


def test_status_tells_by_its_exit_status_whether_it_runs(state: Path) -> None:
    before = local(state, "status").returncode
    try:
        local(state, "up", "--port", "0")
        during = local(state, "status").returncode
    finally:
        local(state, "down")
    assert (before, during, local(state, "status").returncode) == (1, 0, 1)


def test_down_ends_the_process(state: Path) -> None:
    pid = json.loads(local(state, "up", "--port", "0", "--json").stdout)["pid"]
    local(state, "down")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_port_that_is_taken_is_named_with_the_fix(state: Path, tmp_path: Path) -> None:
    try:
        port = json.loads(local(state, "up", "--port", "0", "--json").stdout)["port"]
        result = local(tmp_path / "other", "up", "--port", str(port))
    finally:
        local(state, "down")
    assert result.returncode == 1
    assert f"cannot listen on port {port}" in result.stderr
    assert "fix: name another port" in result.stderr
