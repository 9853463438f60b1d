"""Bootstrapped accounts of the embedded AWS, in this process, and the checks' way to them."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from mistral7b.operate.checks import Check, Finding, run
from mistral7b.operate.place import Place
from mistral7b.project import DEFAULT_QUALIFIER
from mistral7b.promotion.check.checks import lookup_client, readable
from mistral7b.promotion.check.cloud import Cloud, Credentials
from sagehost import moto_app
from tests.unit.fresh_accounts import fresh_account
from tests.unit.sessions import session_client

REGION = "us-east-1"


class EmbeddedCloud(Cloud):
    """The checks' questions go to this process."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.stubbed: dict[str, Any] = {}

    def client(self, service: str, region: str, credentials: Credentials | None = None) -> Any:
        if service in self.stubbed:
            return self.stubbed[service]
        if credentials is None:
            return moto_app.client(service, self.account, region)
        given = zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), credentials.values(), strict=True)
        return session_client(service, region, dict(given))

    def own_account(self, region: str) -> str:
        return self.account

    def stub(self, service: str) -> Stubber:
        """Has what the stubber is told answered, where the embedded AWS cannot be brought to."""
        client = boto3.Session("key", "secret", region_name=REGION).client(service)
        self.stubbed[service] = client
        stubber = Stubber(client)
        stubber.activate()
        return stubber


@pytest.fixture
def account() -> Callable[[], str]:
    """Accounts that nothing else uses."""
    return fresh_account


@pytest.fixture
def cloud(account: Callable[[], str]) -> EmbeddedCloud:
    """The pipeline's account."""
    return EmbeddedCloud(account())


def found(cloud: EmbeddedCloud, check: Check, place: Place) -> Finding:
    """What one check finds."""
    [finding] = run([readable(check, place, lookup_client(cloud, place), "pipeline.yaml")])
    return finding


def bootstrap(
    account: str,
    *,
    trusts: tuple[str, ...] = (),
    shows: tuple[str, ...] = (),
    version: int = 33,
    region: str = REGION,
    qualifier: str = DEFAULT_QUALIFIER,
    client: Callable[[str], Any] | None = None,
) -> None:
    """Makes of the CDK's bootstrap stack what the checks look at.

    Args:
        account: the account.
        trusts: other accounts that its deploy role trusts.
        shows: other accounts that its lookup role trusts, besides.
        version: of the bootstrap stack.
        region: the region.
        qualifier: of its names.
        client: makes the clients. Default: in this process.
    """
    make = client or (lambda service: moto_app.client(service, account, region))
    roles = make("iam")
    for kind in ("deploy", "file-publishing", "lookup", "cfn-exec"):
        trusted = (*trusts, *(shows if kind == "lookup" else ()))
        roles.create_role(
            RoleName=f"cdk-{qualifier}-{kind}-role-{account}-{region}",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [*_trust(account, trusted)]}),
        )
    name = f"/cdk-bootstrap/{qualifier}/version"
    make("ssm").put_parameter(Name=name, Value=str(version), Type="String")


def _trust(account: str, others: tuple[str, ...]) -> list[dict[str, Any]]:
    """As bootstrap-template.yaml has it: a statement for the own account, and one for the others."""
    own = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    principals = [f"arn:aws:iam::{other}:root" for other in others]
    return [own, *([{**own, "Action": ["sts:AssumeRole"], "Principal": {"AWS": principals}}] if others else [])]
