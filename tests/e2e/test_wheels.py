"""The wheel of `sagehost`, used as its README says where nothing else of ours is installed."""

import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from sagehost.accounts import credentials
from tests import documents
from tests.e2e.conftest import PROJECT, succeeded
from tests.e2e.wheels import Environment, build, build_release


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`sagehost` with the container of its README, in a folder with the README's app."""
    folder = tmp_path_factory.mktemp("sagehost alone")
    for file in documents.files(PROJECT / "sagehost" / "README.md"):
        documents.write(folder, file)
    package = folder / "echo"
    package.mkdir()
    for name in ("pyproject.toml", "echo_container.py"):
        (folder / name).rename(package / name)
    releases = [build_release(name, folder) for name in ("sagehost", "scaling-rules")]
    return Environment.create(folder, *releases, build(folder, package))


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
    told = json.loads(ready.read_text())
    yield credentials(secret=told["secret"]) | {"AWS_ENDPOINT_URL": told["url"]}
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
