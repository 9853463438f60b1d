"""Accounts with pipelines, in this process and without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws import cloudformation, codebuild, codepipeline, hosting, patches, pipelines
from localaws.codepipeline import api_pipelines
from localaws.hosting.settings import HostingSettings
from tests.unit.localaws.codepipeline.accounts import Account, Actions
from tests.unit.localaws.codepipeline.world import WITH_OUTPUT, World


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    for service in patches.SERVICES:
        patches.install(service)
    for own in (cloudformation, codebuild, codepipeline, pipelines):
        own.install()
    hosting.install(HostingSettings(endpoint_seconds=0))


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Actions]:
    """Has new pipelines run in surroundings that the test decides on."""
    made = Actions()
    monkeypatch.setattr(api_pipelines, "surroundings", lambda: made)
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture
def ready(world: World) -> World:
    """A world with a commit, a handshake and a project."""
    world.commit(template=WITH_OUTPUT)
    world.handshake()
    world.project()
    return world


@pytest.fixture
def deployer(ready: World) -> World:
    """A ready world whose pipeline may deploy."""
    ready.allow(ready.pipeline_role, "*")
    return ready
