"""All checks together: who asks, where, in which order; and constants that are the CDK's."""

import json
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest

from mistral7b.environment import Environment, Problem
from mistral7b.operate.account import Client
from mistral7b.project import DEFAULT_QUALIFIER
from mistral7b.promotion import Promotion
from mistral7b.promotion.check.bootstrap import NEEDED_VERSION
from mistral7b.promotion.check.checks import Finding, check
from tests.unit.promotion.check.conftest import EmbeddedCloud, bootstrap, fix
from tests.unit.promotion.conftest import Load, head, promoting


@pytest.fixture
def promotion(cloud: EmbeddedCloud, account: Callable[[], str], load: Load) -> Promotion:
    """dev and test in the pipeline's account, staging in another, prod in that one's other region."""
    other = account()
    files = {
        "dev": "region: us-east-1\n",
        "test": "region: us-east-1\n",
        "staging": f'region: us-east-1\naccount: "{other}"\n',
        "prod": f'region: eu-west-1\naccount: "{other}"\n',
    }
    return load(head(account=f'account: "{cloud.account}"') + promoting("dev", "test", "staging", "prod"), files)


def test_every_account_and_region_is_asked_once_and_then_the_connection(
    cloud: EmbeddedCloud, promotion: Promotion
) -> None:
    other = promotion.environments[2].account
    bootstrap(cloud.account)
    bootstrap(other, trusts=(cloud.account,))
    found = check(promotion, cloud)
    asked = [one for one in found if one.subject != "environment"]
    assert [(one.subject, one.used_by, one.account, one.region, one.status) for one in asked] == [
        ("bootstrap", ("pipeline", "dev", "test"), cloud.account, "us-east-1", "fine"),
        ("bootstrap", ("staging",), other, "us-east-1", "fine"),
        ("bootstrap", ("pipeline",), cloud.account, "eu-west-1", "refused"),
        ("bootstrap", ("prod",), other, "eu-west-1", "refused"),
        ("connection", ("pipeline",), cloud.account, "us-east-1", "later"),
    ]


def test_what_stands_against_any_environment_is_found_at_once(
    cloud: EmbeddedCloud, promotion: Promotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def problems(_client: Client, env: Environment, file: object) -> list[Problem]:
        wrong = Problem(str(file), None, "instance.type", env.instance_type, "it scales", "deploy twice")
        return [wrong] if env.name in ("test", "staging") else []

    monkeypatch.setattr("mistral7b.promotion.check.checks.account_problems", problems)
    bootstrap(cloud.account)
    bootstrap(promotion.environments[2].account, trusts=(cloud.account,))
    found = {one.used_by: (one.status, fix(one)) for one in check(promotion, cloud) if one.subject == "environment"}
    assert found == {
        ("dev",): ("fine", ""),
        ("test",): ("refused", "deploy twice"),
        ("staging",): ("refused", "deploy twice"),
        ("prod",): ("later", ""),
    }


def test_each_finding_is_told_as_it_comes(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    told = list[Finding]()
    found = check(promotion, cloud, told.append)
    assert len(told) == len(found)
    assert set(told) == set(found)


def test_the_version_and_qualifier_are_those_of_the_cdks_assemblies(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.CfnWaitConditionHandle(cdk.Stack(app, "stack"), "Handle")
    app.synth()
    properties = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]["stack"]["properties"]
    needed = (properties["requiresBootstrapStackVersion"], properties["lookupRole"]["requiresBootstrapStackVersion"])
    assert max(needed) == NEEDED_VERSION
    assert properties["bootstrapStackVersionSsmParameter"] == f"/cdk-bootstrap/{DEFAULT_QUALIFIER}/version"
