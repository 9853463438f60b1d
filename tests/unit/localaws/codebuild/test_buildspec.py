"""What a buildspec may say, and what of it fails the build by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from localaws.codebuild.buildspec import PHASES, Artifact, BuildspecError, PhaseSpec, parse
from tests.unit.localaws.codebuild.conftest import Builder

BUILD: dict[str, Any] = {"version": "0.2", "phases": {"build": {"commands": ["make"]}}}


def test_a_whole_buildspec() -> None:
    spec = parse(
        """
        version: 0.2
        env:
          shell: bash
          variables: {NUMBER: 1, YES: yes}
          exported-variables: [OUT]
        phases:
          install:
            runtime-versions: {python: 3.11}
          build:
            commands: [make, "echo: colon"]
            finally: [clean]
        artifacts:
          base-directory: cdk.out
          files: "**/*"
          secondary-artifacts:
            logs: {files: ["*.log"]}
        cache:
          paths: [".venv/**/*"]
        """
    )
    assert spec.shell == "/bin/bash"
    assert spec.variables == {"NUMBER": "1", "YES": "yes"}
    assert spec.exported == ("OUT",)
    assert spec.phases["install"] == PhaseSpec(runtimes={"python": "3.11"})
    assert spec.phases["build"] == PhaseSpec(("make", "echo: colon"), ("clean",))
    assert spec.artifact == Artifact(("**/*",), "cdk.out")
    assert spec.secondary == {"logs": Artifact(("*.log",))}
    assert spec.cache == (".venv/**/*",)


def test_secondary_artifacts_alone_leave_no_primary_one() -> None:
    artifacts = {"secondary-artifacts": {"logs": {"files": ["a"]}}}
    assert parse(json.dumps({**BUILD, "artifacts": artifacts})).artifact is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"version": "0.1"}, "version is 0.1, and only 0.2"),
        ({"version": None}, "version is null"),
        ({"phases": []}, "phases has to be a mapping"),
        ({"phases": {"biuld": {"commands": ["make"]}}}, "phases/biuld is not emulated; install, pre_build, build"),
        ({"phases": {"build": {"commands": []}}}, "phases/build/commands is missing"),
        ({"phases": {"build": {"commands": [{"a": "b"}]}}}, "phases/build/commands has to be a list of texts"),
        ({"phases": {"build": {"commands": [""]}}}, "phases/build/commands has to be a list of texts"),
        ({"phases": {"build": {"commands": ["a"], "on-failure": "CONTINUE"}}}, "phases/build/on-failure is not"),
        ({"phases": {"build": {"commands": ["a"], "runtime-versions": {}}}}, "phases/build/runtime-versions is not"),
        (
            {"phases": {"install": {"runtime-versions": "python"}}},
            "phases/install/runtime-versions has to be a mapping",
        ),
        ({"run-as": "me"}, "buildspec/run-as is not emulated"),
        ({"batch": {}}, "buildspec/batch is not emulated"),
        ({"env": {"parameter-store": {}}}, "env/parameter-store is not emulated"),
        ({"env": {"variables": {"A B": "c"}}}, "env/variables: 'A B' is no name"),
        ({"env": {"variables": {"A": ["c"]}}}, "env/variables has to be a mapping"),
        ({"env": {"shell": "powershell.exe"}}, "env/shell powershell.exe is not emulated"),
        ({"env": {"exported-variables": ["$(rm)"]}}, "env/exported-variables: .* is no name"),
        ({"artifacts": {}}, "artifacts/files is missing"),
        ({"artifacts": {"files": ["a"], "discard-paths": "yes"}}, "artifacts/discard-paths is not emulated"),
        ({"artifacts": {"files": ["../a"]}}, "artifacts/files: ../a leads out"),
        ({"artifacts": {"secondary-artifacts": {"../a": {"files": ["a"]}}}}, "is no identifier of an artifact"),
        ({"artifacts": {"secondary-artifacts": {"a": {"name": "b"}}}}, "artifacts/files is missing"),
        ({"cache": {"paths": ["../.cache/**/*"]}}, "cache/paths: ../.cache.* leads out"),
        ({"cache": {"key": "a"}}, "cache/key is not emulated"),
    ],
)
def test_what_is_not_known_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(BuildspecError, match=named):
        parse(json.dumps({**BUILD, **changes}).replace('"version": null', '"version": "null"'))


def test_a_cache_of_the_image_is_taken_and_is_none_of_the_sources() -> None:
    assert parse(json.dumps({**BUILD, "cache": {"paths": ["/root/.npm/**/*", "a/*"]}})).cache == ("a/*",)


@pytest.mark.parametrize(
    "text", ["", "a: [", "- a", "text", "a: *b", "version: 0.2", "\x00", pytest.param("[" * 5000, id="deep")]
)
def test_what_is_no_buildspec_is_refused(text: str) -> None:
    with pytest.raises(BuildspecError):
        parse(text)


KEYS = ("version", "phases", "env", "artifacts", "cache", "files", "paths", "commands", "finally", "variables", *PHASES)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS), anything))
def test_a_buildspec_is_read_or_refused_whatever_it_holds(spec: dict[str, Any]) -> None:
    text = yaml.safe_dump({"version": "0.2", "phases": {"build": {"commands": ["a"]}}, **spec})
    try:
        read = parse(text)
    except BuildspecError:
        return
    assert all(isinstance(command, str) for phase in read.phases.values() for command in phase.commands)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_json_that_the_cdk_writes_reads_as_it_was_written(commands: list[str]) -> None:
    spec = {"version": "0.2", "phases": {"build": {"commands": commands}}}
    assert parse(json.dumps(spec, indent=2)).phases["build"].commands == tuple(commands)


@pytest.mark.parametrize("given_name", ["", "ci/build.yml"])
def test_a_buildspec_may_be_a_file_of_the_source(builder: Builder, given_name: str) -> None:
    text = "version: 0.2\nphases: {build: {commands: [echo from the source]}}\n"
    result = builder.run(builder.project(given_name), {given_name or "buildspec.yml": text})
    assert builder.log(result) == ["from the source"]


def test_a_file_that_the_source_does_not_have_is_named(builder: Builder) -> None:
    result = builder.run(builder.project("ci/build.yml"))
    assert (result.status, result.reason) == ("FAILED", "YAML_FILE_ERROR: ci/build.yml does not exist")


def test_a_wrong_buildspec_fails_the_build_before_any_command(builder: Builder) -> None:
    result = builder.build({**BUILD, "reports": {}})
    assert result.reason.startswith("YAML_FILE_ERROR: buildspec/reports is not emulated")
    assert [phase.name for phase in result.phases][3:] == ["DOWNLOAD_SOURCE", "FINALIZING", "COMPLETED"]
