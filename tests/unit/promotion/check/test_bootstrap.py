"""An account is ready when it is bootstrapped, new enough, and lets the pipeline's account deploy."""

import json
from collections.abc import Callable
from functools import partial

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from mistral7b.project import Bootstrap
from mistral7b.promotion.check.bootstrap import NEEDED_VERSION, check_bootstrap
from mistral7b.promotion.check.checks import Finding
from mistral7b.promotion.check.cloud import Credentials
from mistral7b.promotion.places import Place
from sagehost import moto_app
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap, fix, found

Account = Callable[[], str]
POLICY = "--cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess"


def place(account: str, cloud: EmbeddedCloud) -> Place:
    """Where staging is."""
    return Place(account, REGION, ("staging",), cloud.account)


def checked(cloud: EmbeddedCloud, where: Place) -> Finding:
    """The finding for a place."""
    return found(cloud, "bootstrap", where, partial(check_bootstrap, where))


def test_an_account_that_lets_the_pipeline_in_is_fine(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,))
    finding = checked(cloud, place(other, cloud))
    assert (finding.status, finding.used_by, finding.account, finding.region) == ("fine", ("staging",), other, REGION)
    assert finding.detail == f"version 33, lets {cloud.account} deploy"


def test_an_account_that_is_not_bootstrapped_is_told_how(cloud: EmbeddedCloud, account: Account) -> None:
    """Accounts are bootstrapped, of version 8 or later, and let the pipeline's in; the connection's handshake is done.
    Source: CDK, bootstrapping; CodeConnections user guide; asked by the command pipeline check.
    """
    other = account()
    finding = checked(cloud, place(other, cloud))
    assert finding.status == "refused"
    assert f"does not trust {cloud.account}, or does not exist" in finding.detail
    assert fix(finding) == (
        f"with an administrator's credentials of {other}: "
        f"cdk bootstrap aws://{other}/{REGION} --trust {cloud.account} {POLICY}"
    )


@pytest.mark.parametrize(
    ("own", "options"),
    [
        (Bootstrap("team7b"), " --qualifier team7b --toolkit-stack-name CDKToolkit-team7b"),
        (Bootstrap("team7b", "Ours"), " --qualifier team7b --toolkit-stack-name Ours"),
        (Bootstrap(toolkit="Ours"), " --toolkit-stack-name Ours"),
    ],
)
def test_the_command_names_another_qualifier_and_its_own_stack(
    own: Bootstrap, options: str, cloud: EmbeddedCloud, account: Account
) -> None:
    other = account()
    where = Place(other, REGION, ("staging",), cloud.account, own)
    assert f": cdk bootstrap aws://{other}/{REGION}{options} --trust" in fix(checked(cloud, where))


def test_a_bootstrap_without_trust_is_refused(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other)
    assert "does not trust" in checked(cloud, place(other, cloud)).detail


def test_the_pipelines_own_account_needs_no_trust(cloud: EmbeddedCloud) -> None:
    own = Place(cloud.account, REGION, ("pipeline", "dev"), cloud.account)
    assert fix(checked(cloud, own)).endswith(f": cdk bootstrap aws://{cloud.account}/{REGION}")
    bootstrap(cloud.account)
    assert checked(cloud, own).status == "fine"


def test_trust_for_look_ups_alone_is_refused_and_others_keep_theirs(cloud: EmbeddedCloud, account: Account) -> None:
    other, third = account(), account()
    bootstrap(other, trusts=(third,), shows=(cloud.account,))
    finding = checked(cloud, place(other, cloud))
    assert finding.status == "refused"
    assert f"deploy-role-{other}-{REGION} does not trust the pipeline's account" in finding.detail
    assert f"--trust {cloud.account} --trust {third} {POLICY}" in fix(finding)


def test_a_bootstrap_that_is_too_old_is_refused(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,), version=NEEDED_VERSION - 1)
    assert checked(cloud, place(other, cloud)).detail == "its bootstrap is of version 7, and 8 is needed"


def test_the_oldest_bootstrap_that_will_do_is_fine(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,), version=NEEDED_VERSION)
    assert checked(cloud, place(other, cloud)).status == "fine"


def test_a_bootstrap_without_its_version_is_damaged(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,))
    moto_app.client("ssm", other, REGION).delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    assert "is damaged" in checked(cloud, place(other, cloud)).detail


def test_a_bootstrap_without_its_deploy_role_is_damaged(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,))
    moto_app.client("iam", other, REGION).delete_role(RoleName=f"cdk-hnb659fds-deploy-role-{other}-{REGION}")
    assert "is damaged" in checked(cloud, place(other, cloud)).detail


def test_no_role_that_deploys_is_assumed(
    cloud: EmbeddedCloud, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, assumed, assume = account(), list[str](), cloud.assume

    def record(arn: str, region: str) -> Credentials:
        assumed.append(arn)
        return assume(arn, region)

    bootstrap(other, trusts=(cloud.account,))
    monkeypatch.setattr(cloud, "assume", record)
    checked(cloud, place(other, cloud))
    assert assumed == [f"arn:aws:iam::{other}:role/cdk-hnb659fds-lookup-role-{other}-{REGION}"]


def test_a_deploy_role_that_denies_or_lets_services_in_trusts_nobody(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,))
    statements = [
        {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"AWS": cloud.account}},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}},
        {"Effect": "Allow", "Action": "sts:TagSession", "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"}},
    ]
    moto_app.client("iam", other, REGION).update_assume_role_policy(
        RoleName=f"cdk-hnb659fds-deploy-role-{other}-{REGION}",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    assert "does not trust" in checked(cloud, place(other, cloud)).detail


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "AssumeRole"),
        EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com"),
    ],
)
def test_what_aws_does_not_answer_is_refused_and_never_fine(
    error: Exception, cloud: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_arn: str, _region: str) -> None:
        raise error

    monkeypatch.setattr(cloud, "assume", fail)
    finding = checked(cloud, place("222222222222", cloud))
    assert (finding.status, finding.detail) == ("refused", f"AWS could not be asked: {error}")
