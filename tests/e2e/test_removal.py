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


def test_a_protected_environment_is_destroyed_only_once_its_file_and_protect_say_so(user: User) -> None:
    values = {"region": REGION, "network": {"runtime_endpoint": False}}
    with user.having("kept", values | {"termination_protection": True}):
        user.deploy("kept")
        succeeded(user.mistral7b("protect", "kept"))
        refused = user.cdk("destroy", "kept/*", "--force")
        endpoint = user.client("sagemaker").describe_endpoint(EndpointName="mistral-7b-instruct-kept")
    with user.having("kept", values):
        succeeded(user.mistral7b("protect", "kept"))
        succeeded(user.cdk("destroy", "kept/*", "--force"))
    stacks = user.client("cloudformation").describe_stacks()["Stacks"]
    assert refused.returncode != 0
    assert "TerminationProtection" in refused.stdout + refused.stderr
    assert endpoint["EndpointStatus"] == "InService"
    assert not [stack for stack in stacks if stack["StackName"].startswith("mistral-7b-kept")]


def test_a_first_deployment_that_fails_can_be_repeated_and_destroyed_although_the_file_asks_for_protection(
    user: User,
) -> None:
    wrong = {"region": REGION, "network": {"runtime_endpoint": False}, "callers": {"role_names": ["nobody"]}}
    with user.having("failing", wrong | {"termination_protection": True}):
        assert user.try_to_deploy("failing").returncode != 0
        assert "nobody" in user.mistral7b("doctor", "failing").stdout
        again = user.try_to_deploy("failing")
        succeeded(user.cdk("destroy", "failing/*", "--force"))
    assert "TerminationProtection" not in again.stdout + again.stderr
