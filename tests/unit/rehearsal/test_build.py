"""Builds: the commands of a project's buildspec as processes of this machine, under the project's role."""

import json
import shlex
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from mistral7b_cli.rehearsal import build as builds
from mistral7b_cli.rehearsal.execution import Execution
from mistral7b_cli.rehearsal.view import View
from tests.unit.rehearsal.world import BUILD_MAY, PIPELINE_MAY, Json, World, action, commands, ends
from tests.unit.sagehost.pipelines.structures import build, stage

CALLER = f"{shlex.quote(sys.executable)} -c \"import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])\""


def ran(world: World, *lines: str, **members: Json) -> Execution:
    """The execution of a pipeline with one build of these commands."""
    world.deploy(stage("Build", build()), buildspec=commands(*lines, **members))
    return world.walk()


def said(world: World, *lines: str, **members: Json) -> list[str]:
    """What the commands of a build that succeeds print."""
    found = action(ran(world, *lines, **members), "Build/Build")
    assert found.status == "Succeeded", found.reason
    return found.output()


def test_a_build_runs_in_a_fresh_folder_with_the_commits_files(world: World) -> None:
    (world.clone / "script.sh").write_text("#!/bin/sh\necho executable\n")
    (world.clone / "script.sh").chmod(0o755)
    (world.clone / "link").symlink_to("file")
    world.commit({"file": "the file\n"})
    assert said(world, "ls", "cat link", "./script.sh") == ["file", "link", "script.sh", "the file", "executable"]


def test_the_artifact_of_a_build_is_the_input_of_another(world: World) -> None:
    make = "mkdir -p out/deep; echo made >out/deep/it; echo no >other"
    take = 'test ! -d "$CODEBUILD_SRC_DIR_Made" || (cd "$CODEBUILD_SRC_DIR_Made" && find . -type f && cat deep/it)'
    spec = commands(make, take, artifacts={"base-directory": "out", "files": ["**/*"]})
    world.deploy(
        stage("Make", build("Make", outputs="Made")), stage("Take", build("Take", "Code Made")), buildspec=spec
    )
    execution = world.walk()
    assert action(execution, "Take/Take").output() == ["./deep/it", "made"], execution.failed


def test_an_artifact_without_files_fails_the_build(world: World) -> None:
    spec = commands("true", artifacts={"files": ["*.none"]})
    world.deploy(stage("Build", build(outputs="Made")), buildspec=spec)
    assert "no matching artifact paths found" in action(world.walk(), "Build/Build").reason


def test_a_command_that_fails_ends_the_promotion_with_its_output(world: World) -> None:
    world.deploy(
        stage("Build", build()), stage("After", build("Later")), buildspec=commands("echo why", "exit 3", "echo no")
    )
    execution = world.walk()
    failed = execution.failed
    assert failed is not None
    assert failed.reason == "BUILD: `exit 3` ended with status 3"
    assert failed.output() == ["why"]
    assert action(execution, "After/Later").status == "NotStarted"


def test_commands_of_all_phases_share_a_shell_and_one_that_ends_it_well_is_followed_by_the_next(world: World) -> None:
    spec = {"phases": {"install": {"commands": ["cd /", "export A=1"]}, "build": {"commands": ["echo $PWD $A"]}}}
    world.deploy(stage("Build", build()), buildspec=spec)
    assert action(world.walk(), "Build/Build").output() == ["/ 1"]
    assert said(world, "exit 0", "echo goes on") == ["goes on"]


def test_variables_of_the_action_go_over_the_projects_and_those_over_the_buildspecs(world: World) -> None:
    given = [{"name": "OF_BOTH", "value": "action"}, {"name": "ID", "value": "#{codepipeline.PipelineExecutionId}"}]
    configuration = {"ProjectName": "project", "EnvironmentVariables": json.dumps(given)}
    spec = commands(
        "echo $OF_SPEC $OF_PROJECT $OF_BOTH $ID", env={"variables": {"OF_SPEC": "spec", "OF_PROJECT": "no"}}
    )
    world.deploy(stage("Build", build(Configuration=configuration)), buildspec=spec)
    execution = world.walk()
    assert action(execution, "Build/Build").output() == [f"spec project action {execution.id}"]


def test_commands_have_the_credentials_of_the_projects_role_and_nothing_of_the_users(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", "mine")
    monkeypatch.setenv("SECRET", "mine")
    caller, rest = said(world, CALLER, 'echo "$AWS_ROLE_ARN$SECRET" $(ls -A "$HOME")')
    assert caller.startswith(f"arn:aws:sts::{world.account}:assumed-role/pipeline-BuildRole-")
    assert rest == ""


@pytest.mark.parametrize(
    ("pipeline", "project", "reason"),
    [
        ([one for one in PIPELINE_MAY if one != "codebuild:*"], BUILD_MAY, "perform: codebuild:StartBuild"),
        (PIPELINE_MAY, ["s3:*"], "perform: logs:CreateLogStream"),
        (PIPELINE_MAY, ["logs:*", "s3:PutObject"], "perform: s3:GetObject"),
        (PIPELINE_MAY, ["logs:*", "s3:GetObject"], "perform: s3:PutObject"),
    ],
    ids=["start", "log", "input", "output"],
)
def test_missing_permission_fails_the_build(world: World, pipeline: list[str], project: list[str], reason: str) -> None:
    world.pipeline_may, world.build_may = pipeline, project
    spec = commands("true", artifacts={"files": ["file"]})
    world.deploy(stage("Build", build(outputs="Made")), buildspec=spec)
    assert reason in action(world.walk(), "Build/Build").reason


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"phases": {"post_build": {"commands": ["true"]}}}, "phases/post_build"),
        ({"reports": {}}, "/reports"),
        ({"env": {"exported-variables": ["A"]}}, "env/exported-variables"),
        ({"version": "0.1"}, "no buildspec of version 0.2"),
    ],
)
def test_unsupported_part_of_a_buildspec_fails_the_build_by_name(world: World, spec: Json, named: str) -> None:
    world.deploy(stage("Build", build()), buildspec=spec)
    reason = action(world.walk(), "Build/Build").reason
    assert reason.startswith("YAML_FILE_ERROR: ")
    assert named in reason


def test_builds_of_one_run_order_run_side_by_side(world: World, tmp_path: Path) -> None:
    """Each waits for the other, or fails after five seconds."""
    meet = (
        f"touch {tmp_path}/$CODEBUILD_BUILD_ID-$$; for i in $(seq 50); do [ $(ls {tmp_path} | grep -c project:) = 2 ]"
    )
    world.deploy(
        stage("Build", build("A"), build("B")), buildspec=commands(f"{meet} && exit 0; sleep 0.1; done; exit 1")
    )
    assert world.walk().status == "Succeeded"


def test_build_that_exceeds_its_timeout_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "MINUTE_S", 0.02)
    found = action(ran(world, "echo $$; sleep 60"), "Build/Build")
    assert found.reason == "BUILD_TIMED_OUT: Build has timed out."
    assert ends(int(found.output()[0]))


def test_background_processes_end_with_the_build(world: World) -> None:
    assert ends(int(said(world, "sleep 60 & echo $!")[0]))


def test_an_interrupt_ends_what_runs(world: World) -> None:
    class Interrupting(View):
        def update(self, execution: Execution) -> None:
            running = action(execution, "Build/Build").output()
            if running:
                pids.append(int(running[0]))
                raise KeyboardInterrupt

    pids: list[int] = []
    world.deploy(stage("Build", build()), buildspec=commands("echo $$; sleep 60"))
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        world.walk(view=Interrupting(Console(quiet=True)))
    assert time.monotonic() - began < 30
    assert ends(pids[0])
    assert not list((world.folder / "actions").glob("*/source"))
