"""What lets GitHub Actions in: whom, and to what."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from mistral7b.environment import load_environments
from mistral7b.promotion.github_actions import PROVIDER, subjects
from mistral7b_stacks.app import define
from mistral7b_stacks.stage import EnvironmentStage
from tests.unit.promotion.github.pipelines import ACCOUNTS, load
from tests.variants import new_app

PREFIXES = ("repo:octo-org/mistral-7b", "repo:octo-org@*/mistral-7b@*")
"""How the `sub` of the repository's tokens begins, by GitHub's older and newer form."""
Made = dict[str, Any]
"""Templates of the stacks `ENVIRONMENT/github`, by environment."""
Make = Callable[[dict[str, Any]], Made]


def stages_of(app: cdk.App) -> dict[str, EnvironmentStage]:
    return {stage.node.id: stage for stage in app.node.children if isinstance(stage, EnvironmentStage)}


def defined(folder: Path, changes: dict[str, Any], extra: dict[str, str] | None = None) -> cdk.App:
    """The app of such a pipeline file, with further environment files."""
    folder.mkdir()
    for name, text in (extra or {}).items():
        (folder / f"{name}.yaml").write_text(text)
    promotion = load(folder, changes)
    app = new_app()
    define(app, load_environments(folder), promotion)
    return app


def templates(app: cdk.App) -> Made:
    return {
        name: Template.from_stack(cdk.Stack.of(stage.node.find_child("github"))).to_json()
        for name, stage in stages_of(app).items()
        if stage.node.try_find_child("github")
    }


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> cdk.App:
    """Dev in the pipeline's account, staging and prod in theirs."""
    return defined(tmp_path_factory.mktemp("github") / "environments", {})


@pytest.fixture(scope="module")
def made(app: cdk.App) -> Made:
    return templates(app)


def of_type(template: Any, resource_type: str) -> list[dict[str, Any]]:
    return [r for r in template["Resources"].values() if r["Type"] == resource_type]


def role(template: Any, name: str) -> dict[str, Any]:
    properties: list[dict[str, Any]] = [r["Properties"] for r in of_type(template, "AWS::IAM::Role")]
    [found] = [one for one in properties if one.get("RoleName") == name]
    return found


def trusted(template: Any, name: str) -> dict[str, Any]:
    """Conditions under which tokens of GitHub take the role on."""
    [statement] = role(template, name)["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRoleWithWebIdentity")
    assert list(statement["Principal"]) == ["Federated"]
    return dict(statement["Condition"])


def allowed(template: Any, name: str) -> list[str]:
    """Resources of the role's statements, all of which allow sts:AssumeRole."""
    statements = [s for policy in role(template, name)["Policies"] for s in policy["PolicyDocument"]["Statement"]]
    assert {(s["Effect"], s["Action"]) for s in statements} == {("Allow", "sts:AssumeRole")}
    return [resource for statement in statements for resource in listed(statement["Resource"])]


def listed(value: Any) -> list[Any]:
    """One value or several, as policies have them."""
    return value if isinstance(value, list) else [value]


def test_each_promoted_environment_has_a_stack_of_its_own(made: Made) -> None:
    assert set(made) == {"dev", "staging", "prod"}


def test_without_github_actions_there_is_no_such_stack(tmp_path: Path) -> None:
    assert templates(defined(tmp_path / "environments", {"github_actions": None})) == {}


def test_an_environment_that_is_not_promoted_has_none(tmp_path: Path) -> None:
    app = defined(tmp_path / "environments", {"environments": [{"name": "dev"}]})
    assert set(templates(app)) == {"dev"}


def test_only_jobs_in_the_github_environment_assume_the_deploy_role(made: Made) -> None:
    for name, template in made.items():
        assert trusted(template, f"mistral-7b-{name}-github") == {
            "StringEquals": {f"{PROVIDER}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{PROVIDER}:sub": [f"{prefix}:environment:{name}" for prefix in PREFIXES]},
        }


def test_only_runs_of_the_branch_assume_the_review_role(made: Made) -> None:
    for name, template in made.items():
        assert trusted(template, f"mistral-7b-{name}-github-review") == {
            "StringEquals": {f"{PROVIDER}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{PROVIDER}:sub": [f"{prefix}:ref:refs/heads/main" for prefix in PREFIXES]},
        }


@pytest.mark.parametrize(
    ("sub", "trusted"),
    [
        ("repo:octo-org/mistral-7b:environment:dev", True),
        ("repo:octo-org@123456/mistral-7b@456789:environment:dev", True),
        ("repo:octo-org@123456/mistral-7b@456789:environment:prod", False),
        ("repo:octo-org@123456/mistral-7b-fork@456789:environment:dev", False),
        ("repo:octo-org-2@123456/mistral-7b@456789:environment:dev", False),
        ("repo:octo-org@1/other@2:ref:refs/heads/x/mistral-7b@3/environment/dev", False),
    ],
)
def test_both_forms_of_the_repositorys_name_are_trusted_and_no_other_repository(
    sub: str, trusted: bool, tmp_path: Path
) -> None:
    settings = load(tmp_path, {}).settings
    assert any(fnmatchcase(sub, pattern) for pattern in subjects(settings, "dev")) is trusted


def test_a_repository_with_immutable_subjects_is_trusted_by_those(tmp_path: Path) -> None:
    prefix = "repo:octo-org@123456/mistral-7b@456789"
    found = templates(defined(tmp_path / "environments", {"github_actions": {"subject_prefix": prefix}}))
    deploying = trusted(found["prod"], "mistral-7b-prod-github")["StringLike"]
    reviewing = trusted(found["prod"], "mistral-7b-prod-github-review")["StringLike"]
    assert listed(deploying[f"{PROVIDER}:sub"]) == [f"{prefix}:environment:prod"]
    assert listed(reviewing[f"{PROVIDER}:sub"]) == [f"{prefix}:ref:refs/heads/main"]


def test_the_deploy_role_assumes_only_bootstrap_roles_and_the_gate_role(made: Made) -> None:
    account = ACCOUNTS["staging"]
    assert allowed(made["staging"], "mistral-7b-staging-github") == [
        f"arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-eu-west-1",
        f"arn:aws:iam::{account}:role/cdk-hnb659fds-file-publishing-role-{account}-eu-west-1",
        f"arn:aws:iam::{account}:role/cdk-hnb659fds-lookup-role-{account}-eu-west-1",
        f"arn:aws:iam::{account}:role/mistral-7b-staging-gate",
    ]


def test_the_review_role_only_reads(made: Made) -> None:
    account = ACCOUNTS["prod"]
    assert allowed(made["prod"], "mistral-7b-prod-github-review") == [
        f"arn:aws:iam::{account}:role/cdk-hnb659fds-lookup-role-{account}-eu-west-1"
    ]


def test_an_environment_without_an_account_names_the_one_that_it_is_deployed_to(made: Made) -> None:
    assert "111111111111" not in json.dumps(made["dev"])
    assert '{"Ref": "AWS::AccountId"}' in json.dumps(made["dev"])


def test_a_session_lasts_as_long_as_the_job_that_deploys(made: Made) -> None:
    assert role(made["staging"], "mistral-7b-staging-github")["MaxSessionDuration"] == 60 * 145


def test_the_gate_role_trusts_the_deploy_role(app: cdk.App) -> None:
    account = ACCOUNTS["staging"]
    endpoint = Template.from_stack(stages_of(app)["staging"].endpoint).to_json()
    trust = role(endpoint, "mistral-7b-staging-gate")["AssumeRolePolicyDocument"]["Statement"]
    names = [name for s in trust for name in listed(s["Condition"]["ArnEquals"]["aws:PrincipalArn"])]
    assert f"arn:aws:iam::{account}:role/mistral-7b-staging-github" in names
    assert not any(name.endswith("github-review") for name in names)


def test_each_account_gets_githubs_provider(made: Made) -> None:
    for template in made.values():
        [provider] = of_type(template, "AWS::IAM::OIDCProvider")
        assert provider["Properties"]["Url"] == f"https://{PROVIDER}"
        assert provider["Properties"]["ClientIdList"] == ["sts.amazonaws.com"]
        assert provider["DeletionPolicy"] == "Delete"


def test_a_provider_that_exists_is_used_and_not_made(tmp_path: Path) -> None:
    arn = f"arn:aws:iam::{ACCOUNTS['staging']}:oidc-provider/{PROVIDER}"
    found = templates(defined(tmp_path / "environments", {"github_actions": {"oidc_provider_arns": [arn]}}))
    makes = {name: bool(of_type(template, "AWS::IAM::OIDCProvider")) for name, template in found.items()}
    assert makes == {"dev": True, "staging": False, "prod": True}
    [statement] = role(found["staging"], "mistral-7b-staging-github")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Federated": arn}


def test_two_environments_of_an_account_share_one_provider_which_outlives_the_first(tmp_path: Path) -> None:
    shared = {"dev": "region: us-east-1\n", "test": "region: eu-central-1\n"}
    changes = {"environments": [{"name": "test"}, {"name": "dev"}]}
    found = templates(defined(tmp_path / "environments", changes, shared))
    [provider] = of_type(found["test"], "AWS::IAM::OIDCProvider")
    assert provider["DeletionPolicy"] == "RetainExceptOnCreate"
    assert of_type(found["dev"], "AWS::IAM::OIDCProvider") == []
