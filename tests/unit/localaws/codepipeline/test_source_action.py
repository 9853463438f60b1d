"""CodeStarSourceConnection: commits of real repositories."""

from __future__ import annotations

import json

import pytest

from localaws.codebuild import runner
from tests.unit.localaws.codepipeline.structures import build, stage
from tests.unit.localaws.codepipeline.world import TOPIC, Builder, World

GATE = stage("Gate", build("Never", inputs="Code"))


def test_a_pending_connection_fails_the_source(world: World) -> None:
    world.commit(template=TOPIC)
    assert world.begin(GATE) == "Failed"
    assert world.error("Source")["message"] == (
        f"Connection {world.connection} is not available: its status is PENDING"
    )


def test_the_head_of_the_branch_is_the_artifact_and_its_revision(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder())
    commit = world.commit(template=TOPIC)
    (world.clone / "uncommitted").write_text("no part of it")
    world.handshake()
    world.project()
    assert world.begin(stage("Build", build())) == "Succeeded"
    assert world.files("Code") == {"template.json": json.dumps(TOPIC)}
    variables = world.outcome("Source").variables
    assert variables["CommitId"] == commit
    assert variables["CommitMessage"] == "A commit\n\nWith a reason"
    assert (variables["BranchName"], variables["FullRepositoryName"]) == ("main", "team/model")
    (shown,) = world.executions()
    (revision,) = shown["sourceRevisions"]
    assert (revision["actionName"], revision["revisionId"]) == ("Source", commit)
    assert world.action("Source", "Source")["currentRevision"]["revisionId"] == commit


def test_a_later_execution_takes_the_later_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder())
    world.commit(a=1)
    world.handshake()
    world.project()
    world.begin(stage("Build", build()))
    later = world.commit(a=2)
    assert world.again() == "Succeeded"
    assert world.executions()[0]["sourceRevisions"][0]["revisionId"] == later


def test_a_branch_that_is_not_there_fails_the_source(world: World) -> None:
    world.commit(a=1)
    world.git("branch", "--move", "main", "trunk")
    world.handshake()
    assert world.begin(GATE) == "Failed"
    assert world.error("Source") == {"code": "RevisionUnavailable", "message": "The repository has no branch main"}


def test_a_role_that_may_not_use_the_connection_fails_the_source(world: World) -> None:
    world.commit(a=1)
    world.handshake()
    world.allow(world.pipeline_role, "s3:*")
    assert world.begin(GATE) == "Failed"
    assert world.error("Source")["message"].startswith(f"Unable to use Connection: {world.connection}.")


def test_a_role_that_may_not_write_to_the_store_fails_the_source(world: World) -> None:
    world.commit(a=1)
    world.handshake()
    world.allow(world.pipeline_role, "codestar-connections:UseConnection")
    assert world.begin(GATE) == "Failed"
    assert "is not authorized to perform: s3:PutObject" in world.error("Source")["message"]


def test_a_role_that_may_not_write_with_an_acl_fails_the_source(world: World) -> None:
    world.commit(a=1)
    world.handshake()
    world.allow(world.pipeline_role, "codestar-connections:UseConnection", "s3:*Object")
    assert world.begin(GATE) == "Failed"
    assert "Upload to S3 failed with the following error: Access Denied" in world.error("Source")["message"]


def test_an_action_role_that_does_not_trust_the_pipeline_fails_it(world: World) -> None:
    world.commit(a=1)
    world.handshake()
    stranger = world.role("stranger", Service="lambda.amazonaws.com")
    assert world.begin(GATE, roleArn=stranger) == "Failed"
    assert "is not authorized to perform: sts:AssumeRole" in world.error("Source")["message"]
