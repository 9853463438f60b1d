"""The deployed pipeline's definition is walked: sources, approvals, deployments, each under its own role."""

import json
import shlex
import sys
import uuid
from typing import Any

import pytest

from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_cli.rehearsal import walk
from mistral7b_cli.rehearsal.cloud import BackstageError
from mistral7b_cli.rehearsal.execution import Action, Execution, Stage
from tests.unit.rehearsal.conftest import git
from tests.unit.rehearsal.world import BUILD_MAY, PIPELINE_MAY, World, action, commands, got
from tests.unit.sagehost.pipelines.structures import action as declared
from tests.unit.sagehost.pipelines.structures import approval, build, stage

BUILD = stage("Build", build())
TOPIC = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}}}}


def without(*actions: str) -> list[str]:
    """What the pipeline's role may do in these tests but for this."""
    return [one for one in PIPELINE_MAY if one not in actions]


def deployment(mode: str, **configuration: Any) -> dict[str, Any]:
    """An action on the stack `news`."""
    named = {"ActionMode": mode, "StackName": "news", "ChangeSetName": "changes", **configuration}
    return declared(mode, "Deploy", "CloudFormation", InputArtifacts=[{"Name": "Code"}], Configuration=named)


def deploys() -> dict[str, Any]:
    """A stage that deploys the repository's template."""
    prepare = deployment("CHANGE_SET_REPLACE", TemplatePath="Code::template.json", RoleArn=got("ExecutionRole"))
    return stage("Deploy", prepare, {**deployment("CHANGE_SET_EXECUTE"), "RunOrder": 2})


def rejected(execution: Execution, stage: Stage, action: Action) -> tuple[bool, str]:
    """No."""
    return False, "not today"


def never(execution: Execution, stage: Stage, action: Action) -> tuple[bool, str]:
    """Nobody is to be asked."""
    pytest.fail(f"{action.title} is asked for")


def test_the_commit_of_the_branch_goes_through_every_stage(world: World) -> None:
    world.deploy(BUILD)
    commit = world.commit({"file": "2"})
    (world.clone / "uncommitted").write_text("no part of it")
    execution = world.walk()
    assert (execution.status, execution.commit) == ("Succeeded", commit)
    assert {one.status for one in execution.actions} == {"Succeeded"}


def test_a_pending_connection_fails_the_source(world: World) -> None:
    world.connected = False
    world.deploy(BUILD)
    execution = world.walk()
    assert action(execution, "Source/Source").reason.endswith("is not available: its status is PENDING")
    assert (execution.status, action(execution, "Build/Build").status) == ("Failed", "NotStarted")


def test_missing_branch_fails_the_source(world: World) -> None:
    world.deploy(BUILD)
    git(world.clone, "branch", "--move", "main", "trunk")
    assert action(world.walk(), "Source/Source").reason == "The repository has no branch main"


@pytest.mark.parametrize(
    ("may", "reason"),
    [
        (without("codeconnections:*"), "Unable to use Connection: "),
        (without("s3:*"), "is not authorized to perform: s3:PutObject"),
        ([*without("s3:*"), "s3:*Object"], "Upload to S3 failed with the following error: Access Denied"),
    ],
    ids=["connection", "upload", "acl"],
)
def test_missing_permission_fails_the_source(world: World, may: list[str], reason: str) -> None:
    world.pipeline_may = may
    world.deploy(BUILD)
    assert reason in action(world.walk(), "Source/Source").reason


def test_an_actions_role_has_to_trust_the_pipelines(world: World) -> None:
    world.deploy(stage("Build", build(RoleArn=got("ExecutionRole"))))
    assert "is not authorized to perform: sts:AssumeRole" in action(world.walk(), "Build/Build").reason


def test_an_approval_is_asked_for_when_nothing_else_runs_beside_it(world: World) -> None:
    seen: list[str] = []

    def decide(execution: Execution, stage: Stage, asked: Action) -> tuple[bool, str]:
        seen.extend(f"{one.name} {one.status}" for one in stage.actions)
        return True, "fine"

    world.deploy(stage("Gate", approval(), build()), buildspec=commands("sleep 0.5"))
    execution = world.walk(decide)
    assert seen == ["Approve InProgress", "Build Succeeded"]
    assert (action(execution, "Gate/Approve").status, action(execution, "Gate/Approve").reason) == ("Succeeded", "fine")


def test_a_rejected_approval_ends_the_promotion(world: World) -> None:
    world.deploy(stage("Gate", approval()), stage("After", build()))
    execution = world.walk(rejected)
    assert execution.failed is not None
    assert (execution.status, execution.failed.title, execution.failed.reason) == (
        "Failed",
        "Gate / Approve",
        "not today",
    )
    assert action(execution, "After/Build").status == "NotStarted"


def test_an_approval_beside_an_action_that_fails_is_not_asked_for(world: World) -> None:
    world.deploy(stage("Gate", approval(), build()), buildspec=commands("false"))
    execution = world.walk(never)
    assert (action(execution, "Gate/Approve").status, action(execution, "Gate/Approve").reason) == (
        "Abandoned",
        "Build failed",
    )


def test_unexpected_error_ends_the_rehearsal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise BackstageError("the embedded AWS does not answer")

    monkeypatch.setitem(walk._RUNNERS, "CodeBuild", broken)
    world.deploy(stage("Gate", approval(), build()))
    with pytest.raises(BackstageError):
        world.walk(never)


# What `mistral7b pipeline review --approve` does in its build.
ANSWER = """
import os
from mistral7b.promotion.approval import approve
import boto3
print(approve(boto3.client("codepipeline"), "Gate", os.environ["EXECUTION"], "nothing broadens"))
"""


def reviewing(world: World, *may: str) -> Execution:
    """A build answers the approval beside it."""
    world.commit({"answer.py": ANSWER})
    world.build_may = [*BUILD_MAY, *may]
    variables = json.dumps([{"name": "EXECUTION", "value": "#{codepipeline.PipelineExecutionId}"}])
    review = build("Review", Configuration={"ProjectName": "project", "EnvironmentVariables": variables})
    world.deploy(
        stage("Gate", approval("SecurityChanges"), review),
        buildspec=commands(f"{shlex.quote(sys.executable)} answer.py"),
    )
    return world.walk(rejected)


def test_a_review_answers_the_approval_beside_it(world: World) -> None:
    execution = reviewing(world, "codepipeline:GetPipelineState", "codepipeline:PutApprovalResult")
    assert action(execution, "Gate/SecurityChanges").reason == "nothing broadens"
    assert execution.status == "Succeeded"


def test_a_review_whose_role_may_not_answers_nothing(world: World) -> None:
    execution = reviewing(world, "codepipeline:GetPipelineState")
    assert any("not authorized to perform: codepipeline:PutApprovalResult" in line for line in said(execution))


def said(execution: Execution) -> list[str]:
    """What the review printed."""
    return action(execution, "Gate/Review").output()


def test_a_stack_is_deployed_by_its_change_set_and_an_unchanged_one_is_no_failure(world: World) -> None:
    world.commit({"template.json": json.dumps(TOPIC)})
    world.deploy(deploys())
    first = world.walk()
    assert (first.status, first.deployed) == ("Succeeded", {"Deploy": first.commit})
    assert len(world.client("sns").list_topics()["Topics"]) == 1
    second = world.walk()
    assert (second.status, second.deployed) == ("Succeeded", {"Deploy": second.commit})


def test_a_stack_that_fails_names_its_first_resource_that_did(world: World) -> None:
    lost = {"Type": "AWS::SNS::Subscription", "Properties": {"TopicArn": "arn:aws:sns:us-east-1:1:no", "Protocol": "x"}}
    world.commit({"template.json": json.dumps({"Resources": {"Lost": lost}})})
    world.deploy(deploys())
    failed = world.walk().failed
    assert failed is not None
    assert failed.title == "Deploy / CHANGE_SET_EXECUTE"
    assert "Stack news is ROLLBACK_COMPLETE" in failed.reason
    assert failed.tail()[0].startswith("Lost CREATE_FAILED: ")
    assert "The first resource that failed: Lost CREATE_FAILED: " in failed.reason


def test_a_template_that_is_not_in_the_artifact_fails(world: World) -> None:
    world.deploy(deploys())
    reason = action(world.walk(), "Deploy/CHANGE_SET_REPLACE").reason
    assert reason == "File [template.json] does not exist in artifact [Code]"


@pytest.mark.parametrize("missing", ["cloudformation:*", "iam:PassRole"])
def test_a_role_that_may_not_deploy_fails(world: World, missing: str) -> None:
    world.pipeline_may = without(missing)
    world.commit({"template.json": json.dumps(TOPIC)})
    world.deploy(deploys())
    reason = action(world.walk(), "Deploy/CHANGE_SET_REPLACE").reason
    assert f"is not authorized to perform: {missing.replace('*', 'CreateChangeSet')}" in reason


def test_a_pipeline_that_has_updated_itself_starts_again(world: World) -> None:
    asked: list[str] = []

    def decide(execution: Execution, stage: Stage, asked_for: Action) -> tuple[bool, str]:
        asked.append(execution.id)
        if len(asked) == 1:
            world.deploy(stage_of("Gate"), stage_of("Second"))
        return True, "fine"

    def stage_of(name: str) -> dict[str, Any]:
        return stage(name, approval())

    world.deploy(stage_of("Gate"))
    execution = world.walk(decide)
    assert [one.name for one in execution.stages] == ["Source", "Gate", "Second"]
    assert len(set(asked)) == 2
    assert execution.status == "Succeeded"


def test_a_stage_shows_the_execution_that_is_in_it(world: World) -> None:
    shown = []

    def decide(execution: Execution, stage: Stage, asked: Action) -> tuple[bool, str]:
        state = world.client("codepipeline").get_pipeline_state(name=PIPELINE_NAME)["stageStates"][1]
        shown.append(state["latestExecution"]["pipelineExecutionId"] == execution.id)
        return True, "fine"

    world.deploy(stage("Gate", approval("First"), approval("Second", RunOrder=2)))
    for _ in range(2):
        world.walk(decide)
    assert shown == [True] * 4


def test_an_approvals_token_is_good_once(world: World) -> None:
    tokens = []

    def decide(execution: Execution, stage: Stage, asked: Action) -> tuple[bool, str]:
        states = world.client("codepipeline").get_pipeline_state(name=PIPELINE_NAME)["stageStates"]
        tokens.append(states[1]["actionStates"][0]["latestExecution"]["token"])
        return True, "fine"

    world.deploy(stage("Gate", approval()))
    world.walk(decide)
    client = world.client("codepipeline")
    named = {"pipelineName": PIPELINE_NAME, "stageName": "Gate", "actionName": "Approve"}
    for token, error in ((tokens[0], "ApprovalAlreadyCompleted"), (str(uuid.uuid4()), "InvalidApprovalToken")):
        with pytest.raises(client.exceptions.ClientError, match=error):
            client.put_approval_result(**named, token=token, result={"summary": "", "status": "Rejected"})
