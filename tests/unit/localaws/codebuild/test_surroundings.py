"""What a build finds around it: folders, sources, variables, what an earlier build has left; and what it leaves."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from localaws.codebuild import environment
from tests.unit.localaws.codebuild.conftest import REGION, Builder, commands

CACHE = {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]}


def test_the_primary_source_is_where_commands_start(builder: Builder) -> None:
    printed = builder.printed(
        "./run.sh", '[ "$PWD" = "$CODEBUILD_SRC_DIR" ]', files={"run.sh": "#!/bin/sh\necho ran\n"}
    )
    assert printed == ["ran"]


def test_other_sources_have_folders_of_their_own(builder: Builder) -> None:
    sources = {"Source": builder.archive({"a": "1"}), "Synth_Output": builder.archive({"b": "2\n"})}
    assert builder.printed('ls . "$CODEBUILD_SRC_DIR_Synth_Output"', sources=sources)[1:2] == ["a"]
    linked = 'ln -s -- "$CODEBUILD_SRC_DIR_Synth_Output" cdk.out && cat cdk.out/b'  # as CDK Pipelines does it
    assert builder.printed(linked, sources=sources) == ["2"]


def test_a_source_that_is_no_archive_fails_the_build(builder: Builder) -> None:
    archive = builder.folder / "broken.zip"
    archive.write_text("no archive")
    result = builder.build(commands(build=["true"]), sources={"Source": archive})
    assert result.reason.startswith("CLIENT_ERROR: broken.zip cannot be unpacked")


def test_a_build_finds_nothing_of_an_earlier_one(builder: Builder) -> None:
    builder.printed("mkdir -p a/b; touch a/b/c .d; ln -s a e; touch ~/left")
    assert builder.printed("ls -A . ~", files={"file": ""})[1] == "file"
    assert "left" not in builder.printed("ls -A ~")


def test_what_the_project_caches_stays(builder: Builder) -> None:
    spec = {
        **commands(build=["ls -A .venv/bin *.log || true; mkdir -p .venv/bin a; touch .venv/bin/python a/b one.log"]),
        "cache": {"paths": [".venv/**/*", "*.log"]},
    }
    project = builder.project(spec, cache=CACHE)
    builder.run(project)
    second = builder.run(project)
    assert [line for line in builder.log(second) if line.strip()] == ["one.log", ".venv/bin:", "python"]
    assert builder.printed("ls -A") == ["file.txt"]  # another project, without a cache


def test_a_cache_counts_only_where_the_project_has_one(builder: Builder) -> None:
    spec = {**commands(build=["ls -A; touch kept"]), "cache": {"paths": ["kept"]}}
    project = builder.project(spec)
    builder.run(project)
    assert builder.log(builder.run(project)) == ["file.txt"]


def test_python_is_that_of_the_server_and_not_its_virtual_environment(builder: Builder) -> None:
    version, prefix = builder.printed("python3 -c 'import sys; print(sys.version.split()[0]); print(sys.prefix)'")
    assert version == sys.version.split(maxsplit=1)[0]
    assert prefix == sys.base_prefix


def test_a_virtual_environment_made_in_a_build_works(builder: Builder) -> None:
    made = "python3 -m venv --without-pip .venv && .venv/bin/python -c 'import sys; print(sys.prefix)'"
    assert (
        builder.printed(made, 'echo "$CODEBUILD_SRC_DIR/.venv"')
        == [f"{builder.folder}/builds/{builder.id}/src/.venv"] * 2
    )


def test_nothing_of_the_users_own_settings_reaches_a_build(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SESSION_TOKEN", "AWS_USE_FIPS_ENDPOINT", "VIRTUAL_ENV", "PYTHONPATH", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "users")
    assert not [line for line in builder.printed("env") if line.endswith("=users")]


def test_variables_of_the_build(builder: Builder) -> None:
    result = builder.build(
        commands(build=["echo $CODEBUILD_BUILD_ID $AWS_REGION $AWS_DEFAULT_REGION $CODEBUILD_INITIATOR $CODEBUILD_CI"])
    )
    assert builder.log(result) == [f"{result.build_id} {REGION} {REGION} codepipeline/test true"]


def test_the_actions_variables_go_before_the_projects_and_these_before_the_buildspecs(builder: Builder) -> None:
    variables = [{"name": name, "value": "project"} for name in ("A", "B")]
    environment_ = {
        "type": "LINUX_CONTAINER",
        "image": "image",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": variables,
    }
    spec = {**commands(build=["echo $A $B $C"]), "env": {"variables": dict.fromkeys("ABC", "buildspec")}}
    project = builder.project(spec, environment=environment_)
    assert builder.log(builder.run(project, environment={"A": "action"})) == ["action project buildspec"]


def test_nobody_can_set_codebuilds_own_variables(builder: Builder) -> None:
    result = builder.build(commands(build=["echo $CODEBUILD_BUILD_ID"]), environment={"CODEBUILD_BUILD_ID": "mine"})
    assert builder.log(result) == [result.build_id]


def test_exported_variables_have_their_values_at_the_end(builder: Builder) -> None:
    spec = {
        **commands(build=["export A='1  2'", "B=local; D="], post_build=["A=$A.3"]),
        "env": {"exported-variables": ["A", "B", "C", "D"], "variables": {"A": "0"}},
    }
    result = builder.build(spec)
    assert result.exported == {"A": "1  2.3", "B": "local", "D": ""}
    (build,) = builder.client("codebuild").batch_get_builds(ids=[result.build_id])["builds"]
    assert {"name": "B", "value": "local"} in build["exportedEnvironmentVariables"]


def test_the_primary_artifact_is_what_its_patterns_find_below_its_folder(builder: Builder) -> None:
    files = {"out/a.json": "1", "out/b/c.json": "2", "out/d.txt": "3", "e.json": "4"}
    spec = {**commands(build=["true"]), "artifacts": {"base-directory": "out", "files": ["**/*.json"]}}
    result = builder.build(spec, files)
    assert zipfile.ZipFile(result.outputs[""]).namelist() == ["a.json", "b/c.json"]
    result.discard()
    assert not result.outputs[""].exists()


def test_secondary_artifacts_have_their_own_names(builder: Builder) -> None:
    secondary = {"One": {"files": "a"}, "Two": {"files": ["b"]}}
    result = builder.build(
        {**commands(build=["touch a b"]), "artifacts": {"secondary-artifacts": secondary, "files": ["**/*"]}}
    )
    assert {name: zipfile.ZipFile(path).namelist() for name, path in result.outputs.items()} == {
        "": ["a", "b", "file.txt"],
        "One": ["a"],
        "Two": ["b"],
    }


@pytest.mark.parametrize(
    ("artifacts", "reason"),
    [
        ({"files": ["absent/**/*"]}, "CLIENT_ERROR: no matching artifact paths found for absent/**/*"),
        (
            {"files": ["a"], "base-directory": "cdk.out"},
            "CLIENT_ERROR: no matching base directory path found for cdk.out",
        ),
    ],
)
def test_an_artifact_without_files_fails_the_build(builder: Builder, artifacts: object, reason: str) -> None:
    result = builder.build({**commands(build=["true"]), "artifacts": artifacts})
    assert (result.status, result.reason) == ("FAILED", reason)
    assert list(builder.folder.rglob("outputs/*")) == []


def test_a_build_that_failed_leaves_no_artifacts(builder: Builder) -> None:
    result = builder.build({**commands(build=["false"]), "artifacts": {"files": ["**/*"]}})
    assert result.outputs == {}
    assert list(builder.folder.rglob("primary.zip")) == []


def test_package_managers_reach_what_the_user_reaches(tmp_path: Path) -> None:
    own = {"HTTPS_PROXY": "http://proxy:1", "PIP_INDEX_URL": "https://mirror", "npm_config_registry": "https://npm"}
    passed = environment.inherited({**own, "AWS_PROFILE": "mine", "PIP_REQUIRE_VIRTUALENV": "1"}, tmp_path)
    assert passed.items() >= own.items()
    assert not {"AWS_PROFILE", "PIP_REQUIRE_VIRTUALENV"} & set(passed)
    assert passed["NO_PROXY"] == "localhost,127.0.0.1,::1"


def test_the_users_own_package_configuration_and_caches_are_found(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").touch()
    (tmp_path / ".cache/pip").mkdir(parents=True)
    passed = environment.inherited({}, tmp_path)
    assert passed == {
        "NPM_CONFIG_USERCONFIG": str(tmp_path / ".npmrc"),
        "PIP_CACHE_DIR": str(tmp_path / ".cache/pip"),
    }
    assert environment.inherited({"PIP_CACHE_DIR": "/else"}, tmp_path)["PIP_CACHE_DIR"] == "/else"


def test_the_servers_virtual_environment_is_taken_out_of_the_search_path() -> None:
    own = {"PATH": "/v/bin:/usr/bin::relative:/v/lib/node/bin:/very/bin"}
    assert environment.search_path(own, Path("/v"), Path("/first")) == "/first:/usr/bin:/very/bin"
