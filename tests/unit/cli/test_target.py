"""Where a command talks to is named before anything is asked, and another account than the file's is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mistral7b.endpoint.errors import EndpointError, ExpiredCredentialsError, UnreachableError
from tests.unit.cli.conftest import target

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

COMMANDS = [("invoke", "ours", "Hello!"), ("chat", "ours"), ("examples", "ours", "--language", "zh"), ("smoke", "ours")]
WRONG = "mistral7b: these are credentials of account 123456789012; {folder}/ours.yaml says 222222222222\n"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """Files of an environment of another account, whose endpoint is that of `dev`."""
    name = "endpoint_name: mistral-7b-instruct-dev\n"
    (tmp_path / "ours.yaml").write_text(f'region: us-east-1\naccount: "222222222222"\n{name}')
    return tmp_path


def sts_says(monkeypatch: pytest.MonkeyPatch, answer: str | EndpointError) -> None:
    """Has STS answer with an account, or not at all."""

    def caller_account(session: object, region: str) -> str:
        if isinstance(answer, EndpointError):
            raise answer
        return answer

    monkeypatch.setattr("mistral7b.endpoint.caller.caller_account", caller_account)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_credentials_of_another_account_are_refused_before_the_endpoint_is_asked(
    run: Run, ours: Path, command: tuple[str, ...]
) -> None:
    result = run(*command, "--environments", str(ours), stdin=b"Hello!\n")
    assert (result.status, result.out) == (3, "")
    fix = 'fix: eval "$(mistral7b local up --account 222222222222)"\n'
    assert result.err == WRONG.format(folder=ours) + fix


def test_on_aws_the_fix_of_another_account_is_a_profile(run: Run, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sts_says(monkeypatch, "123456789012")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://vpce.example:1")
    result = run("invoke", "ours", "Hello!", "--environments", str(ours))
    assert result.err == WRONG.format(folder=ours) + "fix: set AWS_PROFILE to a profile of that account\n"


def test_credentials_of_the_files_account_are_used(run: Run, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sts_says(monkeypatch, "222222222222")
    result = run("invoke", "ours", "Hello!", "--environments", str(ours))
    assert (result.status, result.err) == (0, target("dev").replace("123456789012", "222222222222"))


def test_without_an_answer_of_sts_the_account_is_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sts_says(monkeypatch, EndpointError("AccessDenied"))
    result = run("invoke", "dev", "Hello!")
    assert (result.status, result.err) == (0, "mistral-7b-instruct-dev, us-east-1, embedded AWS\n")


def test_endpoint_is_invoked_from_a_vpc_without_access_to_sts(
    run: Run, ours: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sts_says(monkeypatch, UnreachableError("Connect timeout"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url.replace("localhost", "127.1"))  # a host that is not the embedded AWS's
    result = run("invoke", "ours", "Hello!", "--environments", str(ours))
    assert (result.status, result.err) == (0, "mistral-7b-instruct-dev, us-east-1\n")


def test_credentials_that_aws_does_not_accept_end_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sts_says(monkeypatch, ExpiredCredentialsError("The token has expired"))
    result = run("invoke", "dev", "Hello!")
    assert (result.status, result.out) == (3, "")
    assert "the AWS credentials have expired" in result.err
