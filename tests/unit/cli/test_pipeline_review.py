"""`mistral7b pipeline review`: what is printed, for people and for scripts, the exit status, and what is approved."""

import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from mistral7b.cli import main
from mistral7b.endpoint import MissingCredentialsError
from tests.unit.cli.conftest import Result

Say = Callable[..., Result]
COUNT = "\n✨  Number of stacks with differences: {}\n"
TABLE = "Stack dev/network (mistral-7b-dev-network)\nIAM Statement Changes\n│ + │ a [bold]role[/bold] │"
EXECUTION = "12345678-1234-1234-1234-123456789012"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with a cloud assembly."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "cdk.out").mkdir()
    stage = {"type": "cdk:cloud-assembly", "properties": {"displayName": "dev"}}
    artifacts = {"assembly-dev": stage, "pipeline": {"type": "aws:cloudformation:stack"}}
    (tmp_path / "cdk.out" / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_EXECUTION_ID", raising=False)
    return tmp_path


@pytest.fixture
def say(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs the command in this process, with a CDK CLI that prints so and ends so."""
    monkeypatch.setattr("mistral7b.endpoint.caller_account", lambda session, region: "123456789012")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5600")

    def _say(*arguments: str, name: str = "dev", cdk: str = COUNT.format(0), status: int = 0) -> Result:
        (project / "prints").write_text(cdk, encoding="utf-8")
        cli = project / ".venv" / "bin" / "cdk"
        cli.write_text(f"#!/bin/sh\ncat prints\nexit {status}\n")
        cli.chmod(0o755)
        monkeypatch.setattr("sys.argv", ["mistral7b", "pipeline", "review", name, *arguments])
        ended: object = 0
        try:
            main()
        except SystemExit as end:
            ended = end.code or 0
        out, err = capsys.readouterr()
        return Result(ended if isinstance(ended, int) else 1, out, err)

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


def test_credentials_that_are_missing_are_left_to_the_cdk_to_tell(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(session: boto3.Session, region: str) -> str:
        raise MissingCredentialsError("Unable to locate credentials")

    monkeypatch.setattr("mistral7b.endpoint.caller_account", missing)
    assert (say().status, say().err) == (0, "")


def test_a_change_that_broadens_shows_the_cdks_table_as_it_is(say: Say) -> None:
    result = say(cdk=TABLE + COUNT.format(1))
    assert result.status == 0
    assert result.out.startswith(TABLE)
    assert result.out.endswith("dev: 1 stack would broaden IAM permissions or open security groups.\n")


@pytest.mark.parametrize(("stacks", "status"), [(0, 0), (2, 3)])
def test_fail_ends_with_3_where_it_broadens(stacks: int, status: int, say: Say) -> None:
    assert say("--fail", cdk=COUNT.format(stacks)).status == status


def test_json_says_whether_it_broadens(say: Say) -> None:
    assert json.loads(say("--json", cdk=TABLE + COUNT.format(2)).out) == {
        "environment": "dev",
        "broadens": True,
        "stacks": 2,
        "changes": TABLE,
        "approval": None,
    }


def test_a_comparison_that_fails_ends_with_1_and_never_says_that_nothing_broadens(say: Say) -> None:
    result = say("--json", cdk="Could not assume role" + COUNT.format(0), status=1)
    assert (result.status, result.out) == (1, "")
    assert "could not compare dev" in result.err
    assert "Could not assume role" in result.err


def test_an_assembly_that_is_not_there_ends_with_2(say: Say) -> None:
    result = say("--assembly", "nowhere")
    assert (result.status, result.out) == (2, "")
    assert "fix: make one: cdk synth --output nowhere" in result.err


def test_an_approval_without_an_execution_ends_with_2(say: Say) -> None:
    result = say("--approve")
    assert (result.status, result.out) == (2, "")
    assert "fix: set PIPELINE_EXECUTION_ID" in result.err


def test_what_broadens_nothing_is_approved(say: Say, codepipeline: Stubber) -> None:
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


def test_what_broadens_is_left_to_a_human(say: Say, codepipeline: Stubber) -> None:
    codepipeline.add_client_error("get_pipeline_state", "Never", "asked")
    result = say("--approve", cdk=TABLE + COUNT.format(1))
    assert result.status == 0
    assert result.out.endswith("waits for a human, who looks at the changes above.\n")


def test_an_approval_that_someone_gave_is_told(say: Say, codepipeline: Stubber) -> None:
    asks(codepipeline, "Succeeded")
    result = say("--approve", "--json")
    assert (result.status, json.loads(result.out)["approval"]) == (0, "Succeeded")


def test_an_approval_that_codepipeline_refuses_ends_with_1(say: Say, codepipeline: Stubber) -> None:
    codepipeline.add_client_error("get_pipeline_state", "AccessDeniedException", "not authorized")
    result = say("--approve")
    assert result.status == 1
    assert "not authorized" in result.err
