"""SageMaker changes no instance type of a variant that scales: found before the deployment."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from mistral7b.environment import Environment
from mistral7b.operate.account import account_problems

NAME = "mistral-7b-instruct-dev"
VARIANT = f"endpoint/{NAME}/variant/AllTraffic"


def environment(kind: str, **values: Any) -> Environment:
    given = {"name": "dev", "region": "us-east-1", "instance": {"type": kind}, **values}
    return Environment.model_validate(given)


@pytest.fixture
def stubs() -> dict[str, Stubber]:
    """Services that answer what they are told and nothing else."""
    session = boto3.Session("key", "secret", region_name="us-east-1")
    made = {one: Stubber(session.client(one)) for one in ("iam", "ec2", "sagemaker", "application-autoscaling")}
    for one in made.values():
        one.activate()
    return made


def deployed(stubs: dict[str, Stubber], *, scaled: bool) -> None:
    """Has an endpoint on ml.g5.2xlarge be there."""
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.g5.2xlarge"}
    now = {"CreationTime": 0, "LastModifiedTime": 0, "EndpointStatus": "InService", "EndpointArn": "a" * 20}
    config = {"EndpointConfigName": "c", "EndpointConfigArn": "a" * 20, "CreationTime": 0}
    endpoint = {"EndpointName": NAME, "EndpointConfigName": "c", **now}
    stubs["sagemaker"].add_response("describe_endpoint", endpoint, {"EndpointName": NAME})
    stubs["sagemaker"].add_response("describe_endpoint_config", {**config, "ProductionVariants": [variant]})
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": VARIANT,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 2,
        "RoleARN": "arn",
        "CreationTime": 0,
    }
    stubs["application-autoscaling"].add_response(
        "describe_scalable_targets",
        {"ScalableTargets": [target] if scaled else []},
        {"ServiceNamespace": "sagemaker", "ResourceIds": [VARIANT]},
    )


def problems(stubs: dict[str, Stubber], env: Environment) -> list[str]:
    found = account_problems(lambda service: stubs[service].client, env, "environments/dev.yaml")
    return [str(one) for one in found]


@pytest.mark.parametrize("auto_scaling", [{"max_instances": 2}, None])
def test_another_type_for_a_variant_that_scales_is_refused_with_the_way_in_two_steps(
    auto_scaling: Any, stubs: dict[str, Stubber]
) -> None:
    """A variant that scales keeps its instance type: no template can tell, so what is deployed is asked before a
    deployment, by the commands doctor and pipeline check. Source: SageMaker developer guide, "Update endpoints that
    use automatic scaling".
    """
    deployed(stubs, scaled=True)
    [found] = problems(stubs, environment("ml.g5.12xlarge", auto_scaling=auto_scaling))
    assert found.startswith("environments/dev.yaml: instance.type = 'ml.g5.12xlarge'\n")
    assert "runs on ml.g5.2xlarge and scales" in found
    assert "fix: deploy ml.g5.2xlarge with auto_scaling: null, then ml.g5.12xlarge with the auto_scaling" in found


@pytest.mark.parametrize(("kind", "scaled"), [("ml.g5.2xlarge", True), ("ml.g5.12xlarge", False)])
def test_the_same_type_or_a_variant_that_does_not_scale_is_fine(
    kind: str, scaled: bool, stubs: dict[str, Stubber]
) -> None:
    deployed(stubs, scaled=scaled)
    assert problems(stubs, environment(kind)) == []


def test_an_endpoint_that_is_not_there_is_fine(stubs: dict[str, Stubber]) -> None:
    stubs["sagemaker"].add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
    assert problems(stubs, environment("ml.g5.12xlarge")) == []


def test_an_account_that_may_not_be_asked_is_an_error(stubs: dict[str, Stubber]) -> None:
    stubs["sagemaker"].add_client_error("describe_endpoint", "AccessDeniedException", "not authorized")
    with pytest.raises(ClientError, match="not authorized"):
        problems(stubs, environment("ml.g5.12xlarge"))
