"""`mistral7b pipeline review`: what is printed, for people and for scripts, the exit status, and what is approved."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from mistral7b.endpoint.errors import MissingCredentialsError
from mistral7b.errors import UserError
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.grants import Grant
from mistral7b.promotion.review import Review
from tests.unit.cli.conftest import Result, run_main

Say = Callable[..., Result]
EXECUTION = "12345678-1234-1234-1234-123456789012"
NOTHING = Review("dev", frozenset(), frozenset())


def grant(text: str, *, rule: bool = False, public: bool = False) -> Grant:
    return Grant(text, text, denies=False, is_rule=rule, is_public=public)


BROADER = Review(
    "dev",
    frozenset({grant("Allow *: a [bold]b[/bold]", public=True), grant("Allow sg: egress", rule=True)}),
    frozenset({grant("Allow ROLE: c on d")}),
)
LINES = ["+ Allow *: a [bold]b[/bold]", "- Allow ROLE: c on d", "+ Allow sg: egress"]


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs the command in this process, where the comparison finds so or fails so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_EXECUTION_ID", raising=False)
    monkeypatch.setattr("mistral7b.endpoint.caller.caller_account", lambda session, region: "123456789012")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    def _say(*arguments: str, name: str = "dev", found: Review | UserError | None = NOTHING) -> Result:
        def compare(_cloud: Cloud, _assembly: Path, environment: str) -> Review:
            if isinstance(found, Review):
                return replace(found, environment=environment)
            raise found or AssertionError

        if found is not None:
            monkeypatch.setattr("mistral7b_cli.pipeline_review.compare", compare)
        return run_main(monkeypatch, capsys, "pipeline", "review", name, *arguments)

    return _say


@pytest.fixture
def codepipeline(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """CodePipeline, which answers what it is told and nothing else."""
    client = boto3.Session("key", "secret", region_name="us-east-1").client("codepipeline")
    stubber = Stubber(client)
    stubber.activate()
    monkeypatch.setattr("boto3.client", lambda _service: client)
    monkeypatch.setenv("PIPELINE_EXECUTION_ID", EXECUTION)
    return stubber


def asks(codepipeline: Stubber, status: str = "InProgress", stage_name: str = "dev") -> None:
    """Has the pipeline ask for the approval, or have an answer."""
    approval = {"actionName": "SecurityChanges", "latestExecution": {"status": status, "token": "token"}}
    running = {"pipelineExecutionId": EXECUTION, "status": "InProgress"}
    stage = {"stageName": stage_name, "latestExecution": running, "actionStates": [approval]}
    codepipeline.add_response("get_pipeline_state", {"stageStates": [stage]}, {"name": "mistral-7b-pipeline"})


def test_a_change_that_broadens_nothing_says_so(say: Say) -> None:
    result = say()
    assert (result.status, result.err) == (0, "dev, credentials of account 123456789012, eu-west-1, embedded AWS\n")
    assert result.out == "dev: nothing broadens IAM permissions or opens security groups.\n"


def test_missing_credentials_are_reported_by_the_comparison(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(session: boto3.Session, region: str) -> str:
        raise MissingCredentialsError("Unable to locate credentials")

    monkeypatch.setattr("mistral7b.endpoint.caller.caller_account", missing)
    assert (say().status, say().err) == (0, "")


def test_broadening_change_prints_totals_then_one_statement_a_line(say: Say) -> None:
    result = say(found=BROADER)
    assert result.status == 0
    assert result.out.splitlines() == [
        "dev: this broadens IAM permissions or opens security groups.",
        "added: 1 statements and 1 security group rules, of which 1 for any principal; "
        "removed: 1 statements and 0 security group rules",
        *LINES,
    ]


@pytest.mark.parametrize(("found", "status"), [(NOTHING, 0), (BROADER, 4)])
def test_fail_exits_4_if_permissions_broaden(found: Review, status: int, say: Say) -> None:
    assert say("--fail", found=found).status == status


def problem(grant: str) -> dict[str, str | None]:
    """An added grant, as scripts read it."""
    where = {"file": "dev", "line": None, "field": "permissions", "value": None}
    return where | {"reason": f"added: {grant}", "fix": "have someone approve it, or take it out of the commit"}


def test_json_says_whether_it_broadens(say: Say) -> None:
    assert json.loads(say("--json", found=BROADER).out) == {
        "environment": "dev",
        "broadens": True,
        "added": 2,
        "removed": 1,
        "changes": LINES,
        "approval": None,
        "ready": False,
        "problems": [problem("Allow *: a [bold]b[/bold]"), problem("Allow sg: egress")],
    }


def test_failed_comparison_never_says_that_nothing_broadens(say: Say) -> None:
    result = say("--json", found=UserError("dev could not be compared", 1))
    assert (result.status, list(json.loads(result.out))) == (1, ["error"])
    assert "dev could not be compared" in result.err


def test_missing_assembly_exits_2(say: Say) -> None:
    result = say("--assembly", "nowhere", found=None)
    assert (result.status, result.out) == (2, "")
    assert "fix: make one: cdk synth --output nowhere" in result.err


def test_approve_without_an_execution_id_exits_2(say: Say) -> None:
    result = say("--approve")
    assert (result.status, result.out) == (2, "")
    assert "fix: set PIPELINE_EXECUTION_ID" in result.err


def test_change_that_broadens_nothing_is_approved(say: Say, codepipeline: Stubber) -> None:
    asks(codepipeline)
    codepipeline.add_response("put_approval_result", {})
    result = say("--approve")
    assert result.status == 0
    assert result.out.endswith("SecurityChanges of stage dev in pipeline mistral-7b-pipeline is approved.\n")
    codepipeline.assert_no_pending_responses()


def test_the_pipelines_own_changes_are_approved_in_the_stage_that_updates_it(say: Say, codepipeline: Stubber) -> None:
    asks(codepipeline, stage_name="UpdatePipeline")
    codepipeline.add_response("put_approval_result", {})
    result = say("--approve", name="pipeline")
    assert result.status == 0
    assert result.out.endswith("SecurityChanges of stage UpdatePipeline in pipeline mistral-7b-pipeline is approved.\n")
    codepipeline.assert_no_pending_responses()


def test_broadening_change_is_left_to_a_human(say: Say, codepipeline: Stubber) -> None:
    codepipeline.add_client_error("get_pipeline_state", "Never", "asked")
    result = say("--approve", found=BROADER)
    assert result.status == 0
    assert result.out.endswith("waits for a human, who looks at the changes above.\n")


def test_earlier_answer_to_the_approval_is_reported(say: Say, codepipeline: Stubber) -> None:
    asks(codepipeline, "Succeeded")
    result = say("--approve", "--json")
    assert (result.status, json.loads(result.out)["approval"]) == (0, "Succeeded")


def test_approval_rejected_by_codepipeline_exits_3(say: Say, codepipeline: Stubber) -> None:
    codepipeline.add_client_error("get_pipeline_state", "AccessDeniedException", "not authorized")
    result = say("--approve")
    assert result.status == 3
    assert "not authorized" in result.err
