"""What the commit's files take for granted is made in each environment's own account and region."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mistral7b.environment import Environment
from mistral7b.promotion import PipelineSettings, PromotedEnvironment, Promotion
from mistral7b_cli.demo.report import Report
from mistral7b_cli.rehearsal.rehearse import Rehearsal
from mistral7b_cli.rehearsal.repository import Clone
from sagehost import moto_app
from tests.unit.fresh_accounts import fresh_account

PROVIDER = "token.actions.githubusercontent.com"


@dataclass
class InProcess:
    """The embedded AWS of this process, as a `Cloud`."""

    client: Callable[[str, str, str], Any] = moto_app.client


def rehearsal(folder: Path, tools: str, environments: dict[str, str]) -> Rehearsal:
    """A rehearsal of environments in accounts of their own, by region, whose callers and VPCs exist."""
    promoted = []
    for region, account in environments.items():
        vpc = {
            "vpc_id": "vpc-0123456789abcdef0",
            "cidr": "10.20.0.0/16",
            "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "availability_zones": [f"{region}a", f"{region}b"],
        }
        values = {"network": {"existing_vpc": vpc}, "callers": {"role_names": ["search-backend"]}}
        env = Environment.model_validate({"name": "dev", "account": account, "region": region, **values})
        promoted.append(PromotedEnvironment(env, account, (), False))
    settings = PipelineSettings.model_validate(
        {
            "account": tools,
            "region": "us-east-1",
            "source": {"repository": "team/mistral"},
            "environments": [{"name": "dev"}],
            "github_actions": {
                "oidc_provider_arns": [f"arn:aws:iam::{a}:oidc-provider/{PROVIDER}" for a in environments.values()]
            },
        }
    )
    promotion = Promotion(settings, folder / "pipeline.yaml", tuple(promoted))
    (folder / "cdk.json").write_text(json.dumps({"context": {"@aws-cdk/core:permissionsBoundary": {"name": "limits"}}}))
    report = Report(Console(quiet=True))
    return Rehearsal(InProcess(), promotion, Clone(folder, "", ""), report, folder)  # type: ignore[arg-type]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_an_environment_finds_roles_vpc_and_provider_in_its_account_and_region(tmp_path: Path, region: str) -> None:
    accounts = {"us-east-1": fresh_account(), "eu-west-1": fresh_account()}
    rehearsal(tmp_path, fresh_account(), accounts).make_prerequisites()
    iam = moto_app.client("iam", accounts[region], region)
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["search-backend"]
    [provider] = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert provider["Arn"] == f"arn:aws:iam::{accounts[region]}:oidc-provider/{PROVIDER}"
    subnets = moto_app.client("ec2", accounts[region], region).describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": ["vpc-0123456789abcdef0"]}]
    )["Subnets"]
    assert {one["AvailabilityZone"] for one in subnets} == {f"{region}a", f"{region}b"}


def test_every_account_has_the_permissions_boundary_the_pipelines_too(tmp_path: Path) -> None:
    tools, account = fresh_account(), fresh_account()
    rehearsal(tmp_path, tools, {"eu-west-1": account}).make_prerequisites()
    for one in (tools, account):
        policies = moto_app.client("iam", one, "us-east-1").list_policies(Scope="Local")["Policies"]
        assert [policy["PolicyName"] for policy in policies] == ["limits"]


def test_the_next_commit_finds_what_is_there(tmp_path: Path) -> None:
    twice = rehearsal(tmp_path, fresh_account(), {"eu-west-1": fresh_account()})
    twice.make_prerequisites()
    twice.make_prerequisites()
