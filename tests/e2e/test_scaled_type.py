"""The instance type of an endpoint that scales: refused in one deployment, changed in two."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import User, said, succeeded

NAME = "scaled"
BEFORE, AFTER = {"type": "ml.g5.2xlarge"}, {"type": "ml.g5.4xlarge"}
SCALING = {"max_instances": 2}


def write(user: User, instance: dict[str, str], scaling: dict[str, int] | None) -> None:
    values: dict[str, Any] = {"instance": instance, "auto_scaling": scaling, "network": {"runtime_endpoint": False}}
    user.write(NAME, values | {"region": "us-east-1", "compliance_packs": []})


def running(user: User) -> tuple[str, int]:
    """The instance type, and the number of scalable targets."""
    sagemaker, scaling = user.client("sagemaker"), user.client("application-autoscaling")
    endpoint = sagemaker.describe_endpoint(EndpointName=f"mistral-7b-instruct-{NAME}")
    assert endpoint["EndpointStatus"] == "InService"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    resource = f"endpoint/mistral-7b-instruct-{NAME}/variant/{config['ProductionVariants'][0]['VariantName']}"
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])
    return config["ProductionVariants"][0]["InstanceType"], len(targets["ScalableTargets"])


@pytest.fixture(scope="module")
def scaled(user: User) -> Iterator[User]:
    """The user, with an endpoint that scales and a file that wants another type."""
    write(user, BEFORE, SCALING)
    user.deploy(NAME)
    write(user, AFTER, SCALING)
    yield user
    succeeded(user.cdk("destroy", f"{NAME}/*", "--force"))
    (user.files / f"{NAME}.yaml").unlink()


def test_the_doctor_finds_it_before_the_deployment(scaled: User) -> None:
    found = scaled.mistral7b("doctor", NAME)
    assert found.returncode == 1
    assert "instance.type = ml.g5.4xlarge" in found.stdout
    assert "fix: deploy ml.g5.2xlarge with auto_scaling: null, then ml.g5.4xlarge" in found.stdout


def test_one_deployment_is_refused_and_rolled_back(scaled: User) -> None:
    refused = scaled.try_to_deploy(NAME)
    assert refused.returncode == 1
    assert "must be deregistered as scalable target(s)" in said(refused)
    assert running(scaled) == ("ml.g5.2xlarge", 1)


def test_two_deployments_change_it(scaled: User) -> None:
    write(scaled, BEFORE, None)
    assert scaled.mistral7b("doctor", NAME).returncode == 0
    scaled.deploy(NAME)
    assert running(scaled) == ("ml.g5.2xlarge", 0)
    write(scaled, AFTER, SCALING)
    assert scaled.mistral7b("doctor", NAME).returncode == 0
    scaled.deploy(NAME)
    assert running(scaled) == ("ml.g5.4xlarge", 1)
