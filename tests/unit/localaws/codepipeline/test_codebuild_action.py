"""CodeBuild actions, around a stand-in for the build itself."""

from __future__ import annotations

import json

import pytest

from localaws.codebuild import runner
from tests.unit.localaws.codepipeline.structures import build, stage
from tests.unit.localaws.codepipeline.world import BUILD_FAILED, Builder, World


def test_a_build_has_its_sources_variables_and_initiator(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder({"": "assembly"})
    monkeypatch.setattr(runner, "run", builder)
    variables = [
        {"name": "COMMIT", "value": "#{Repo.CommitId}"},
        {"name": "EXECUTION", "value": "#{codepipeline.PipelineExecutionId}"},
    ]
    configuration = {
        "ProjectName": "project",
        "PrimarySource": "Code",
        "EnvironmentVariables": json.dumps(variables),
    }
    assert (
        ready.begin(
            stage("Build", build(outputs="Made")),
            stage("Test", build("Test", inputs="Code Made", configuration=configuration)),
        )
        == "Succeeded"
    )
    asked = builder.asked[1]
    assert (asked["project"], asked["primary"], asked["initiator"]) == ("project", "Code", "codepipeline/pipeline")
    execution = ready.executions()[0]
    assert asked["environment"] == {
        "COMMIT": execution["sourceRevisions"][0]["revisionId"],
        "EXECUTION": execution["pipelineExecutionId"],
    }
    assert builder.sources == {"Code": ["template.json"], "Made": ["made"]}
    assert ready.files("Made") == {"made": "assembly"}


def test_several_outputs_are_the_secondary_artifacts_of_their_names(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "run", Builder({"A": "one", "B": "two", "": "none of both"}))
    assert ready.begin(stage("Build", build(outputs="A B"))) == "Succeeded"
    assert (ready.files("A"), ready.files("B")) == ({"made": "one"}, {"made": "two"})


def test_exported_variables_are_for_later_actions(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder(exported={"VERSION": "7"})
    monkeypatch.setattr(runner, "run", builder)
    variables = json.dumps([{"name": "V", "value": "v#{Made.VERSION}"}])
    configuration = {"ProjectName": "project", "EnvironmentVariables": variables}
    stages = [stage("Build", build(namespace="Made")), stage("Test", build("Test", configuration=configuration))]
    assert ready.begin(*stages) == "Succeeded"
    assert builder.asked[1]["environment"] == {"V": "v7"}


def test_a_variable_that_no_build_has_exported_fails_the_action(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder())
    configuration = {"ProjectName": "#{Made.PROJECT}"}
    stages = [stage("Build", build(namespace="Made")), stage("Test", build("Test", configuration=configuration))]
    assert ready.begin(*stages) == "Failed"
    assert ready.error("Test")["message"].endswith("does not exist: #{Made.PROJECT}")


def test_a_failed_build_says_its_phase_and_reason(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder(status="FAILED"))
    assert ready.begin(stage("Build", build())) == "Failed"
    assert ready.error("Build") == {
        "code": "JobFailed",
        "message": f"Build terminated with state: FAILED. Phase: BUILD, {BUILD_FAILED}",
    }
    assert ready.action("Build", "Build")["latestExecution"]["externalExecutionId"] == "project:1"


def test_a_build_that_does_not_make_its_output_has_failed(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder())
    assert ready.begin(stage("Build", build(outputs="Made"))) == "Failed"
    assert ready.error("Build")["message"] == "The build has made no artifact for the output artifact Made"


def test_a_project_that_does_not_exist_fails_the_action(ready: World) -> None:
    assert ready.begin(stage("Build", build(configuration={"ProjectName": "gone"}))) == "Failed"
    assert "Project cannot be found" in ready.error("Build")["message"]


def test_a_role_that_may_not_start_builds_fails_the_action(ready: World) -> None:
    ready.allow(ready.pipeline_role, "codestar-connections:UseConnection", "s3:*Object", "s3:PutObjectAcl")
    assert ready.begin(stage("Build", build())) == "Failed"
    assert "is not authorized to perform: codebuild:StartBuild" in ready.error("Build")["message"]


def test_a_project_role_that_may_not_read_artifacts_fails_the_action(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "run", Builder())
    ready.allow("project-role", "s3:PutObject")
    assert ready.begin(stage("Build", build())) == "Failed"
    assert "is not authorized to perform: s3:GetObject" in ready.error("Build")["message"]
