"""All checks together: who asks, where, in which order; and constants that are the CDK's."""

import json
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest

from mistral7b.operate.account import CHECKS
from mistral7b.operate.bootstrap import NEEDED_VERSION
from mistral7b.operate.checks import Finding
from mistral7b.project import DEFAULT_QUALIFIER, Bootstrap
from mistral7b.promotion import Promotion
from mistral7b.promotion.check.checks import check, named_roles
from sagehost import moto_app, quotas
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap
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


def test_every_account_and_region_is_checked_once_and_then_the_connection(
    cloud: EmbeddedCloud, promotion: Promotion
) -> None:
    other = promotion.environments[2].account
    bootstrap(cloud.account)
    bootstrap(other, trusts=(cloud.account,))
    found = [one for one in check(promotion, cloud) if one.check in ("bootstrap", "connection")]
    assert [(one.check, one.used_by, one.account, one.region, one.outcome) for one in found] == [
        ("bootstrap", ("pipeline", "dev", "test"), cloud.account, "us-east-1", "ok"),
        ("bootstrap", ("staging",), other, "us-east-1", "ok"),
        ("bootstrap", ("pipeline",), cloud.account, "eu-west-1", "failure"),
        ("bootstrap", ("prod",), other, "eu-west-1", "failure"),
        ("connection", ("pipeline",), cloud.account, "us-east-1", "not checked"),
    ]


def test_every_environment_has_the_checks_of_the_doctor(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    bootstrap(cloud.account)
    other = promotion.environments[2].account
    bootstrap(other, trusts=(cloud.account,))
    quotas.APPLIED[other, REGION, "L-9614C779"] = 0
    group = "/aws/sagemaker/Endpoints/mistral-7b-instruct-test"
    moto_app.client("logs", cloud.account, REGION).create_log_group(logGroupName=group)
    found = check(promotion, cloud)
    of_dev = [one.check for one in found if one.used_by == ("dev",)]
    assert of_dev == [one.name for one in CHECKS if one.name != "bootstrap"]
    assert [(one.used_by, one.check, one.outcome, Path(one.file).name) for one in found if one.outcome != "ok"] == [
        (("pipeline",), "bootstrap", "failure", "pipeline.yaml"),
        (("prod",), "bootstrap", "failure", "pipeline.yaml"),
        (("test",), "names", "failure", "test.yaml"),
        (("staging",), "quota", "failure", "staging.yaml"),
        (("prod",), "environment", "not checked", "prod.yaml"),
        (("pipeline",), "connection", "not checked", "pipeline.yaml"),
    ]


def test_the_qualifier_is_that_of_cdk_json(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    bootstrap(cloud.account, qualifier="ours1")
    for own, outcome in ((Bootstrap("ours1"), "ok"), (Bootstrap(), "failure")):
        assert check(promotion, cloud, bootstrap=own)[0].outcome == outcome


def test_roles_that_a_promoted_environment_gets_are_named(promotion: Promotion) -> None:
    assert named_roles(promotion, "dev") == ("mistral-7b-dev-gate",)
    assert named_roles(promotion, "scratch") == named_roles(None, "dev") == ()


def test_each_finding_is_reported_as_it_comes(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    told = list[Finding]()
    found = check(promotion, cloud, told.extend)
    assert sorted(map(repr, told)) == sorted(map(repr, found))


def test_the_version_and_qualifier_are_those_of_the_cdks_assemblies(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.CfnWaitConditionHandle(cdk.Stack(app, "stack"), "Handle")
    app.synth()
    properties = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]["stack"]["properties"]
    needed = (properties["requiresBootstrapStackVersion"], properties["lookupRole"]["requiresBootstrapStackVersion"])
    assert max(needed) == NEEDED_VERSION
    assert properties["bootstrapStackVersionSsmParameter"] == f"/cdk-bootstrap/{DEFAULT_QUALIFIER}/version"
