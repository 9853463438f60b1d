"""First deployments that go wrong on the embedded AWS, each in its own way; the checks had named it before."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError, WaiterError

from mistral7b.container import start
from mistral7b.environment import Environment
from mistral7b_cli.demo.prerequisites import prerequisites
from mistral7b_stacks.app import define
from sagehost import hosting, moto_app, quotas
from sagehost.hosting.settings import HostingSettings
from tests.unit.fresh_accounts import fresh_account
from tests.unit.operate.embedded import REGION, all_found, environment
from tests.unit.promotion.check.conftest import bootstrap
from tests.variants import new_app, stages_of

QUOTA = "L-9614C779"
STACK = "mistral-7b-dev-endpoint"
TABLE, SUBNETS = "rtb-0123456789abcdef0", ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
EXISTING_VPC = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.20.0.0/16",
    "subnet_ids": SUBNETS,
    "availability_zones": ["use1-az1", "use1-az2"],
    "route_table_ids": [TABLE],
}
ENVIRONMENTS = {
    "own VPC": environment(callers={"role_names": ["backend"]}, compliance_packs=[]),
    "existing VPC": environment(network={"existing_vpc": EXISTING_VPC}, compliance_packs=[]),
}


@pytest.fixture(scope="module", autouse=True)
def _embedded() -> None:
    containers = {"huggingface-pytorch-tgi-inference": lambda: start}
    hosting.install(HostingSettings(endpoint_seconds=0, interface_seconds=0), containers=containers)


@pytest.fixture(scope="module")
def bodies() -> dict[str, str]:
    """The template of each environment."""
    made = {}
    for name, env in ENVIRONMENTS.items():
        app = new_app()
        define(app, {"dev": env})
        made[name] = json.dumps(Template.from_stack(stages_of(app)["dev"].endpoint).to_json())
    return made


def account_for(env: Environment) -> str:
    """An account that has all that a deployment takes."""
    account = fresh_account()
    bootstrap(account)
    list(prerequisites(env, account, moto_app.client))
    return account


def deploy(account: str, body: str) -> str:
    """Deploys the stack; why it failed, or nothing."""
    client = moto_app.client("cloudformation", account, REGION)
    try:
        client.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    except ClientError as error:
        return str(error)
    with suppress(WaiterError):
        client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 0.05})
    events = client.describe_stack_events(StackName=STACK)["StackEvents"]
    return next((one["ResourceStatusReason"] for one in events[::-1] if one["ResourceStatus"] == "CREATE_FAILED"), "")


def _client(service: str, account: str) -> Any:
    return moto_app.client(service, account, REGION)


def _no_bootstrap(account: str) -> None:
    _client("ssm", account).delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")


def _no_instances(account: str) -> None:
    quotas.APPLIED[account, REGION, QUOTA] = 0


def _no_vpcs(account: str) -> None:
    quotas.APPLIED[account, REGION, quotas.VPCS] = 1


def _no_caller(account: str) -> None:
    _client("iam", account).delete_role(RoleName="backend")


def _retained_log_group(account: str) -> None:
    _client("logs", account).create_log_group(logGroupName="/aws/sagemaker/Endpoints/mistral-7b-instruct-dev")


def _parameter(account: str) -> None:
    _client("ssm", account).put_parameter(Name="/mistral7b/dev/endpoint-name", Value="other", Type="String")


def _endpoint(account: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = _client("iam", account).create_role(RoleName="sagemaker", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    image = f"{account}.dkr.ecr.{REGION}.amazonaws.com/huggingface-pytorch-tgi-inference:1"
    sagemaker = _client("sagemaker", account)
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="Mistral-7B-Instruct-dev", EndpointConfigName="c")


def _no_subnet(account: str) -> None:
    _client("ec2", account).delete_subnet(SubnetId=SUBNETS[0])


def _no_dns(account: str) -> None:
    vpc = EXISTING_VPC["vpc_id"]
    _client("ec2", account).modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})


def _gateway(account: str) -> None:
    _client("ec2", account).create_vpc_endpoint(
        VpcId=EXISTING_VPC["vpc_id"], ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[TABLE]
    )


Break = Callable[[str], None]
WRONG: dict[str, tuple[str, Break, str, str, str]] = {
    "not bootstrapped": ("own VPC", _no_bootstrap, "bootstrap", "cdk bootstrap aws://", "cdk-bootstrap"),
    "no quota of instances": (
        "own VPC",
        _no_instances,
        "quota",
        f"--quota-code {QUOTA} --desired-value 2",
        "is 0 Inst",
    ),
    "no quota of VPCs": ("own VPC", _no_vpcs, "network", "--desired-value 2", "maximum number of VPCs"),
    "no such caller": ("own VPC", _no_caller, "roles", "create it first", "backend"),
    "retained log group": ("own VPC", _retained_log_group, "names", "aws logs delete-log-group", "already exists"),
    "a parameter of others": ("own VPC", _parameter, "names", "aws ssm delete-parameter", "already exists"),
    "an endpoint of others": ("own VPC", _endpoint, "names", "aws sagemaker delete-endpoint", "already exist"),
    "no such subnet": ("existing VPC", _no_subnet, "network", f"use {SUBNETS[1]}", SUBNETS[0]),
    "DNS host names are off": ("existing VPC", _no_dns, "network", "modify-vpc-attribute", "Enabling private DNS"),
    "a second gateway": ("existing VPC", _gateway, "network", "take it out", "already has a route"),
}
"""Environment, what breaks its account, the check that fails, a part of its fix, and a part of what AWS says."""


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_where_no_check_fails_the_deployment_succeeds(name: str, bodies: dict[str, str]) -> None:
    account = account_for(ENVIRONMENTS[name])
    assert {one.outcome for one in all_found(account, ENVIRONMENTS[name])} == {"ok"}
    assert deploy(account, bodies[name]) == ""
    assert {one.outcome for one in all_found(account, ENVIRONMENTS[name])} == {"ok"}


@pytest.mark.parametrize("case", WRONG)
def test_a_deployment_that_fails_was_named_by_its_check(case: str, bodies: dict[str, str]) -> None:
    name, spoil, check, fix, reason = WRONG[case]
    account = account_for(ENVIRONMENTS[name])
    spoil(account)
    failures = [one for one in all_found(account, ENVIRONMENTS[name]) if one.outcome == "failure"]
    assert {one.check for one in failures} == {check}
    assert fix in failures[0].fix
    assert reason in deploy(account, bodies[name])


def test_every_name_that_the_stacks_give_is_checked(bodies: dict[str, str]) -> None:
    """What a template names, an account can already have: each of these is refused by its check if others made it."""
    given = {"AWS::SSM::Parameter": "Name", "AWS::Logs::LogGroup": "LogGroupName", "AWS::SageMaker::Endpoint": ""}
    kinds = {"AWS::EC2::VPCEndpoint", "AWS::EC2::FlowLog"}  # their names are those of services and log groups
    named = {
        (one["Type"], key)
        for body in bodies.values()
        for one in json.loads(body)["Resources"].values()
        for key, value in one.get("Properties", {}).items()
        if key.endswith("Name") and isinstance(value, str) and one["Type"] not in kinds
    }
    expected = {(kind, key or "EndpointName") for kind, key in given.items()}
    assert named - {("AWS::IAM::RolePolicy", "PolicyName"), ("AWS::IAM::RolePolicy", "RoleName")} == expected
