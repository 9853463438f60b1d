"""`mistral7b cleanup`: what it prints, asks and refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagehost import moto_app
from sagehost.cloudformation import engine
from tests.unit.cli.conftest import REGION, Result, run_main
from tests.unit.fresh_accounts import fresh_account

Cleanup = Callable[..., Result]
STACK, GROUP = "mistral-7b-dev-endpoint", "/mistral7b/dev/vpc-flow-logs"
RETAINED = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": GROUP}, "DeletionPolicy": "Retain"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(engine, "LINGER_S", 60)
    return fresh_account()


@pytest.fixture
def cleanup(
    account: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cleanup:
    """Runs the command in this process, on an account that nothing else uses."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("mistral7b.endpoint.caller.caller_account", lambda session, region: account)

    def client(_: object, service: str, **given: object) -> Any:
        return moto_app.client(service, account, str(given["region_name"]))

    monkeypatch.setattr("boto3.Session.client", client)
    (tmp_path / "dev.yaml").write_text(f"region: {REGION}\n")

    def _cleanup(*arguments: str) -> Result:
        return run_main(monkeypatch, capsys, "cleanup", "dev", *arguments, "--environments", str(tmp_path))

    return _cleanup


def deploy(account: str) -> Any:
    """A stack of the environment, with a log group that its removal retains."""
    client = moto_app.client("cloudformation", account, REGION)
    client.create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": {"Group": RETAINED}}))
    return client


@pytest.fixture
def retained(account: str) -> None:
    """The log group that is left after the removal."""
    deploy(account).delete_stack(StackName=STACK)


def test_an_empty_account_has_nothing_left(cleanup: Cleanup) -> None:
    assert (cleanup().status, cleanup().out) == (0, f"Nothing is left of dev in {REGION}.\n")


@pytest.mark.usefixtures("retained")
def test_what_is_left_is_listed_with_reason_cost_and_fix(cleanup: Cleanup) -> None:
    result = cleanup("--check")
    assert result.status == 1
    assert f"     0.00  log group {GROUP}\n           retained by removal.log_group\n     0.00  in all" in result.out
    assert "not all of dev is removed: 1 left\nfix: mistral7b cleanup dev --delete --with-logs\n" in result.err


@pytest.mark.usefixtures("retained")
def test_logs_are_deleted_only_where_they_are_named(cleanup: Cleanup) -> None:
    kept = cleanup("--delete", "--yes")
    assert (kept.status, "To delete these too, add --with-logs" in kept.out) == (0, True)
    deleted = cleanup("--delete", "--yes", "--with-logs")
    assert deleted.status == 0
    assert f"to delete: log group {GROUP} with its logs\ndeleted: log group {GROUP}\n" in deleted.err
    assert cleanup().status == 0


@pytest.mark.usefixtures("retained")
def test_delete_without_a_terminal_needs_yes(cleanup: Cleanup) -> None:
    result = cleanup("--delete", "--with-logs")
    assert (result.status, "fix: add --yes" in result.err) == (2, True)
    assert cleanup().status == 1


def test_deployed_environment_is_not_deleted(cleanup: Cleanup, account: str) -> None:
    deploy(account)
    for arguments in ((), ("--delete", "--yes", "--with-logs")):
        result = cleanup(*arguments)
        assert (result.status, result.out) == (1, f"in use: {STACK} (CREATE_COMPLETE)\n")
        assert "dev is deployed\nfix: cdk destroy 'dev/*'" in result.err


@pytest.mark.usefixtures("retained")
def test_json_has_every_resource_and_the_total(cleanup: Cleanup) -> None:
    result = cleanup("--json")
    found = json.loads(result.out)
    assert result.status == 1
    assert (found["environment"], found["in_use"], found["unchecked"]) == ("dev", [], [])
    assert [(one["kind"], one["name"], one["data"]) for one in found["left"]] == [("log group", GROUP, "logs")]
    assert found["usd_month"] == sum(one["usd_month"] for one in found["left"])


@pytest.mark.parametrize("arguments", [("--check", "--delete"), ("--yes",), ("--with-logs",)])
def test_options_that_do_not_go_together_are_refused(cleanup: Cleanup, arguments: tuple[str, ...]) -> None:
    result = cleanup(*arguments)
    assert (result.status, "\nfix: " in result.err) == (2, True)


def test_the_pipeline_is_refused_with_where_its_removal_is_described(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_main(monkeypatch, capsys, "cleanup", "pipeline")
    assert result.status == 2
    assert 'fix: docs/promotion.md, "Removing the pipeline"' in result.err
