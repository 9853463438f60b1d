"""`mistral7b pipeline check`: what is printed, for people and for scripts, and the exit status."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Result, run_main
from tests.unit.fresh_accounts import fresh_account
from tests.unit.promotion.check.conftest import EmbeddedCloud, bootstrap

Say = Callable[..., Result]


@pytest.fixture
def accounts() -> tuple[str, str]:
    """The pipeline's account and staging's, which nothing else uses."""
    return fresh_account(), fresh_account()


@pytest.fixture
def folder(tmp_path: Path, accounts: tuple[str, str]) -> Path:
    """Environment files with a pipeline from dev to staging."""
    own, other = accounts
    (tmp_path / "dev.yaml").write_text("region: us-east-1\n")
    (tmp_path / "staging.yaml").write_text(f'region: us-east-1\naccount: "{other}"\n')
    (tmp_path / "pipeline.yaml").write_text(
        f'account: "{own}"\nregion: us-east-1\nsource: {{repository: owner/name}}\n'
        "environments: [{name: dev}, {name: staging}]\n"
    )
    return tmp_path


@pytest.fixture
def say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, accounts: tuple[str, str]
) -> Say:
    """Runs the command in this process, with credentials of the pipeline's account, of another, or of the shell."""
    monkeypatch.chdir(folder)  # cdk.json, which may name a qualifier, is the user's

    for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)

    def _say(*arguments: str, account: str | None = accounts[0]) -> Result:
        if account is not None:
            monkeypatch.setattr("mistral7b_cli.pipeline_check.Cloud", lambda: EmbeddedCloud(account))
            monkeypatch.setattr("mistral7b.endpoint.caller.caller_account", lambda session, region: account)
        return run_main(monkeypatch, capsys, "pipeline", "check", *arguments, "--environments", str(folder))

    return _say


def test_ready_accounts_exit_0_and_name_the_next_command(say: Say, accounts: tuple[str, str]) -> None:
    own, other = accounts
    bootstrap(own)
    bootstrap(other, trusts=(own,))
    result = say()
    assert (result.status, result.err) == (0, f"mistral-7b-pipeline, account {own}, us-east-1\n")
    assert f"staging ({other}, us-east-1)\nok           " in result.out
    assert result.out.endswith("22 ok, 1 not checked\n")


def test_unready_account_exits_1_and_names_the_command_that_fixes_it(say: Say, accounts: tuple[str, str]) -> None:
    own, other = accounts
    bootstrap(own)
    result = say()
    assert result.status == 1
    assert f"staging ({other}, us-east-1)\nfailure      bootstrap" in result.out
    assert f"  fix: with an administrator's credentials of {other}, run what `mistral7b boot" in result.out
    assert result.err.endswith("1 failure, 2 not checked: bootstrap\n")


def test_json_has_every_finding(say: Say, accounts: tuple[str, str]) -> None:
    own, _ = accounts
    bootstrap(own)
    result = say("--json")
    document = json.loads(result.out)
    assert (result.status, document["ready"]) == (1, False)
    of_dev = [one for one in document["checks"] if one["used_by"] == ["dev"]]
    assert {one["outcome"] for one in of_dev} == {"ok"}
    assert [(one["check"], one["used_by"], one["outcome"]) for one in document["checks"] if one not in of_dev] == [
        ("bootstrap", ["pipeline", "dev"], "ok"),
        ("bootstrap", ["staging"], "failure"),
        ("environment", ["staging"], "not checked"),
        ("connection", ["pipeline"], "not checked"),
    ]
    (problem,) = document["problems"]
    assert problem["file"].endswith("pipeline.yaml")
    assert problem["fix"].startswith("with an administrator's credentials of")


def test_credentials_of_another_account_exit_3(say: Say, folder: Path, accounts: tuple[str, str]) -> None:
    own, other = accounts
    result = say(account=other)
    assert (result.status, result.out) == (3, "")
    assert result.err == (
        f"mistral7b: these are credentials of account {other}; {folder}/pipeline.yaml says {own}\n"
        "fix: set AWS_PROFILE to a profile of that account\n"
    )


def test_folder_without_pipeline_file_exits_2(say: Say, folder: Path) -> None:
    (folder / "pipeline.yaml").unlink()
    result = say()
    assert (result.status, result.out) == (2, "")
    assert f"{folder}/pipeline.yaml: there is no such file\nfix: add one" in result.err


def test_wrong_pipeline_file_exits_2_before_any_aws_call(say: Say, folder: Path) -> None:
    (folder / "pipeline.yaml").write_text("region: us-east-1\n")
    result = say()
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("mistral7b: 3 problems in the pipeline file")
