"""Removal: nothing is left, unless the environment asks for protection."""

import boto3

from mistral7b.operate.inventory import inventory
from tests.e2e.conftest import REGION, User, succeeded


def test_destroy_leaves_nothing(user: User, session: boto3.Session) -> None:
    before = inventory(session)
    with user.having("gone", {"region": REGION, "auto_scaling": {"min_instances": 1, "max_instances": 3}}):
        user.deploy("gone")
        during = {resource.kind for resource in inventory(session) - before}
        succeeded(user.cdk("destroy", "gone/*", "--force"))
    assert during >= {
        "sagemaker endpoint",
        "scalable target",
        "scaling policy",
        "vpc",
        "log group",
        "role",
        "parameter",
    }
    assert inventory(session) == before


def test_a_protected_environment_is_destroyed_only_once_it_is_deployed_without_protection(user: User) -> None:
    values = {"region": REGION, "network": {"runtime_endpoint": False}}
    with user.having("kept", values | {"termination_protection": True}):
        user.deploy("kept")
        refused = user.cdk("destroy", "kept/*", "--force")
        endpoint = user.client("sagemaker").describe_endpoint(EndpointName="mistral-7b-instruct-kept")
    with user.having("kept", values):
        user.deploy("kept")
        succeeded(user.cdk("destroy", "kept/*", "--force"))
    stacks = user.client("cloudformation").describe_stacks()["Stacks"]
    assert refused.returncode != 0
    assert "TerminationProtection" in refused.stdout + refused.stderr
    assert endpoint["EndpointStatus"] == "InService"
    assert not [stack for stack in stacks if stack["StackName"].startswith("mistral-7b-kept")]
