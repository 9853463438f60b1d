"""What files take for granted is made with the ids and names of the files, and found where it is there already."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.environment import Environment
from mistral7b_cli.demo.prerequisites import oidc_providers, permissions_boundary, prerequisites
from sagehost import moto_app
from tests.unit.fresh_accounts import fresh_account

REGION = "us-west-2"
VPC = "vpc-0123456789abcdef0"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
ZONES = ["us-west-2a", "us-west-2a", "us-west-2b"]
TABLES = ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"]


@pytest.fixture
def account() -> str:
    return fresh_account()


@pytest.fixture
def client(account: str) -> Callable[[str], Any]:
    return lambda service: moto_app.client(service, account, REGION)


def environment(**values: Any) -> Environment:
    return Environment.model_validate({"name": "dev", "region": REGION, **values})


def in_vpc(subnets: int = 3, cidr: str = "10.20.0.0/16", tables: list[str] = TABLES) -> Environment:
    existing = {
        "vpc_id": VPC,
        "cidr": cidr,
        "subnet_ids": SUBNETS[:subnets],
        "availability_zones": ZONES[:subnets],
        "route_table_ids": tables,
    }
    return environment(network={"existing_vpc": existing})


def made(env: Environment, account: str) -> list[str]:
    return list(prerequisites(env, account, moto_app.client))


def test_environment_without_prerequisites_creates_nothing(account: str) -> None:
    assert made(environment(), account) == []


def test_a_caller_is_a_role_that_the_account_may_assume(account: str, client: Callable[[str], Any]) -> None:
    env = environment(callers={"role_names": ["search-backend"]})
    assert made(env, account) == [f"role search-backend in {account}"]
    role = client("iam").get_role(RoleName="search-backend")["Role"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"AWS": account}, "sts:AssumeRole")


def test_a_vpc_has_the_files_subnets_in_their_zones_and_route_tables(
    account: str, client: Callable[[str], Any]
) -> None:
    lines = made(in_vpc(), account)
    assert lines[0] == f"VPC {VPC} (10.20.0.0/16) in {account}"
    subnets = client("ec2").describe_subnets(SubnetIds=SUBNETS)["Subnets"]
    assert {one["SubnetId"]: one["AvailabilityZone"] for one in subnets} == dict(zip(SUBNETS, ZONES, strict=True))
    tables = client("ec2").describe_route_tables(RouteTableIds=TABLES)["RouteTables"]
    associated = {one["RouteTableId"]: [a["SubnetId"] for a in one["Associations"]] for one in tables}
    assert associated == {TABLES[0]: [SUBNETS[0], SUBNETS[2]], TABLES[1]: [SUBNETS[1]]}


@pytest.mark.parametrize("attribute", ["enableDnsSupport", "enableDnsHostnames"])
def test_the_vpcs_dns_is_on(account: str, client: Callable[[str], Any], attribute: str) -> None:
    made(in_vpc(), account)
    found = client("ec2").describe_vpc_attribute(VpcId=VPC, Attribute=attribute)
    assert found[attribute[0].upper() + attribute[1:]]["Value"] is True


@pytest.mark.parametrize(("tables", "services"), [(TABLES, []), ([], [f"com.amazonaws.{REGION}.s3"])])
def test_a_vpc_has_an_s3_gateway_endpoint_only_where_the_file_names_no_route_tables(
    account: str, client: Callable[[str], Any], tables: list[str], services: list[str]
) -> None:
    made(in_vpc(tables=tables), account)
    assert [one["ServiceName"] for one in client("ec2").describe_vpc_endpoints()["VpcEndpoints"]] == services


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.0.0.0/24", "10.0.0.0/26"])
def test_subnets_fit_into_a_vpc_of_every_size(account: str, cidr: str) -> None:
    assert len(made(in_vpc(cidr=cidr), account)) == 6


def test_an_environment_in_the_same_vpc_adds_the_subnets_that_are_missing(account: str) -> None:
    made(in_vpc(subnets=2), account)
    assert [line.split()[1] for line in made(in_vpc(subnets=3), account)] == [SUBNETS[2]]


@pytest.mark.parametrize("owner", [None, "777788889999"])
def test_a_key_lets_cloudwatch_logs_of_its_region_encrypt(
    account: str, client: Callable[[str], Any], owner: str | None
) -> None:
    key = f"mrk-0123456789abcdef{int(account):016x}"
    arn = f"arn:aws:kms:{REGION}:{owner or account}:key/{key}"
    assert made(environment(encryption={"kms_key_arn": arn}), account) == [f"KMS key {key} in {owner or account}"]
    client("logs").create_log_group(logGroupName="encrypted", kmsKeyId=arn)
    other = moto_app.client("logs", account, "us-east-1")
    with pytest.raises(ClientError, match="does not exist"):
        other.create_log_group(logGroupName="encrypted", kmsKeyId=arn)


def test_a_key_in_china_lets_the_logs_of_china_encrypt(account: str) -> None:
    region, key = "cn-north-1", f"mrk-0123456789abcdef{int(account):016x}"
    arn = f"arn:aws-cn:kms:{region}:{account}:key/{key}"
    env = Environment.model_validate({"name": "dev", "region": region, "encryption": {"kms_key_arn": arn}})
    assert made(env, account) == [f"KMS key {key} in {account}"]
    moto_app.client("logs", account, region).create_log_group(logGroupName="encrypted", kmsKeyId=arn)


@pytest.mark.parametrize(
    "env",
    [
        in_vpc(),
        in_vpc(tables=[]),
        environment(callers={"role_names": ["search-backend"]}),
        environment(
            encryption={"kms_key_arn": f"arn:aws:kms:{REGION}:555566667777:key/01234567-89ab-cdef-0123-456789abcdef"}
        ),
    ],
)
def test_existing_resources_are_left_alone(account: str, env: Environment) -> None:
    made(env, account)
    assert made(env, account) == []


@pytest.mark.parametrize(
    ("context", "policy"),
    [
        ({}, None),
        ({"@aws-cdk/core:permissionsBoundary": {"name": "limits-${AWS::Region}"}}, f"policy/limits-{REGION}"),
        (
            {
                "@aws-cdk/core:permissionsBoundary": {"name": "team/${Qualifier}"},
                "@aws-cdk/core:bootstrapQualifier": "team7b",
            },
            "policy/team/team7b",
        ),
        ({"@aws-cdk/core:permissionsBoundary": {"arn": "arn:aws:iam::111122223333:policy/limits"}}, "policy/limits"),
        ({"@aws-cdk/core:permissionsBoundary": {"arn": "arn:aws:iam::aws:policy/PowerUserAccess"}}, None),
    ],
)
def test_the_permissions_boundary_of_cdk_json_is_a_policy_of_the_account(
    account: str, client: Callable[[str], Any], tmp_path: Path, context: dict[str, Any], policy: str | None
) -> None:
    (tmp_path / "cdk.json").write_text(json.dumps({"context": context}))
    lines = list(permissions_boundary(tmp_path, account, REGION, moto_app.client))
    arns = [one["Arn"].split(":", 5)[5] for one in client("iam").list_policies(Scope="Local")["Policies"]]
    assert arns == ([policy] if policy else [])
    assert len(lines) == len(arns)
    assert list(permissions_boundary(tmp_path, account, REGION, moto_app.client)) == []


def test_openid_connect_providers_are_made_in_their_own_accounts(account: str, client: Callable[[str], Any]) -> None:
    arn = f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
    assert len(list(oidc_providers([arn], REGION, moto_app.client))) == 1
    assert [one["Arn"] for one in client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]] == [arn]
    assert list(oidc_providers([arn], REGION, moto_app.client)) == []
