"""Executions, as the API shows and steers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.localaws.codepipeline.structures import approval, build, stage

if TYPE_CHECKING:
    from tests.unit.localaws.codepipeline.accounts import Account, Actions

PARALLEL = stage("Test", build("Slow"), build("Quick"), build("Then", runOrder=2))


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_a_new_pipeline_starts_an_execution_that_goes_through_all_stages(account: Account, actions: Actions) -> None:
    execution = account.create()
    assert [actions.succeed().action.name, actions.succeed().action.name] == ["Source", "Build"]
    actions.until("", "", "SUCCEEDED")
    (shown,) = account.executions()
    assert (shown["pipelineExecutionId"], shown["status"]) == (execution, "Succeeded")
    assert shown["trigger"]["triggerType"] == "CreatePipeline"


def test_actions_of_one_run_order_begin_together_and_the_next_after_all_of_them(
    account: Account, actions: Actions
) -> None:
    account.create(PARALLEL)
    actions.succeed()
    slow, quick = sorted((actions.next(), actions.next()), key=lambda run: run.action.name, reverse=True)
    actions.succeed(quick)
    actions.until("Test", "Quick", "SUCCEEDED")
    assert actions.begun.empty()
    actions.succeed(slow)
    assert actions.next().action.name == "Then"


def test_a_failed_action_fails_stage_and_execution_and_nothing_follows(account: Account, actions: Actions) -> None:
    execution = account.create(stage("Test", build("First"), build("Second", runOrder=2)), stage("Last", build("Last")))
    actions.succeed()
    actions.fail()
    actions.until("", "", "FAILED")
    assert account.status(execution) == "Failed"
    assert account.stage("Test")["latestExecution"] == {"pipelineExecutionId": execution, "status": "Failed"}
    assert account.action("Test", "First")["latestExecution"]["errorDetails"] == {
        "code": "JobFailed",
        "message": "it went wrong",
    }
    assert "latestExecution" not in account.action("Test", "Second")
    assert "latestExecution" not in account.stage("Last")


def test_an_action_that_fails_beside_another_leaves_that_one_its_stage_until_it_ends(
    account: Account, actions: Actions
) -> None:
    account.create(PARALLEL)
    actions.succeed()
    slow, quick = sorted((actions.next(), actions.next()), key=lambda run: run.action.name, reverse=True)
    actions.fail(quick)
    actions.until("", "", "FAILED")
    later = account.start()
    actions.succeed()
    actions.until("Source", "", "SUCCEEDED", of=later)
    assert account.stage("Test")["inboundExecution"]["pipelineExecutionId"] == later
    actions.succeed(slow)
    assert actions.next().execution.id == later


def test_a_waiting_execution_is_superseded_by_a_newer_one(account: Account, actions: Actions) -> None:
    first = account.create()
    actions.succeed()
    building = actions.next()
    waiting = account.start()
    actions.succeed()
    actions.until("Source", "", "SUCCEEDED", of=waiting)
    assert account.stage("Build")["inboundExecution"] == {"pipelineExecutionId": waiting, "status": "InProgress"}
    newest = account.start()
    actions.succeed()
    actions.until("", "", "SUPERSEDED")
    actions.succeed(building)
    actions.succeed()
    while account.status(newest) != "Succeeded":
        actions.until("", "", "SUCCEEDED")
    assert [account.status(one) for one in (first, waiting)] == ["Succeeded", "Superseded"]


def test_a_queue_keeps_every_execution_in_its_order(account: Account, actions: Actions) -> None:
    first = account.create(executionMode="QUEUED")
    second, third = account.start(), account.start()
    order = []
    for _ in range(6):
        run = actions.succeed()
        order.append(run.execution.id)
    for _ in range(3):
        actions.until("", "", "SUCCEEDED")
    assert [one["status"] for one in account.executions()] == ["Succeeded"] * 3
    assert sorted(set(order), key=order.index) == [first, second, third]


def test_an_update_cancels_what_is_under_way_and_leaves_its_action_to_end(account: Account, actions: Actions) -> None:
    execution = account.create()
    actions.succeed()
    building = actions.next()
    account.update(stage("Build", build()), stage("More", build("More")))
    assert account.status(execution) == "Cancelled"
    assert account.stage("Build")["latestExecution"]["status"] == "Cancelled"
    actions.succeed(building)
    actions.until("Build", "Build", "SUCCEEDED")
    assert account.action("Build", "Build")["latestExecution"]["status"] == "Succeeded"
    assert actions.begun.empty()
    assert len(account.executions()) == 1


def test_an_update_lets_nobody_into_the_stages_that_it_empties(account: Account, actions: Actions) -> None:
    gate = stage("Gate", approval(), build())
    first = account.create(stage("Gate", approval(), build("Then", runOrder=2)))
    actions.succeed()
    actions.next()
    waiting = account.start()
    actions.succeed()
    actions.until("Source", "", "SUCCEEDED", of=waiting)
    account.update(gate)
    assert [account.status(one) for one in (first, waiting)] == ["Cancelled", "Cancelled"]
    assert actions.begun.empty()
    assert account.stage("Gate")["latestExecution"]["pipelineExecutionId"] == first


def test_an_execution_runs_the_definition_that_it_started_with(account: Account, actions: Actions) -> None:
    account.create()
    account.update(stage("Other", build("Other")))
    shown = account.codepipeline.get_pipeline_execution
    old = account.executions()[0]["pipelineExecutionId"]
    new = account.start()
    versions = [
        shown(pipelineName="pipeline", pipelineExecutionId=one)["pipelineExecution"]["pipelineVersion"]
        for one in (old, new)
    ]
    assert versions == [1, 2]


def test_stopping_waits_for_actions_and_begins_no_more(account: Account, actions: Actions) -> None:
    execution = account.create(stage("Test", build("First"), build("Second", runOrder=2)))
    actions.succeed()
    first = actions.next()
    stop = {"pipelineName": "pipeline", "pipelineExecutionId": execution}
    account.codepipeline.stop_pipeline_execution(**stop, reason="lunch")
    assert account.status(execution) == "Stopping"
    with pytest.raises(ClientError) as refused:
        account.codepipeline.stop_pipeline_execution(**stop)
    assert code(refused) == "DuplicatedStopRequestException"
    actions.succeed(first)
    actions.until("", "", "STOPPED")
    (shown,) = account.executions()
    assert (shown["status"], shown["stopTrigger"]) == ("Stopped", {"reason": "lunch"})
    assert actions.begun.empty()
    with pytest.raises(ClientError) as refused:
        account.codepipeline.stop_pipeline_execution(**stop)
    assert code(refused) == "PipelineExecutionNotStoppableException"


def test_abandoning_does_not_wait_and_tells_the_action(account: Account, actions: Actions) -> None:
    execution = account.create()
    run = actions.next()
    stop = {"pipelineName": "pipeline", "pipelineExecutionId": execution, "abandon": True}
    account.codepipeline.stop_pipeline_execution(**stop)
    assert account.status(execution) == "Stopped"
    assert account.action("Source", "Source")["latestExecution"]["status"] == "Abandoned"
    assert run.cancelled.is_set()


def test_an_execution_at_the_entry_of_a_stage_stops_at_once(account: Account, actions: Actions) -> None:
    account.create()
    actions.next()
    waiting = account.start()
    account.codepipeline.stop_pipeline_execution(pipelineName="pipeline", pipelineExecutionId=waiting)
    assert account.status(waiting) == "Stopped"
    assert "inboundExecution" not in account.stage("Source")


def retry(account: Account, execution: str, mode: str, stage_name: str = "Test") -> Any:
    return account.codepipeline.retry_stage_execution(
        pipelineName="pipeline", stageName=stage_name, pipelineExecutionId=execution, retryMode=mode
    )


@pytest.mark.parametrize(("mode", "again"), [("FAILED_ACTIONS", ["Quick"]), ("ALL_ACTIONS", ["Quick", "Slow"])])
def test_a_retry_runs_the_failed_actions_or_all_and_goes_on(
    account: Account, actions: Actions, mode: str, again: list[str]
) -> None:
    execution = account.create(PARALLEL)
    actions.succeed()
    for run in (actions.next(), actions.next()):
        (actions.fail if run.action.name == "Quick" else actions.succeed)(run)
    actions.until("", "", "FAILED")
    while account.action("Test", "Slow")["latestExecution"]["status"] == "InProgress":
        actions.until("Test", "Slow", "SUCCEEDED")
    retry(account, execution, mode)
    assert account.status(execution) == "InProgress"
    assert sorted(actions.succeed().action.name for _ in again) == again
    assert actions.succeed().action.name == "Then"
    actions.until("", "", "SUCCEEDED")
    assert account.status(execution) == "Succeeded"


def test_a_stage_that_has_not_failed_or_whose_pipeline_has_changed_cannot_be_retried(
    account: Account, actions: Actions
) -> None:
    execution = account.create(PARALLEL)
    actions.fail()
    actions.until("", "", "FAILED")
    with pytest.raises(ClientError) as refused:
        retry(account, execution, "FAILED_ACTIONS")
    assert code(refused) == "NotLatestPipelineExecutionException"
    account.update(PARALLEL, stage("More", build("More")))
    with pytest.raises(ClientError) as refused:
        retry(account, execution, "FAILED_ACTIONS", "Source")
    assert code(refused) == "StageNotRetryableException"


def test_only_the_latest_execution_of_a_stage_can_be_retried(account: Account, actions: Actions) -> None:
    first = account.create()
    actions.fail()
    actions.until("", "", "FAILED")
    account.start()
    actions.next()
    with pytest.raises(ClientError) as refused:
        retry(account, first, "FAILED_ACTIONS", "Source")
    assert code(refused) == "NotLatestPipelineExecutionException"


def test_a_disabled_transition_holds_executions_back(account: Account, actions: Actions) -> None:
    execution = account.create()
    named = {"pipelineName": "pipeline", "stageName": "Build", "transitionType": "Inbound"}
    account.codepipeline.disable_stage_transition(**named, reason="holidays")
    actions.succeed()
    actions.until("Source", "", "SUCCEEDED")
    shown = account.stage("Build")
    assert shown["inboundExecution"]["pipelineExecutionId"] == execution
    assert shown["inboundTransitionState"]["enabled"] is False
    assert shown["inboundTransitionState"]["disabledReason"] == "holidays"
    account.codepipeline.enable_stage_transition(**named)
    assert actions.next().action.name == "Build"


def test_a_deleted_pipeline_abandons_its_actions(account: Account, actions: Actions) -> None:
    account.create()
    run = actions.next()
    account.codepipeline.delete_pipeline(name="pipeline")
    assert run.cancelled.is_set()
    with pytest.raises(ClientError) as refused:
        account.executions()
    assert code(refused) == "PipelineNotFoundException"


def test_a_defect_in_an_action_fails_it(account: Account, actions: Actions, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Any:
        raise KeyError("defect")

    monkeypatch.setattr(actions, "perform", broken)
    account.create()
    actions.until("", "", "FAILED")
    details = account.action("Source", "Source")["latestExecution"]["errorDetails"]
    assert details["message"] == "Internal error of the embedded AWS: KeyError: 'defect'"


def test_executions_are_listed_page_by_page_newest_first(account: Account, actions: Actions) -> None:
    started = [account.create(), account.start(), account.start()]
    listed: list[str] = []
    token: dict[str, str] = {}
    for _ in range(3):
        page = account.codepipeline.list_pipeline_executions(pipelineName="pipeline", maxResults=1, **token)
        listed += [one["pipelineExecutionId"] for one in page["pipelineExecutionSummaries"]]
        token = {"nextToken": page.get("nextToken", "")}
    assert listed == started[::-1]
    assert token == {"nextToken": ""}
    with pytest.raises(ClientError) as refused:
        account.codepipeline.list_pipeline_executions(pipelineName="pipeline", nextToken="over there")
    assert code(refused) == "InvalidNextTokenException"


def test_executions_can_be_listed_by_a_stage_that_they_succeeded_in(account: Account, actions: Actions) -> None:
    first = account.create()
    actions.succeed()
    actions.fail()
    actions.until("", "", "FAILED")
    account.start()
    wanted = {"succeededInStage": {"stageName": "Source"}}
    shown = account.codepipeline.list_pipeline_executions(pipelineName="pipeline", filter=wanted)
    assert [one["pipelineExecutionId"] for one in shown["pipelineExecutionSummaries"]] == [first]


def test_action_executions_show_artifacts_and_variables(account: Account, actions: Actions) -> None:
    execution = account.create(stage("Build", build(outputs="Assembly", namespace="Made")))
    actions.succeed()
    actions.succeed(version="7")
    actions.until("", "", "SUCCEEDED")
    newest, oldest = account.codepipeline.list_action_executions(
        pipelineName="pipeline", filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    assert (oldest["actionName"], oldest["stageName"], oldest["status"]) == ("Source", "Source", "Succeeded")
    assert newest["input"]["inputArtifacts"][0]["s3location"]["key"] == "key-of-Code"
    assert newest["input"]["namespace"] == "Made"
    assert newest["output"]["outputArtifacts"][0]["name"] == "Assembly"
    assert newest["output"]["outputVariables"] == {"version": "7"}
    assert newest["startTime"] <= newest["lastUpdateTime"]


def test_one_client_token_starts_one_execution(account: Account, actions: Actions) -> None:
    account.create()
    start = account.codepipeline.start_pipeline_execution
    token = "6c9a1f6e-1b1f-4a0c-9f5e-2b7f3f1d2c3b"
    first, again = (start(name="pipeline", clientRequestToken=token)["pipelineExecutionId"] for _ in range(2))
    assert first == again
    assert len(account.executions()) == 2


@pytest.mark.filterwarnings("ignore:Exception._Failure. with code NotImplemented does not match")
@pytest.mark.parametrize(
    "given",
    [
        {"variables": [{"name": "colour", "value": "green"}]},
        {"sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "0" * 40}]},
    ],
)
def test_an_execution_with_values_of_its_own_is_refused_by_name(
    account: Account, actions: Actions, given: dict[str, Any]
) -> None:
    account.create()
    with pytest.raises(ClientError, match=rf"{next(iter(given))} of an execution \(not emulated\)"):
        account.codepipeline.start_pipeline_execution(name="pipeline", **given)


def test_an_unknown_execution_is_refused_by_name(account: Account, actions: Actions) -> None:
    account.create()
    unknown = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(ClientError, match=unknown) as refused:
        account.codepipeline.get_pipeline_execution(pipelineName="pipeline", pipelineExecutionId=unknown)
    assert code(refused) == "PipelineExecutionNotFoundException"


def test_a_failed_stage_asks_nobody_any_more(account: Account, actions: Actions) -> None:
    account.create(stage("Review", build("Review"), approval("Security")))
    actions.succeed()
    run = next(one for one in (actions.next(), actions.next()) if one.action.name == "Review")
    actions.fail(run)
    actions.until("", "", "FAILED")
    shown = account.action("Review", "Security")["latestExecution"]
    assert shown["status"] == "Abandoned"
    assert "token" not in shown
