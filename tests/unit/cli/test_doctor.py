"""`mistral7b doctor`: what a deployment takes for granted of its account."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from mistral7b_cli import main
from sagehost.accounts import access_key_id
from sagehost.lifecycle import State, running_server
from tests.unit.promotion.check.conftest import bootstrap

ACCOUNT = "121212121212"


TOPIC = {"Topic": {"Type": "AWS::SNS::Topic"}}
NOBODYS = {
    "Policy": {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "a", "Roles": ["nobody"], "PolicyDocument": {"Statement": []}},
    }
}
"""A resource that cannot be made."""


def aws(state: State, service: str) -> Any:
    """A client of the account."""
    return boto3.client(
        service,
        endpoint_url=state.url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id(ACCOUNT),
        aws_secret_access_key=state.secret,
    )


@pytest.fixture(scope="module")
def server() -> Iterator[State]:
    """An embedded AWS whose account is bootstrapped and has the role `backend`."""
    with running_server() as state:
        nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
        aws(state, "iam").create_role(RoleName="backend", AssumeRolePolicyDocument=nobody)
        bootstrap(ACCOUNT, client=partial(aws, state))
        yield state


@pytest.fixture(autouse=True)
def _user(server: State, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.settings(ACCOUNT).items():
        monkeypatch.setenv(name, value)


def doctor(monkeypatch: pytest.MonkeyPatch, folder: Path, roles: str, account: str = ACCOUNT, *more: str) -> object:
    (folder / "dev.yaml").write_text(f'account: "{account}"\nregion: us-east-1\ncallers: {{role_names: [{roles}]}}\n')
    monkeypatch.setattr("sys.argv", ["mistral7b", "doctor", "dev", "--environments", str(folder), *more])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_doctor_passes_when_no_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "backend") == 0
    said = capsys.readouterr().out
    assert "ok           roles" in said
    assert said.endswith("11 ok\n")


def test_a_failure_is_told_with_field_and_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "backend, search") == 1
    said = capsys.readouterr()
    assert "callers.role_names = search: there is no such role in the account\n  fix: create it first" in said.out
    assert said.err.endswith("mistral7b: 10 ok, 1 failure: roles\n")


def test_json_has_every_check_and_the_failures_as_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "search", ACCOUNT, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["environment"], found["ready"]) == ("dev", False)
    assert {one["check"]: one["outcome"] for one in found["checks"] if one["outcome"] != "ok"} == {"roles": "failure"}
    assert [(one["field"], one["value"]) for one in found["problems"]] == [("callers.role_names", "search")]


def test_nothing_that_could_be_read_is_no_access(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "GetParameter")
    monkeypatch.setattr("mistral7b_cli.doctor.Cloud.client", Mock(side_effect=denied))
    assert doctor(monkeypatch, tmp_path, "backend") == 3
    assert "nothing could be checked\nfix: allow ssm:GetParameter" in capsys.readouterr().err


@pytest.fixture(params=[TOPIC, NOBODYS], ids=["deployed", "failed"])
def protected_stack(request: pytest.FixtureRequest, server: State) -> Iterator[str]:
    """The status of dev's stack, which is protected."""
    client, named = aws(server, "cloudformation"), {"StackName": "mistral-7b-dev-endpoint"}
    options = {"Capabilities": ["CAPABILITY_IAM"], "EnableTerminationProtection": True}
    client.create_stack(**named, TemplateBody=json.dumps({"Resources": request.param}), **options)
    with suppress(WaiterError):
        client.get_waiter("stack_create_complete").wait(**named, WaiterConfig={"Delay": 0.05})
    [stack] = client.describe_stacks(**named)["Stacks"]
    yield stack["StackStatus"]
    client.update_termination_protection(**named, EnableTerminationProtection=False)
    client.delete_stack(**named)
    client.get_waiter("stack_delete_complete").wait(**named, WaiterConfig={"Delay": 0.05})


def test_differing_termination_protection_is_reported_and_fails_where_it_blocks(
    protected_stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = protected_stack != "CREATE_COMPLETE"
    assert doctor(monkeypatch, tmp_path, "backend") == int(failed)
    said = capsys.readouterr().out
    assert f"{'failure' if failed else 'warning'}      stacks" in said
    assert "fix: mistral7b protect dev" in said
