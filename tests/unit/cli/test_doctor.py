"""`mistral7b doctor`: what a deployment takes for granted of its account."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError

from mistral7b_cli import main
from sagehost.accounts import access_key_id
from sagehost.lifecycle import State, running_server

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
    """An embedded AWS whose account has the role `backend`."""
    with running_server() as state:
        nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
        aws(state, "iam").create_role(RoleName="backend", AssumeRolePolicyDocument=nobody)
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


def test_doctor_passes_when_every_role_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "backend") == 0
    assert "cdk deploy 'dev/*'" in capsys.readouterr().out


def test_a_missing_role_is_named_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "backend, search") == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/dev.yaml: callers.role_names = 'search'\n    there is no such role in the account" in said
    assert "    fix: create it first, or take it out" in said


def test_json_lists_the_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "search", ACCOUNT, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["environment"], found["ready"], found["termination_protection_differs"]) == ("dev", False, [])
    assert [(one["field"], one["value"]) for one in found["problems"]] == [("callers.role_names", "search")]


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
    said = capsys.readouterr()
    assert "differs  termination protection of mistral-7b-dev-endpoint" in said.out
    assert ("fix: mistral7b protect dev" in said.err) is failed
