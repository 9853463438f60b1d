"""`mistral7b protect`: deployed stacks are as the file says, and those that failed can be deleted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagehost import moto_app
from tests.unit.cli.conftest import Result, run_main
from tests.unit.cli.test_doctor import NOBODYS, TOPIC
from tests.unit.fresh_accounts import fresh_account
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap

Say = Callable[..., Result]
NAME = "mistral-7b-prod-endpoint"


@pytest.fixture
def account() -> str:
    """An account that is bootstrapped with a qualifier."""
    account = fresh_account()
    bootstrap(account, qualifier="team7b")
    return account


@pytest.fixture
def say(account: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs the command in this process, for a file that wants protection or not."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", raising=False)
    monkeypatch.setattr("mistral7b_cli.protect.Cloud", lambda: EmbeddedCloud(account))
    monkeypatch.setattr("mistral7b.endpoint.caller.caller_account", lambda session, region: account)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cdk.json").write_text('{"context": {"@aws-cdk/core:bootstrapQualifier": "team7b"}}')

    def _say(*arguments: str, wanted: bool = True, name: str = "prod") -> Result:
        wish = f"termination_protection: {str(wanted).lower()}\n"
        (tmp_path / "prod.yaml").write_text(f"region: {REGION}\n{wish}")
        pipeline = (
            f'account: "{account}"\nregion: {REGION}\nsource: {{repository: a/b}}\nenvironments: [{{name: other}}]\n'
        )
        (tmp_path / "other.yaml").write_text("region: eu-west-1\n")
        (tmp_path / "pipeline.yaml").write_text(pipeline + wish)
        return run_main(monkeypatch, capsys, "protect", name, *arguments, "--environments", str(tmp_path))

    return _say


def deploy(
    account: str, name: str = NAME, resources: dict[str, Any] = TOPIC, region: str = REGION, **options: Any
) -> None:
    client = moto_app.client("cloudformation", account, region)
    body = json.dumps({"Resources": resources})
    client.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"], **options)


def protected(account: str, name: str = NAME, region: str = REGION) -> bool:
    [stack] = moto_app.client("cloudformation", account, region).describe_stacks(StackName=name)["Stacks"]
    return bool(stack["EnableTerminationProtection"])


def test_a_deployed_stack_is_protected_once(say: Say, account: str) -> None:
    """Stacks are protected from removal after a deployment that succeeded, as CodePipeline cannot and the CDK CLI would
    before the first one. Source: aws-cdk issues 17871 and 30405.
    """
    deploy(account)
    first, second = say(), say()
    assert (first.status, second.status, protected(account)) == (0, 0, True)
    assert first.out.splitlines() == [
        f"{NAME} (CREATE_COMPLETE): protected now",
        "To remove a protected stack: set termination_protection: false, then mistral7b protect prod, then cdk destroy",
    ]
    assert f"{NAME} (CREATE_COMPLETE): protected (unchanged)" in second.out


def test_unprotected_stack_can_be_deleted(say: Say, account: str) -> None:
    deploy(account)
    say()
    client = moto_app.client("cloudformation", account, REGION)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        client.delete_stack(StackName=NAME)
    assert say(wanted=False).out == f"{NAME} (CREATE_COMPLETE): not protected now\n"
    client.delete_stack(StackName=NAME)


def test_stack_that_failed_its_first_deployment_is_unprotected(say: Say, account: str) -> None:
    deploy(account, resources=NOBODYS, EnableTerminationProtection=True)
    assert f"{NAME} (ROLLBACK_COMPLETE): not protected now" in say().out
    assert not protected(account)


def test_the_stack_of_an_environment_with_a_longer_name_is_left_alone(say: Say, account: str) -> None:
    deploy(account)
    deploy(account, "mistral-7b-prod-eu-endpoint")
    say()
    assert not protected(account, "mistral-7b-prod-eu-endpoint")


def test_the_pipelines_stacks_are_protected_in_each_region(say: Say, account: str) -> None:
    bootstrap(account, qualifier="team7b", region="eu-west-1")
    deploy(account, "mistral-7b-pipeline")
    deploy(account, "mistral-7b-pipeline-eu-west-1", region="eu-west-1")
    assert say(name="pipeline").status == 0
    assert protected(account, "mistral-7b-pipeline")
    assert protected(account, "mistral-7b-pipeline-eu-west-1", "eu-west-1")


def test_json_lists_what_was_changed(say: Say, account: str) -> None:
    deploy(account)
    done = {"stack": NAME, "status": "CREATE_COMPLETE", "protected": True, "changed": True}
    assert json.loads(say("--json").out) == {"environment": "prod", "termination_protection": True, "stacks": [done]}


def test_an_environment_that_is_not_deployed_is_a_failure_with_its_fix(say: Say) -> None:
    result = say()
    assert (result.status, result.out) == (3, "")
    assert "prod is not deployed in us-east-1\nfix: cdk deploy 'prod/*'" in result.err


def test_credentials_that_may_not_deploy_are_reported(say: Say, tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    result = say()
    assert result.status == 3
    assert "fix: use credentials that may assume the deploy role of the CDK's bootstrap" in result.err
