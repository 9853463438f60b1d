"""`mistral7b demo`: the whole job, and nothing left of it, also when it is interrupted."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import BIN, PROJECT

Start = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts the demo with temporary files in a folder of the test's own."""

    def _start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(BIN / "mistral7b"), "demo"],
            cwd=PROJECT,
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return _start


def traces() -> dict[str, object]:
    """What a run could leave in the project's folder: files that git sees as changed, and what it is told to ignore."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=PROJECT, capture_output=True, text=True, check=True)
    ignored = {name: (PROJECT / name).exists() for name in ("cdk.out", "cdk.context.json", ".mistral7b")}
    return {"changed": changed.stdout, **ignored}


def processes_with(folder: Path) -> list[str]:
    """Command lines of the processes that were given something in `folder`."""
    listed = subprocess.run(["ps", "-axo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


def test_the_demo_plays_every_step_and_leaves_nothing(start: Start, tmp_path: Path) -> None:
    before = traces()
    process = start()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    for step in ("Deploy", "Ask every example prompt", "Stream an answer", "Update", "Remove everything", "Prove"):
        assert step in output
    assert list(tmp_path.iterdir()) == []
    assert processes_with(tmp_path) == []
    assert traces() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_an_interrupted_demo_leaves_nothing(number: signal.Signals, start: Start, tmp_path: Path) -> None:
    before = traces()
    process = start()
    assert process.stdout is not None
    for line in process.stdout:
        if "cdk bootstrap" in line:  # the server runs, and the CDK CLI starts
            break
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Interrupted" in output
    assert list(tmp_path.iterdir()) == []
    assert processes_with(tmp_path) == []
    assert traces() == before
