"""`mistral7b doctor`: what a deployment takes for granted of its account."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from localaws.accounts import credentials
from localaws.lifecycle import State, running_server
from mistral7b.cli import main

ACCOUNT = "121212121212"


@pytest.fixture(scope="module")
def server() -> Iterator[State]:
    """An embedded AWS whose account has the role `backend`."""
    with running_server() as state:
        iam = boto3.client(
            "iam",
            endpoint_url=state.url,
            region_name="us-east-1",
            aws_access_key_id=credentials(ACCOUNT)["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials(ACCOUNT)["AWS_SECRET_ACCESS_KEY"],
        )
        nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
        iam.create_role(RoleName="backend", AssumeRolePolicyDocument=nobody)
        yield state


@pytest.fixture(autouse=True)
def _user(server: State, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**credentials(ACCOUNT), "AWS_ENDPOINT_URL": server.url}.items():
        monkeypatch.setenv(name, value)


def doctor(monkeypatch: pytest.MonkeyPatch, folder: Path, roles: str, account: str = ACCOUNT, *more: str) -> object:
    (folder / "dev.yaml").write_text(f'account: "{account}"\nregion: us-east-1\ncallers: {{role_names: [{roles}]}}\n')
    monkeypatch.setattr("sys.argv", ["mistral7b", "doctor", "dev", "--environments", str(folder), *more])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_nothing_is_wrong_where_every_role_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "backend") == 0
    assert "cdk deploy 'dev/*'" in capsys.readouterr().out


def test_a_missing_role_is_named_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "backend, search") == 1
    said = capsys.readouterr()
    assert "missing  role search" in said.out
    assert f"fix: create search first, or take it out of callers.role_names in {tmp_path}/dev.yaml" in said.err


def test_scripts_read_the_missing_roles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "search", ACCOUNT, "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"environment": "dev", "ready": False, "missing_roles": ["search"]}


def test_another_accounts_credentials_are_called_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, tmp_path, "backend", "999999999999") == 2
    assert f"these are credentials of account {ACCOUNT}" in capsys.readouterr().err
