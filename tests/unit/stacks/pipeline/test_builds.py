"""What the actions of CodeBuild run, in which surroundings, and that they fail where a command does."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from tests.unit.stacks.pipeline.reading import action, buildspec, commands, of_type, project, projects
from tests.variants import FOLDERS, PROMOTIONS

Templates = dict[str, Any]


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_build_starts_with_the_set_up_of_the_file(folder: str, templates: Templates) -> None:
    setup = PROMOTIONS[folder].settings.build.setup
    for one, _ in projects(templates[f"{folder}/pipeline"]):
        assert commands(templates[f"{folder}/pipeline"], one.stage, one.name)[0][-1] == setup


def test_the_commit_is_tested_before_it_is_synthesized(folder: str, templates: Templates) -> None:
    test = PROMOTIONS[folder].settings.build.test
    template = templates[f"{folder}/pipeline"]
    assert commands(template, "Build", "Synth")[1] == [test, ".venv/bin/cdk synth --quiet"]
    assert buildspec(template, "Build", "Synth")["artifacts"] == {"base-directory": "cdk.out", "files": ["**/*"]}


def test_the_update_checks_first_and_deploys_the_pipeline_of_the_assembly_with_the_locked_cli(
    templates: Templates,
) -> None:
    linked, build = commands(templates["typical/pipeline"], "UpdatePipeline", "SelfMutate")
    assert linked[0].endswith('ln -s -- "$CODEBUILD_SRC_DIR_Synth_Output" "cdk.out"')
    assert build == [
        ".venv/bin/mistral7b pipeline check",
        ".venv/bin/cdk --app cdk.out deploy pipeline --require-approval never; status=$?; "
        ".venv/bin/mistral7b protect pipeline && (exit $status)",
    ]


@pytest.mark.parametrize(("deployed", "protected"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_the_pipeline_is_protected_after_its_deployment_and_either_failure_fails_the_action(
    deployed: int, protected: int, templates: Templates, tmp_path: Path
) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name, status in (("cdk", deployed), ("mistral7b", protected)):
        (tmp_path / ".venv" / "bin" / name).write_text(f"#!/bin/sh\necho {name}\nexit {status}\n")
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    command = commands(templates["typical/pipeline"], "UpdatePipeline", "SelfMutate")[1][1]
    ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode != 0) == ("cdk\nmistral7b\n", bool(deployed or protected))


def test_a_review_looks_at_its_environment_and_knows_its_execution(templates: Templates) -> None:
    template = templates["typical/pipeline"]
    assert commands(template, "staging", "Review")[1] == [
        ".venv/bin/mistral7b pipeline review staging --assembly cdk.out --approve"
    ]
    [variable] = json.loads(action(template, "staging", "Review").configuration["EnvironmentVariables"])
    assert (variable["name"], variable["value"]) == ("PIPELINE_EXECUTION_ID", "#{codepipeline.PipelineExecutionId}")


def test_the_smoke_test_and_each_gate_run_their_one_command(templates: Templates) -> None:
    template = templates["variants/pipeline"]
    last = [commands(template, "planned", name)[1][-1] for name in ("Smoke", "Gate1", "Gate2")]
    assert last == [
        ".venv/bin/mistral7b smoke planned",
        "mistral7b examples planned",
        "python -m benchmarks.load 'two words'",
    ]


def test_the_smoke_test_waits_for_quiet_alarms_with_the_time_that_takes(templates: Templates) -> None:
    template = templates["variants/pipeline"]
    assert commands(template, "everything", "Smoke")[1][-1] == ".venv/bin/mistral7b smoke everything --quiet 15"
    minutes = [
        one["Properties"]["TimeoutInMinutes"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::CodeBuild::Project" and one["Properties"]["Name"].endswith("-Smoke")
    ]
    assert sorted(minutes) == [30, 30, 60]


def shell(template: Any, last: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Runs the build commands of a gate with `last` in place of the gate's own, as CodeBuild does, up to a failure."""
    build = commands(template, "staging", "Gate1")[1]
    bin_folder = folder / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    tool = bin_folder / "a-tool"
    tool.write_text("#!/bin/sh\necho of the virtual environment\n")
    tool.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    script = "\n".join([*build[:-1], last])
    return subprocess.run(
        ["bash", "-ec", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    return folder


def test_a_gate_acts_as_the_environments_gate_role(
    templates: Templates, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shell(templates["typical/pipeline"], 'echo "$AWS_PROFILE"; echo "$AWS_CONFIG_FILE"', workplace)
    profile, file = run.stdout.splitlines()
    monkeypatch.setenv("AWS_CONFIG_FILE", file)
    assert Session(profile=profile).get_scoped_config() == {
        "role_arn": "arn:aws:iam::222222222222:role/mistral-7b-staging-gate",
        "credential_source": "EcsContainer",
        "region": "us-east-1",
    }


def test_a_gate_finds_the_virtual_environments_commands(templates: Templates, workplace: Path) -> None:
    run = shell(templates["typical/pipeline"], "a-tool", workplace)
    assert (run.returncode, run.stdout) == (0, "of the virtual environment\n")


def test_a_gate_that_fails_fails_its_action(templates: Templates, workplace: Path) -> None:
    assert shell(templates["typical/pipeline"], "exit 3", workplace).returncode == 3


def test_a_gate_does_not_run_if_its_profile_cannot_be_written(templates: Templates, workplace: Path) -> None:
    """Every command is one of its own: CodeBuild sees whether it failed.

    CodeBuild sees whether a command has failed: each is one of its own. Source: CodeBuild user guide, build
    specification.
    """
    build = commands(templates["typical/pipeline"], "staging", "Gate1")[1]
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(workplace / "absent")}
    run = subprocess.run(["bash", "-ec", build[0]], env=environment, capture_output=True, check=False)
    assert run.returncode != 0
    assert [line for line in build if "export" in line and "$(" in line] == []


def test_the_set_up_runs_without_the_gate_role(folder: str, templates: Templates) -> None:
    for one, _ in projects(templates[f"{folder}/pipeline"]):
        installed, _ = commands(templates[f"{folder}/pipeline"], one.stage, one.name)
        assert "AWS_" not in " ".join(installed)


def test_images_are_amazons_with_a_python_that_this_project_takes(folder: str, templates: Templates) -> None:
    for one, properties in projects(templates[f"{folder}/pipeline"]):
        environment = properties["Environment"]
        assert environment["Image"] == "aws/codebuild/amazonlinux-x86_64-standard:5.0"
        assert environment["Type"] == "LINUX_CONTAINER"
        spec = buildspec(templates[f"{folder}/pipeline"], one.stage, one.name)
        assert spec["phases"]["install"]["runtime-versions"] == {"python": "3.11"}
        assert spec["env"]["shell"] == "bash"


def test_every_build_installs_only_what_its_commands_need(folder: str, templates: Templates) -> None:
    needed = {"Synth": "test", "SelfMutate": "pipeline"}
    for one, _ in projects(templates[f"{folder}/pipeline"]):
        installed = buildspec(templates[f"{folder}/pipeline"], one.stage, one.name)["env"]["variables"]
        assert installed == {"INSTALL": needed.get(one.name, "client")}


def test_no_build_is_privileged(folder: str, templates: Templates) -> None:
    assert {p["Environment"]["PrivilegedMode"] for _, p in projects(templates[f"{folder}/pipeline"])} == {False}


def test_every_build_has_a_time_out(templates: Templates) -> None:
    found = {one.name: p["TimeoutInMinutes"] for one, p in projects(templates["typical/pipeline"])}
    assert found == {"Synth": 60, "SelfMutate": 30, "Review": 20, "Protect": 20, "Smoke": 30, "Gate1": 60}


def test_only_downloads_are_cached(folder: str, templates: Templates) -> None:
    for one, properties in projects(templates[f"{folder}/pipeline"]):
        assert properties["Cache"] == {"Type": "LOCAL", "Modes": ["LOCAL_CUSTOM_CACHE"]}
        cached = buildspec(templates[f"{folder}/pipeline"], one.stage, one.name)["cache"]["paths"]
        assert cached == ["/root/.cache/uv/**/*", "/root/.npm/**/*"]


def test_builds_log_to_one_encrypted_group_for_a_year_each_action_in_streams_of_its_own(
    folder: str, templates: Templates
) -> None:
    template = templates[f"{folder}/pipeline"]
    [group] = of_type(template, "AWS::Logs::LogGroup")
    assert group["Properties"]["LogGroupName"] == "/mistral7b/pipeline"
    assert group["Properties"]["RetentionInDays"] == 365
    assert group["Properties"]["KmsKeyId"]["Fn::GetAtt"][0].startswith("Key")
    streams = []
    for one, properties in projects(template):
        logs = properties["LogsConfig"]["CloudWatchLogs"]
        assert template["Resources"][logs["GroupName"]["Ref"]] == group
        assert logs["StreamName"] == properties["Name"] == f"mistral-7b-pipeline-{one.stage}-{one.name}"
        streams.append(logs["StreamName"])
    assert len(set(streams)) == len(streams)


def test_no_environment_variable_holds_a_secret(folder: str, templates: Templates) -> None:
    for one, properties in projects(templates[f"{folder}/pipeline"]):
        assert "EnvironmentVariables" not in properties["Environment"], one
        names = [v["name"] for v in json.loads(one.configuration.get("EnvironmentVariables", "[]"))]
        assert names == (["PIPELINE_EXECUTION_ID"] if one.name == "Review" else [])


def test_artifacts_are_encrypted_with_the_pipelines_key(folder: str, templates: Templates) -> None:
    template = templates[f"{folder}/pipeline"]
    for one, properties in projects(template):
        assert properties["EncryptionKey"]["Fn::GetAtt"][0].startswith("ArtifactsKey"), one
        assert project(template, one.stage, one.name)["Artifacts"] == {"Type": "CODEPIPELINE"}
