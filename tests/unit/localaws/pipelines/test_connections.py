"""Connections: PENDING until the handshake, and then a way to the repositories that it names."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import moto_app, pipelines
from localaws.pipelines import connections, handshake
from localaws.pipelines.connections import ConnectionUnavailable
from tests.unit.fresh_accounts import fresh_account
from tests.unit.localaws.asgi import ask

JSON = {"content-type": "application/json"}


@pytest.fixture
def account() -> str:
    pipelines.install()
    return fresh_account()


def client(account: str, service: str = "codeconnections", region: str = "us-east-1") -> Any:
    return moto_app.client(service, account, region)


@pytest.fixture
def arn(account: str) -> str:
    made = client(account).create_connection(ConnectionName="connection", ProviderType="GitHub")
    return str(made["ConnectionArn"])


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "a clone"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    return folder


def shake(**members: Any) -> tuple[int, Any]:
    return ask(handshake.routes(), "POST", handshake.PATH, JSON, json.dumps(members).encode())


def test_a_connection_is_pending_until_its_handshake(account: str, arn: str, clone: Path) -> None:
    assert client(account).get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"
    status, answer = shake(arn=arn, repository="owner/name", path=str(clone))
    assert (status, answer) == (200, {"arn": arn, "status": "AVAILABLE", "commit": git(clone, "rev-parse", "HEAD")})
    assert client(account).get_connection(ConnectionArn=arn)["Connection"] == {
        "ConnectionName": "connection",
        "ConnectionArn": arn,
        "ProviderType": "GitHub",
        "OwnerAccountId": account,
        "ConnectionStatus": "AVAILABLE",
    }
    assert connections.repository(arn, "owner/name") == clone


@pytest.mark.parametrize("name", ["owner/name", "group/subgroup/name", "o-1/n.m_2"])
def test_a_repository_is_reached_by_its_whole_name(arn: str, clone: Path, name: str) -> None:
    assert shake(arn=arn, repository=name, path=str(clone))[0] == 200
    assert connections.repository(arn, name) == clone
    with pytest.raises(ConnectionUnavailable, match=f"does not reach repository other/one \\(it reaches {name}\\)"):
        connections.repository(arn, "other/one")


def test_a_second_handshake_says_where_the_repository_is_now(arn: str, clone: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shake(arn=arn, repository="owner/name", path=str(clone))
    clone.rename(moved)
    shake(arn=arn, repository="owner/name", path=str(moved))
    assert connections.repository(arn, "owner/name") == moved


def test_a_connection_that_is_pending_or_absent_reaches_nothing(arn: str) -> None:
    with pytest.raises(ConnectionUnavailable, match="its status is PENDING"):
        connections.repository(arn, "owner/name")
    with pytest.raises(ConnectionUnavailable, match="does not exist"):
        connections.repository(f"{arn}0", "owner/name")


def test_an_unknown_connection_is_not_found(clone: Path) -> None:
    status, answer = shake(arn="arn:aws:absent", repository="owner/name", path=str(clone))
    assert (status, answer["message"]) == (404, "connection arn:aws:absent does not exist")


@pytest.mark.parametrize("name", ["name", "owner/", "/name", "owner/na me", "../name\n", ""])
def test_a_name_that_is_no_repositorys_is_refused(arn: str, clone: Path, name: str) -> None:
    assert shake(arn=arn, repository=name, path=str(clone))[0] == 400
    with pytest.raises(ConnectionUnavailable):
        connections.repository(arn, name)


def test_a_path_has_to_be_a_repository_with_a_commit(arn: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, reason in (
        (str(tmp_path / "absent"), "not the absolute path of a folder"),
        ("relative", "not the absolute path of a folder"),
        (str(empty), "not a git repository with a commit"),
    ):
        status, answer = shake(arn=arn, repository="owner/name", path=path)
        assert status == 400
        assert reason in answer["message"]
    git(empty, "init", "--quiet")
    assert shake(arn=arn, repository="owner/name", path=str(empty))[0] == 400


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON"),
        (b"[]", "a handshake is a JSON object"),
        (b'{"arn": 1}', "arn is missing, or no text"),
        (b'{"arn": "a", "repository": "b/c"}', "path is missing"),
        (b'{"arn": "a", "repository": "b/c", "path": "/d", "branch": "e"}', "branch is no member"),
    ],
)
def test_a_handshake_that_is_wrong_is_refused_by_name(body: bytes, reason: str) -> None:
    status, answer = ask(handshake.routes(), "POST", handshake.PATH, JSON, body)
    assert status == 400
    assert reason in answer["message"]


def test_a_page_in_a_browser_cannot_shake_hands(arn: str, clone: Path) -> None:
    """It could send any body as plain text to any origin, unasked."""
    body = json.dumps({"arn": arn, "repository": "owner/name", "path": str(clone)}).encode()
    assert ask(handshake.routes(), "POST", handshake.PATH, {"content-type": "text/plain"}, body)[0] == 415


def test_connections_belong_to_an_account_and_a_region(account: str, arn: str) -> None:
    assert [one["ConnectionArn"] for one in client(account).list_connections()["Connections"]] == [arn]
    for elsewhere in (client(account, region="eu-west-1"), client(fresh_account())):
        assert elsewhere.list_connections()["Connections"] == []
        for operation in (elsewhere.get_connection, elsewhere.delete_connection):
            with pytest.raises(ClientError, match="ResourceNotFoundException"):
                operation(ConnectionArn=arn)


def test_connections_are_listed_in_pages_and_by_provider(account: str) -> None:
    codeconnections = client(account)
    for number in range(3):
        codeconnections.create_connection(ConnectionName=f"c{number}", ProviderType="GitHub")
    codeconnections.create_connection(ConnectionName="lab", ProviderType="GitLab")
    first = codeconnections.list_connections(MaxResults=2)
    rest = codeconnections.list_connections(NextToken=first["NextToken"])
    assert [one["ConnectionName"] for one in first["Connections"] + rest["Connections"]] == ["c0", "c1", "c2", "lab"]
    (found,) = codeconnections.list_connections(ProviderTypeFilter="GitLab")["Connections"]
    assert found["ConnectionName"] == "lab"
    with pytest.raises(ClientError, match="NextToken x is not one"):
        codeconnections.list_connections(NextToken="x")


def test_tags_are_added_and_removed(account: str, arn: str) -> None:
    codeconnections = client(account)
    codeconnections.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    codeconnections.untag_resource(ResourceArn=arn, TagKeys=["a", "absent"])
    assert codeconnections.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_a_connection_that_is_deleted_has_gone(account: str, arn: str, clone: Path) -> None:
    client(account).delete_connection(ConnectionArn=arn)
    assert shake(arn=arn, repository="owner/name", path=str(clone))[0] == 404


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"ConnectionName": "c" * 33, "ProviderType": "GitHub"}, "length less than or equal to 32"),
        ({"ConnectionName": "c", "ProviderType": "Github"}, "Member must satisfy enum value set"),
        ({"ConnectionName": "c"}, "Either a ProviderType or a HostArn"),
        ({"ConnectionName": "c", "HostArn": "arn:aws:codeconnections:us-east-1:111111111111:host/h-1"}, "not emulated"),
    ],
)
def test_a_wrong_connection_is_refused(account: str, given: dict[str, str], reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        client(account).create_connection(**given)


def test_the_service_answers_by_its_former_name_too(account: str) -> None:
    former = client(account, "codestar-connections")
    arn = former.create_connection(ConnectionName="connection", ProviderType="GitLab")["ConnectionArn"]
    assert arn.startswith(f"arn:aws:codestar-connections:us-east-1:{account}:connection/")
    assert client(account).get_connection(ConnectionArn=arn)["Connection"]["ProviderType"] == "GitLab"
