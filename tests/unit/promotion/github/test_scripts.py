"""The workflow's scripts, run as a runner runs them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mistral7b.cli.pipeline_review import BROADENS
from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions.scripts import PACK, REVIEW, UNPACK
from tests.unit.promotion.github.pipelines import parsed, scripts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runners are Linux: GNU tar, sha256sum")


@dataclass(frozen=True)
class Ran:
    """What a script left."""

    status: int
    output: str
    """Standard output and standard error."""
    values: dict[str, str]
    """Outputs of the step."""


def run(promotion: Promotion, script: str, folder: Path, **variables: str) -> Ran:
    """Runs a script in `folder`, in the shell that the workflow names."""
    outputs, file = folder / "outputs", folder / "script.sh"
    outputs.write_text("")
    file.write_text(script)
    shell = parsed(promotion)["defaults"]["run"]["shell"].replace("{0}", str(file)).split()
    environment = {
        "PATH": os.environ["PATH"],
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_SHA": "0" * 40,
        **variables,
    }
    done = subprocess.run(
        shell, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    values = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return Ran(done.returncode, done.stdout, values)


def with_assembly(folder: Path, content: str = "{}") -> Path:
    (folder / "cdk.out").mkdir(parents=True)
    (folder / "cdk.out" / "manifest.json").write_text(content)
    return folder


def with_review(folder: Path, says: str, status: int) -> Path:
    """A checkout whose `mistral7b` says so and ends so."""
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    (tools / "mistral7b").write_text(f"#!/bin/sh\ncat << 'END'\n{says}\nEND\nexit {status}\n")
    (tools / "mistral7b").chmod(0o755)
    return folder


def test_bash_reads_every_script_of_every_workflow(variant: Promotion) -> None:
    for name, script in scripts(parsed(variant)):
        read = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        assert (read.returncode, read.stderr) == (0, ""), name


def test_bash_refuses_a_script_that_is_none() -> None:
    read = subprocess.run(["bash", "-n"], input="if true; echo", text=True, capture_output=True, check=False)
    assert read.returncode != 0


def test_what_is_packed_is_unpacked(promotion: Promotion, tmp_path: Path) -> None:
    folder = with_assembly(tmp_path / "a", "what was built")
    packed = run(promotion, PACK, folder)
    (folder / "cdk.out" / "manifest.json").write_text("what someone else left")
    unpacked = run(promotion, UNPACK, folder, DIGEST=packed.values["digest"])
    assert (packed.status, unpacked.status) == (0, 0), unpacked.output
    assert (folder / "cdk.out" / "manifest.json").read_text() == "what was built"


def test_the_same_assembly_has_the_same_digest_wherever_and_whenever_it_is_packed(
    promotion: Promotion, tmp_path: Path
) -> None:
    first, second = with_assembly(tmp_path / "a"), with_assembly(tmp_path / "b")
    os.utime(second / "cdk.out" / "manifest.json", (1_000_000_000, 1_000_000_000))
    assert run(promotion, PACK, first).values == run(promotion, PACK, second).values


def test_another_assembly_is_not_unpacked(promotion: Promotion, tmp_path: Path) -> None:
    built, other = with_assembly(tmp_path / "a", "built"), with_assembly(tmp_path / "b", "other")
    digest = run(promotion, PACK, built).values["digest"]
    run(promotion, PACK, other)
    (other / "cdk.out" / "manifest.json").write_text("before")
    refused = run(promotion, UNPACK, other, DIGEST=digest)
    assert refused.status != 0
    assert (other / "cdk.out" / "manifest.json").read_text() == "before"


def test_without_a_digest_nothing_is_unpacked(promotion: Promotion, tmp_path: Path) -> None:
    folder = with_assembly(tmp_path / "a")
    run(promotion, PACK, folder)
    assert run(promotion, UNPACK, folder, DIGEST="").status != 0


def test_a_build_without_an_assembly_fails(promotion: Promotion, tmp_path: Path) -> None:
    failed = run(promotion, PACK, tmp_path)
    assert failed.status != 0
    assert failed.values == {}


@pytest.mark.parametrize(("status", "broadens"), [(0, "false"), (BROADENS, "true")])
def test_the_reviews_answer_is_the_steps_output(
    promotion: Promotion, tmp_path: Path, status: int, broadens: str
) -> None:
    done = run(promotion, REVIEW, with_review(tmp_path, "totals\n+ Allow", status), ENVIRONMENT="dev")
    assert (done.status, done.values) == (0, {"broadens": broadens})
    assert (tmp_path / "summary.md").read_text() == "```\ntotals\n+ Allow\n```\n"


@pytest.mark.parametrize("status", [1, 2, 127])
def test_a_review_that_fails_stops_the_run(promotion: Promotion, tmp_path: Path, status: int) -> None:
    done = run(promotion, REVIEW, with_review(tmp_path, "", status), ENVIRONMENT="dev")
    assert (done.status, done.values) == (status, {})
