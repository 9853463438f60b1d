"""The workflow's scripts, run as a runner runs them."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mistral7b.errors import BROADENS
from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import jobs
from tests.documents import code
from tests.unit.promotion.github.machine import Machine, Ran
from tests.unit.promotion.github.workflows import FOLDER, script

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("jq") and shutil.which("yq")),
    reason="runners are Linux with jq and yq (actions/runner-images, Ubuntu2404-Readme)",
)
PACK, UNPACK = script("Pack the assembly"), script("It is the one that was built")


def with_assembly(machine: Machine, content: str) -> Path:
    file = machine.folder / "cdk.out" / "manifest.json"
    file.parent.mkdir()
    file.write_text(content)
    return file


def with_command(machine: Machine, says: str, status: int = 0) -> None:
    """A checkout whose `mistral7b` says so and ends so."""
    tools = machine.folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    (tools / "mistral7b").write_text(f"#!/bin/sh\ncat << 'END'\n{says}\nEND\nexit {status}\n")
    (tools / "mistral7b").chmod(0o755)


@pytest.mark.parametrize(
    ("build", "printed"), [({"setup": "echo own \"$INSTALL\" '#'"}, "own test #"), ({"test": "true"}, "by default")]
)
def test_the_set_up_is_the_pipeline_files(machine: Machine, build: dict[str, str], printed: str) -> None:
    (machine.folder / "environments").mkdir()
    (machine.folder / "environments" / "pipeline.yaml").write_text(yaml.safe_dump({"build": build}))
    (machine.folder / "Makefile").write_text("setup:\n\t@echo by default\n")
    assert machine.run(script("Set up"), INSTALL="test").output == f"{printed}\n"


def test_without_a_pipeline_file_the_set_up_fails(machine: Machine) -> None:
    assert machine.run(script("Set up")).status != 0


def test_the_pipeline_file_is_read_into_the_outputs(machine: Machine, promotion: Promotion) -> None:
    with_command(machine, json.dumps(jobs(promotion)))
    values = machine.run(script("Read the pipeline file")).values
    assert {name: value for name, value in values.items() if name != "environments"} == {
        "branch": "main",
        "test": "make check",
        "retention_days": "30",
    }
    assert json.loads(values["environments"]) == jobs(promotion)["environments"]


def test_a_wrong_pipeline_file_fails_the_build(machine: Machine) -> None:
    with_command(machine, "", status=2)
    assert machine.run(script("Read the pipeline file")).status == 2


def test_what_is_packed_is_unpacked(machine: Machine) -> None:
    file = with_assembly(machine, "what was built")
    digest = machine.run(PACK).values["digest"]
    file.write_text("what someone else left")
    assert machine.run(UNPACK, DIGEST=digest).status == 0
    assert file.read_text() == "what was built"


def test_the_same_assembly_has_the_same_digest_whenever_it_is_packed(machine: Machine) -> None:
    file = with_assembly(machine, "{}")
    first = machine.run(PACK).values
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert machine.run(PACK).values == first


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_another_assembly_is_not_unpacked(machine: Machine, digest: str) -> None:
    file = with_assembly(machine, "built")
    machine.run(PACK)
    file.write_text("before")
    assert machine.run(UNPACK, DIGEST=digest).status != 0
    assert file.read_text() == "before"


def test_a_build_without_an_assembly_fails(machine: Machine) -> None:
    failed = machine.run(PACK)
    assert (failed.status != 0, failed.values) == (True, {})


@pytest.mark.parametrize(
    ("status", "ends", "values"),
    [(0, 0, {"broadens": "false"}), (BROADENS, 0, {"broadens": "true"}), (1, 1, {}), (127, 127, {})],
)
def test_the_reviews_answer_is_the_steps_output_and_in_the_summary(
    machine: Machine, status: int, ends: int, values: dict[str, str]
) -> None:
    with_command(machine, "totals\n+ Allow", status)
    done = machine.run(script("What would change"), ENVIRONMENT="dev")
    assert (done.status, done.values) == (ends, values)
    assert (machine.folder / "summary.md").read_text() == "```\ntotals\n+ Allow\n```\n"


def test_gates_run_in_order_as_they_are_written_until_one_fails(machine: Machine) -> None:
    gates = ["echo 'uses: x' \"$HOME\" \\\\ # done", "cat", "false | true", "echo never"]
    done = machine.run(script("Gates"), GATES=json.dumps(gates), HOME="/h")
    assert done.status != 0
    assert [line for line in done.output.splitlines() if not line.startswith("gate: ")] == ["uses: x /h \\"]


def test_without_gates_the_step_succeeds(machine: Machine) -> None:
    assert machine.run(script("Gates"), GATES="[]") == Ran(0, "", {})


def checked(machine: Machine, promotion: Promotion, **variables: str) -> Ran:
    """The build's look at branch and settings."""
    (machine.folder / "jobs.json").write_text(json.dumps(jobs(promotion)))
    check = script("This branch is promoted, and GitHub's environments are protected")
    return machine.run(check, **{"BRANCH": "main", **variables})


def protect(machine: Machine, promotion: Promotion) -> Ran:
    """What docs/github-actions.md says to run, with jobs.json as printed."""
    [settings] = [block for block in code(FOLDER.parent / "github-actions.md", "bash") if "--method PUT" in block]
    with_command(machine, json.dumps(jobs(promotion)))
    named = settings.replace("your-organisation/teams/releasers", "octo-org/teams/releasers")
    return machine.run(named.replace("mistral7b pipeline", ".venv/bin/mistral7b pipeline"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, promotion: Promotion) -> dict[str, Any]:
    """What the document's commands set on GitHub."""
    machine = Machine(tmp_path_factory.mktemp("laptop"))
    done = protect(machine, promotion)
    assert done.status == 0, done.output
    return machine.github


@pytest.fixture
def protected(machine: Machine, settings: dict[str, Any]) -> Machine:
    """With the settings of the document."""
    machine.github = settings
    return machine


def test_the_documents_settings_are_what_the_build_asks_for(protected: Machine, promotion: Promotion) -> None:
    assert checked(protected, promotion) == Ran(0, "", {})


def test_reviewers_are_where_someone_approves_and_nobody_approves_their_own_run(protected: Machine) -> None:
    releasers = [{"type": "Team", "id": 42}]
    assert {name: settings["reviewers"] for name, settings in protected.github.items()} == {
        "dev-security": releasers,
        "dev": [],
        "staging-security": releasers,
        "staging": [],
        "prod-security": releasers,
        "prod": releasers,
    }
    assert all(settings["prevent_self_review"] for settings in protected.github.values())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("dev-security", None),
        ("prod", {"reviewers": []}),
        ("dev", {"deployment_branch_policy": None}),
        ("dev", {"deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": False}}),
        ("dev", {"policies": []}),
        ("dev", {"policies": [{"name": "main", "type": "tag"}]}),
        ("dev", {"policies": [{"name": "main", "type": "branch"}, {"name": "topic/*", "type": "branch"}]}),
    ],
)
def test_an_environment_that_is_not_protected_stops_the_build_with_its_name(
    protected: Machine, promotion: Promotion, name: str, change: dict[str, Any] | None
) -> None:
    present = protected.github
    protected.github = {
        one: settings | (change if one == name else {}) if change else settings
        for one, settings in present.items()
        if change or one != name
    }
    done = checked(protected, promotion)
    errors = [line for line in done.output.splitlines() if line.startswith("::error::")]
    assert (done.status, len(errors)) == (1, 1)
    assert errors[0].startswith(f"::error::environment {name} on GitHub: allow branch main only; required reviewers: ")


def test_another_branch_is_not_promoted(protected: Machine, promotion: Promotion) -> None:
    done = checked(protected, promotion, GITHUB_REF="refs/heads/topic")
    assert done.status == 1
    assert "refs/heads/topic is not promoted: source.branch of the pipeline file is main" in done.output
