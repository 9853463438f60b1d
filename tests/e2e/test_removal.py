"""Removal: nothing is left, unless the environment asks for protection."""

import boto3
import pytest

from mistral7b.operate.inventory import inventory
from tests.e2e.conftest import REGION, User, succeeded


@pytest.fixture
def session(user: User, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """A boto3 session of the user."""
    for name, value in user.environ.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return boto3.Session(region_name=REGION)


def test_destroy_leaves_nothing(user: User, session: boto3.Session) -> None:
    before = inventory(session)
    user.write("gone", {"region": REGION, "auto_scaling": {"min_instances": 1, "max_instances": 3}})
    user.deploy("gone")
    during = {resource.kind for resource in inventory(session) - before}
    succeeded(user.cdk("destroy", "gone/*", "--force"))
    (user.files / "gone.yaml").unlink()
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


def test_a_protected_environment_is_not_destroyed(user: User) -> None:
    user.write("kept", {"region": REGION, "termination_protection": True, "network": {"runtime_endpoint": False}})
    user.deploy("kept")
    refused = user.cdk("destroy", "kept/*", "--force")
    sagemaker = user.client("sagemaker")
    status = sagemaker.describe_endpoint(EndpointName="mistral-7b-instruct-kept")["EndpointStatus"]
    assert refused.returncode != 0
    assert "TerminationProtection" in refused.stdout + refused.stderr
    assert status == "InService"


def test_a_protected_environment_can_be_destroyed_once_it_is_deployed_without_protection(user: User) -> None:
    user.write("kept", {"region": REGION, "network": {"runtime_endpoint": False}})
    user.deploy("kept")
    succeeded(user.cdk("destroy", "kept/*", "--force"))
    (user.files / "kept.yaml").unlink()
    stacks = user.client("cloudformation").describe_stacks()["Stacks"]
    assert not [s for s in stacks if s["StackName"].startswith("mistral-7b-kept")]
