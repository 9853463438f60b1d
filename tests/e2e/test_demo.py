"""`mistral7b demo`: the whole job, and nothing left of it, also when it is interrupted."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import BIN, PROJECT, UNVALIDATED_APP
from tests.variants import context
from tools.record_demo import steps

PATIENCE_S = 60

Start = Callable[[], subprocess.Popen[str]]


def make_project(folder: Path, app: Path = PROJECT / "app.py", **more: Any) -> Path:
    """Makes a project of an app and this one's CDK CLI, with `more` context in cdk.json, and no environment files."""
    (folder / "app.py").write_bytes(app.read_bytes())
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    (folder / "cdk.json").write_text(json.dumps({"app": "python3 app.py", "context": context() | more}))
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose environments are broken, which is nothing to the demo of its own example.

    What app.py validates besides, tests/unit/stacks/test_checks.py does.
    """
    folder = make_project(tmp_path_factory.mktemp("project"), UNVALIDATED_APP)
    (folder / "environments").mkdir()
    (folder / "environments" / "dev.yaml").write_text("region: [")
    return folder


@pytest.fixture
def start(project: Path, tmp_path: Path) -> Start:
    """Starts the demo with temporary files in a folder of the test's own."""

    def _start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(BIN / "mistral7b"), "demo"],
            cwd=project,
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return _start


def traces(folder: Path) -> dict[Path, int]:
    """What a run could leave in the project's folder: every file's last change."""
    kept = folder / "node_modules"
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if kept not in file.parents}


def processes_with(folder: Path) -> list[str]:
    """Command lines of the processes that were given something in `folder`."""
    listed = subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


def test_the_demo_plays_every_step_and_leaves_nothing(start: Start, project: Path, tmp_path: Path) -> None:
    before = traces(project)
    process = start()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    recording = (PROJECT / "docs" / "images" / "demo.svg").read_text(encoding="utf-8")
    assert steps(recording) == re.findall(r"(?m)^\[\d+\] (.+)$", output), "record it anew: tools/record_demo.py"
    assert list(tmp_path.iterdir()) == []
    assert processes_with(tmp_path) == []
    assert traces(project) == before


def test_a_terminated_demo_leaves_nothing(start: Start, project: Path, tmp_path: Path) -> None:
    before = traces(project)
    process = start()
    await_line(process, "cdk bootstrap")  # the server runs, and the CDK CLI starts
    assert interrupted(process, signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []
    assert processes_with(tmp_path) == []
    assert traces(project) == before


def test_ctrl_c_in_the_middle_of_a_deployment_leaves_nothing(start: Start, project: Path, tmp_path: Path) -> None:
    before = traces(project)
    process = start()
    await_line(process, "cdk deploy")
    await_file(tmp_path, "jsii-kernel-*")  # the app is being synthesized
    assert interrupted(process, signal.SIGINT)
    assert list(tmp_path.iterdir()) == []
    assert processes_with(tmp_path) == []
    assert traces(project) == before


def await_line(process: subprocess.Popen[str], text: str) -> None:
    """Reads what the demo prints up to a line with this text."""
    assert process.stdout is not None
    assert any(text in line for line in process.stdout)


def await_file(folder: Path, pattern: str) -> None:
    """Waits until there is such a file somewhere in the folder."""
    deadline = time.monotonic() + PATIENCE_S
    while not any(folder.rglob(pattern)):
        assert time.monotonic() < deadline, f"no {pattern} in {folder}"
        time.sleep(0.05)


def interrupted(process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Interrupts the demo, and tells whether it said so and ended with the status of an interrupted command."""
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode == 130 and "Interrupted" in output
