"""An account is ready when it is bootstrapped, new enough, and lets the pipeline's account deploy."""

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from mistral7b.operate.bootstrap import NEEDED_VERSION
from mistral7b.operate.bootstrap import bootstrap as bootstrap_check
from mistral7b.operate.calls import Client
from mistral7b.operate.checks import Finding
from mistral7b.operate.place import Place
from mistral7b.project import Bootstrap
from sagehost import moto_app
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap, found

Account = Callable[[], str]
POLICY = "--cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess"


def place(account: str, cloud: EmbeddedCloud) -> Place:
    """Where staging is."""
    return Place(account, REGION, ("staging",), cloud.account)


def checked(cloud: EmbeddedCloud, where: Place) -> Finding:
    """The finding for a place."""
    return found(cloud, bootstrap_check, where)


def test_an_account_that_lets_the_pipeline_in_is_fine(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,))
    finding = checked(cloud, place(other, cloud))
    assert (finding.outcome, finding.used_by, finding.account, finding.region) == ("ok", ("staging",), other, REGION)
    assert finding.found == f"version 33, lets {cloud.account} deploy"


def test_an_account_that_is_not_bootstrapped_has_the_command(cloud: EmbeddedCloud, account: Account) -> None:
    """Accounts are bootstrapped, of version 8 or later, and let the pipeline's in; the connection's handshake is done.
    Source: CDK, bootstrapping; CodeConnections user guide; asked by the command pipeline check.
    """
    other = account()
    finding = checked(cloud, place(other, cloud))
    assert finding.outcome == "failure"
    assert f"does not trust {cloud.account}, or does not exist" in finding.found
    assert finding.fix == (
        f"with an administrator's credentials of {other}, run what `mistral7b bootstrap-policy` prints, "
        f"or let CloudFormation do everything: cdk bootstrap aws://{other}/{REGION} --trust {cloud.account} {POLICY}"
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
    assert f": cdk bootstrap aws://{other}/{REGION}{options} --trust" in checked(cloud, where).fix


def test_a_bootstrap_without_trust_fails(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other)
    assert "does not trust" in checked(cloud, place(other, cloud)).found


def test_the_pipelines_own_account_needs_no_trust(cloud: EmbeddedCloud) -> None:
    own = Place(cloud.account, REGION, ("pipeline", "dev"), cloud.account)
    assert checked(cloud, own).fix.endswith(f": cdk bootstrap aws://{cloud.account}/{REGION}")
    bootstrap(cloud.account)
    assert checked(cloud, own).outcome == "ok"


def test_trust_only_for_lookups_fails_and_others_keep_theirs(cloud: EmbeddedCloud, account: Account) -> None:
    other, third = account(), account()
    bootstrap(other, trusts=(third,), shows=(cloud.account,))
    finding = checked(cloud, place(other, cloud))
    assert finding.outcome == "failure"
    assert f"deploy-role-{other}-{REGION} does not trust the pipeline's account" in finding.found
    assert f"--trust {cloud.account} --trust {third} {POLICY}" in finding.fix


def test_a_bootstrap_that_is_too_old_fails(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,), version=NEEDED_VERSION - 1)
    assert checked(cloud, place(other, cloud)).found == "the bootstrap is of version 7, and 8 is needed"


def test_the_oldest_bootstrap_that_will_do_is_fine(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,), version=NEEDED_VERSION)
    assert checked(cloud, place(other, cloud)).outcome == "ok"


def test_an_account_without_the_bootstraps_version_is_not_bootstrapped(cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,))
    moto_app.client("ssm", other, REGION).delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    assert "not bootstrapped" in checked(cloud, place(other, cloud)).found


@pytest.mark.parametrize("kind", ["deploy", "file-publishing", "cfn-exec"])
def test_a_bootstrap_without_one_of_its_roles_is_damaged(kind: str, cloud: EmbeddedCloud, account: Account) -> None:
    other = account()
    bootstrap(other, trusts=(cloud.account,))
    moto_app.client("iam", other, REGION).delete_role(RoleName=f"cdk-hnb659fds-{kind}-role-{other}-{REGION}")
    assert "is damaged" in checked(cloud, place(other, cloud)).found


def test_no_role_that_deploys_is_assumed(
    cloud: EmbeddedCloud, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, assumed, assume = account(), list[str](), cloud.acting_as

    def record(arn: str, region: str) -> Client:
        assumed.append(arn)
        return assume(arn, region)

    bootstrap(other, trusts=(cloud.account,))
    monkeypatch.setattr(cloud, "acting_as", record)
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
    assert "does not trust" in checked(cloud, place(other, cloud)).found


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "AssumeRole"),
        EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com"),
    ],
)
def test_what_aws_does_not_answer_fails_and_never_fine(
    error: Exception, cloud: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_arn: str, _region: str) -> None:
        raise error

    monkeypatch.setattr(cloud, "acting_as", fail)
    finding = checked(cloud, place("222222222222", cloud))
    assert (finding.outcome, finding.found) == ("failure", f"AWS could not be asked: {error}")
