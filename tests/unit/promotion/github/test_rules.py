"""What a pipeline file may not say with `github_actions`."""

from pathlib import Path
from typing import Any

import pytest

from mistral7b.environment import EnvironmentFileError
from tests.unit.promotion.github.pipelines import ACCOUNTS, load


def provider(account: str, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:oidc-provider/token.actions.githubusercontent.com"


def refused(folder: Path, changes: dict[str, Any]) -> list[tuple[str, str]]:
    """Field and reason of every problem."""
    with pytest.raises(EnvironmentFileError) as error:
        load(folder, changes)
    return [(problem.field, problem.reason) for problem in error.value.problems]


@pytest.mark.parametrize(("host", "repository"), [("gitlab", "group/sub/name"), ("bitbucket", "team/name")])
def test_the_repository_has_to_be_on_github(tmp_path: Path, host: str, repository: str) -> None:
    source = {"provider": host, "repository": repository}
    assert refused(tmp_path, {"source": source}) == [("github_actions", f"the repository is on {host}")]


def test_without_github_actions_the_repository_may_be_elsewhere(tmp_path: Path) -> None:
    changes = {"source": {"provider": "gitlab", "repository": "group/name"}, "github_actions": None}
    assert load(tmp_path, changes).settings.github_actions is None


@pytest.mark.parametrize("prefix", ["repo:octo-org/mistral-7b", "repo:Octo-Org@1/mistral-7b@2"])
def test_a_subject_of_the_repository_is_taken(tmp_path: Path, prefix: str) -> None:
    given = load(tmp_path, {"github_actions": {"subject_prefix": prefix}}).settings.github_actions
    assert given is not None
    assert given.subject_prefix == prefix


@pytest.mark.parametrize(
    "prefix",
    [
        "repo:octo-org@1/other@2",
        "repo:*",
        "repo:octo-org@*/mistral-7b@*",
        "repo:octo-org/mistral-7b:ref:refs/heads/main",
        "octo-org/mistral-7b",
        "repo:octo-org@1/mistral-7b@2\n",
    ],
)
def test_a_subject_of_anything_else_is_refused(tmp_path: Path, prefix: str) -> None:
    problems = refused(tmp_path, {"github_actions": {"subject_prefix": prefix}})
    assert problems == [("github_actions.subject_prefix", "no token of octo-org/mistral-7b begins so")]


def test_a_provider_of_each_account_is_taken(tmp_path: Path) -> None:
    arns = [provider(account) for account in ACCOUNTS.values()]
    given = load(tmp_path, {"github_actions": {"oidc_provider_arns": arns}}).settings.github_actions
    assert given is not None
    assert given.oidc_provider_arns == arns


@pytest.mark.parametrize("arn", [provider("999999999999"), provider(ACCOUNTS["prod"], "aws-cn")])
def test_a_provider_of_another_account_is_refused(tmp_path: Path, arn: str) -> None:
    problems = refused(tmp_path, {"github_actions": {"oidc_provider_arns": [arn]}})
    assert problems == [("github_actions.oidc_provider_arns[0]", "no promoted environment is in its account")]


def test_an_environment_named_as_anothers_approval_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dev-security.yaml").write_text("region: eu-central-1\n")
    [(field, reason)] = refused(tmp_path, {"environments": [{"name": "dev"}, {"name": "dev-security"}]})
    assert field == "environments[1].name"
    assert reason == "the GitHub environment for security changes of dev has this name"


def test_artifacts_that_github_would_not_keep_as_long_are_refused(tmp_path: Path) -> None:
    [(field, reason)] = refused(tmp_path, {"artifacts": {"retention_days": 401}})
    assert field == "artifacts.retention_days"
    assert "400 days at most" in reason
