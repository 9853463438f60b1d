"""A project with a git repository, and an embedded AWS."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagehost.lifecycle import State, running_server

if TYPE_CHECKING:
    from tests.unit.rehearsal.world import World

PIPELINE_FILE = """
account: "111111111111"
region: us-east-1
source: {repository: team/mistral, branch: release}
environments: [{name: dev}]
"""


def git(folder: Path, *arguments: str) -> str:
    """What git answers, without the user's configuration."""
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", *author, *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return ended.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one commit."""
    folder = tmp_path / "project"
    (folder / "environments").mkdir(parents=True)
    (folder / "environments" / "pipeline.yaml").write_text(PIPELINE_FILE)
    (folder / "environments" / "dev.yaml").write_text("region: us-east-1\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First: it begins\n\nAnd more.")
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[State]:
    """An embedded AWS."""
    with running_server() as state:
        yield state


@pytest.fixture
def world(server: State, tmp_path: Path) -> "World":
    """An account in which nothing is deployed, and a repository with a commit."""
    from tests.unit.rehearsal.world import World  # noqa: PLC0415 - it imports this module

    return World(server, tmp_path)
