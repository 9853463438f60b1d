"""The roles that environments name as callers, and a bootstrap of another qualifier."""

import json

import pytest

from mistral7b.project import Bootstrap
from mistral7b.promotion import Promotion
from mistral7b.promotion.check.checks import Finding, check
from sagehost import moto_app
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap, fix
from tests.unit.promotion.conftest import Load, head, promoting


@pytest.fixture
def promotion(cloud: EmbeddedCloud, load: Load) -> Promotion:
    """dev, whose file names two callers, in the pipeline's account."""
    files = {"dev": f"region: {REGION}\ncallers: {{role_names: [backend, search]}}\n"}
    return load(head(account=f'account: "{cloud.account}"') + promoting("dev"), files)


def create(account: str, *roles: str) -> None:
    nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
    for role in roles:
        moto_app.client("iam", account, REGION).create_role(RoleName=role, AssumeRolePolicyDocument=nobody)


def callers(found: list[Finding]) -> Finding:
    [one] = [one for one in found if one.subject == "environment"]
    return one


def test_a_caller_that_does_not_exist_is_refused_by_name(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    bootstrap(cloud.account)
    create(cloud.account, "search")
    found = callers(check(promotion, cloud))
    assert found.status == "refused"
    assert found.detail.endswith("dev.yaml: callers.role_names = 'backend': there is no such role in the account")
    assert fix(found) == "create it first, or take it out"


def test_callers_that_exist_are_fine(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    bootstrap(cloud.account)
    create(cloud.account, "backend", "search")
    assert callers(check(promotion, cloud)).status == "fine"


def test_callers_are_looked_at_once_their_account_is_bootstrapped(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    assert callers(check(promotion, cloud)).status == "later"


def test_a_bootstrap_is_looked_for_by_its_qualifier(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    bootstrap(cloud.account, qualifier="ours1")
    found = {one.subject: one.status for one in check(promotion, cloud, bootstrap=Bootstrap("ours1"))}
    assert found["bootstrap"] == "fine"
    assert {one.subject: one.status for one in check(promotion, cloud)}["bootstrap"] == "refused"
