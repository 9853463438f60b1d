"""The script that protects GitHub's environments, against a GitHub CLI that remembers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import settings_script, unprotected
from tests.unit.promotion.github.pipelines import load


class Machine:
    """A laptop with bash and the GitHub CLI."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copy(Path(__file__).with_name("fake_gh.py"), self.bin / "fake_gh.py")
        (self.bin / "gh").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{self.bin / "fake_gh.py"}" "$@"\n')
        (self.bin / "gh").chmod(0o755)

    def run(self, promotion: Promotion, *arguments: str) -> "subprocess.CompletedProcess[str]":
        path = os.pathsep.join([str(self.bin), os.environ["PATH"]])
        return subprocess.run(
            ["bash", "-s", "--", *arguments],
            input=settings_script(promotion),
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def github(self) -> Any:
        return json.loads((self.bin / "github.json").read_text())

    def ask(self, path: str) -> Any:
        """What GitHub's REST API would say of these settings."""
        name, *rest = path.removeprefix("/repos/octo-org/mistral-7b/environments/").split("/")
        settings = self.github["environments"].get(name)
        if settings is None or rest:
            return settings and {"branch_policies": settings["policies"]}
        reviewed = [{"type": "required_reviewers", "reviewers": settings["reviewers"]}] if settings["reviewers"] else []
        return {"protection_rules": reviewed, "deployment_branch_policy": settings["deployment_branch_policy"]}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_the_script_sets_is_what_the_workflow_asks_for(promotion: Promotion, machine: Machine) -> None:
    done = machine.run(promotion, "octocat")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(unprotected(promotion, machine.ask)) == []


def test_reviewers_are_where_someone_approves_and_nowhere_else(promotion: Promotion, machine: Machine) -> None:
    machine.run(promotion, "octocat")
    octocat = [{"type": "User", "id": 583231}]
    found = {name: settings["reviewers"] for name, settings in machine.github["environments"].items()}
    assert found == {
        "dev-security": octocat,
        "dev": [],
        "staging-security": octocat,
        "staging": [],
        "prod-security": octocat,
        "prod": octocat,
    }


def test_a_team_approves_by_its_organisation_and_name(promotion: Promotion, machine: Machine) -> None:
    machine.run(promotion, "octo-org/releasers")
    assert machine.github["environments"]["prod"]["reviewers"] == [{"type": "Team", "id": 42}]


def test_nobody_approves_what_they_started(promotion: Promotion, machine: Machine) -> None:
    machine.run(promotion, "octocat")
    assert {settings["prevent_self_review"] for settings in machine.github["environments"].values()} == {True}


def test_only_the_promoted_branch_is_deployed(tmp_path: Path, machine: Machine) -> None:
    source = {"repository": "octo-org/mistral-7b", "branch": "release/1.0"}
    machine.run(load(tmp_path / "environments", {"source": source}), "octocat")
    policies = [settings["policies"] for settings in machine.github["environments"].values()]
    assert policies == [[{"name": "release/1.0", "type": "branch"}]] * 6


def test_a_second_run_changes_nothing(promotion: Promotion, machine: Machine) -> None:
    machine.run(promotion, "octocat")
    before = machine.github["environments"]
    done = machine.run(promotion, "octocat")
    assert (done.returncode, machine.github["environments"]) == (0, before)


def test_without_an_approver_nothing_is_set(promotion: Promotion, machine: Machine) -> None:
    done = machine.run(promotion)
    assert done.returncode != 0
    assert "name who approves: LOGIN or ORGANISATION/TEAM" in done.stderr
    assert not (machine.bin / "github.json").exists()


def test_an_approver_that_github_does_not_know_is_an_error(promotion: Promotion, machine: Machine) -> None:
    assert machine.run(promotion, "nobody").returncode != 0
