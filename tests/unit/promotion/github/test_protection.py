"""What is said of environments that GitHub does not protect as they have to be."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import UnreadableSettingsError, github, github_environments, unprotected
from tests.unit.promotion.github.fake_github import TOKEN, Answers, answering, protected

PREFIX = "/repos/octo-org/mistral-7b/environments"


def test_nothing_is_said_where_all_is_protected(promotion: Promotion) -> None:
    assert list(unprotected(promotion, protected(promotion).get)) == []


def test_an_environment_that_is_not_there_is_told(promotion: Promotion) -> None:
    answers = protected(promotion)
    del answers[f"{PREFIX}/dev-security"]
    assert list(unprotected(promotion, answers.get)) == ["dev-security: GitHub has no such environment"]


@pytest.mark.parametrize("name", ["dev-security", "prod", "prod-security"])
def test_an_approval_without_reviewers_is_told(promotion: Promotion, name: str) -> None:
    answers = protected(promotion)
    answers[f"{PREFIX}/{name}"]["protection_rules"] = [{"type": "required_reviewers", "reviewers": []}]
    assert list(unprotected(promotion, answers.get)) == [f"{name}: it has no required reviewers"]


def test_dev_needs_no_reviewers(promotion: Promotion) -> None:
    reviewed = {environment.name for environment in github_environments(promotion) if environment.reviewed}
    assert reviewed == {"dev-security", "staging-security", "prod-security", "prod"}


@pytest.mark.parametrize("policy", [None, {"protected_branches": True, "custom_branch_policies": False}])
def test_an_environment_for_every_branch_is_told(promotion: Promotion, policy: Any) -> None:
    answers = protected(promotion)
    answers[f"{PREFIX}/dev"]["deployment_branch_policy"] = policy
    assert list(unprotected(promotion, answers.get)) == ["dev: it takes deployments of other branches than main"]


@pytest.mark.parametrize(
    ("policies", "named"),
    [
        ([], "none"),
        ([{"name": "main", "type": "tag"}], "main"),
        ([{"name": "main", "type": "branch"}, {"name": "topic/*", "type": "branch"}], "main, topic/*"),
    ],
)
def test_an_environment_for_other_branches_is_told(promotion: Promotion, policies: Any, named: str) -> None:
    answers = protected(promotion)
    answers[f"{PREFIX}/dev/deployment-branch-policies"] = {"branch_policies": policies}
    expected = f"dev: it takes deployments of {named}, and not of the branch main alone"
    assert list(unprotected(promotion, answers.get)) == [expected]


def test_an_answer_of_another_form_is_an_error(promotion: Promotion) -> None:
    with pytest.raises(UnreadableSettingsError, match="dev-security in an unknown form"):
        list(unprotected(promotion, lambda path: {"message": "what?"}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """GitHub's REST API: answers to be filled in."""
    answers: Answers = {}
    with answering(answers) as url:
        monkeypatch.setenv("GITHUB_API_URL", url)
        monkeypatch.setenv("GH_TOKEN", TOKEN)
        yield answers


def test_github_is_asked_with_the_token(server: Answers) -> None:
    server["/repos/o/r"] = (200, json.dumps({"id": 1}))
    assert github()("/repos/o/r") == {"id": 1}


def test_what_github_does_not_have_is_nothing(server: Answers) -> None:
    assert github()("/repos/o/nothing") is None


def test_a_wrong_token_is_an_error_with_its_fix(server: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "wrong")
    with pytest.raises(UnreadableSettingsError, match=r"answers 401 to .*\nfix: the token needs to read Actions"):
        github()("/repos/o/r")


@pytest.mark.parametrize("answer", [(500, "{}"), (200, "no JSON")])
def test_a_github_that_does_not_answer_is_an_error(server: Answers, answer: tuple[int, str]) -> None:
    server["/repos/o/r"] = answer
    with pytest.raises(UnreadableSettingsError, match="try again later"):
        github()("/repos/o/r")


def test_without_a_token_the_fix_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GH_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(UnreadableSettingsError, match="gh auth token"):
        github()
