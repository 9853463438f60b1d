"""Endpoints whose variants are scalable targets: which updates are refused, and what goes with an endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Settled = Callable[[str], dict[str, Any]]
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture
def scaling(client: Callable[..., Any]) -> Any:
    return client("application-autoscaling")


def target(name: str) -> dict[str, str]:
    resource = f"endpoint/{name}/variant/AllTraffic"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": DIMENSION}


@pytest.fixture
def scaled(deploy: Callable[..., str], scaling: Any) -> str:
    """An endpoint whose variant scales, by a policy and at a time."""
    name = deploy()
    scaling.register_scalable_target(**target(name), MinCapacity=1, MaxCapacity=2)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaling.put_scaling_policy(
        **target(name),
        PolicyName="load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 8, "PredefinedMetricSpecification": metric},
    )
    action = {"ScheduledActionName": "night", "Schedule": "cron(0 20 * * ? *)"}
    scaling.put_scheduled_action(**target(name), **action, ScalableTargetAction={"MinCapacity": 1})
    return name


@pytest.mark.parametrize(
    "variant", [{"InstanceType": "ml.g5.4xlarge"}, {"VariantName": "Renamed"}], ids=["another type", "dropped"]
)
def test_a_scaled_variant_keeps_its_instance_type_and_its_name(
    *, sagemaker: Any, scaled: str, scaling: Any, make_config: Callable[..., str], settled: Settled, variant: Any
) -> None:
    config = make_config(**variant)
    with pytest.raises(ClientError, match=r'variant\(s\) "AllTraffic" must be deregistered') as refusal:
        sagemaker.update_endpoint(EndpointName=scaled, EndpointConfigName=config)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    scaling.deregister_scalable_target(**target(scaled))
    sagemaker.update_endpoint(EndpointName=scaled, EndpointConfigName=config)
    assert settled(scaled)["EndpointConfigName"] == config


def test_a_scaled_variant_may_have_another_model(
    sagemaker: Any, scaled: str, make_config: Callable[..., str], settled: Settled
) -> None:
    config = make_config({"MAX_BEST_OF": "1"})
    sagemaker.update_endpoint(EndpointName=scaled, EndpointConfigName=config)
    assert settled(scaled)["EndpointConfigName"] == config


def test_a_target_of_an_endpoint_whose_name_begins_alike_is_none_of_its_own(
    *, sagemaker: Any, deploy: Callable[..., str], scaling: Any, make_config: Callable[..., str], settled: Settled
) -> None:
    name = deploy()
    sagemaker.create_endpoint(EndpointName=f"{name}-other", EndpointConfigName=make_config())
    settled(f"{name}-other")
    scaling.register_scalable_target(**target(f"{name}-other"), MinCapacity=1, MaxCapacity=2)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config(InstanceType="ml.g5.4xlarge"))
    assert settled(name)["EndpointStatus"] == "InService"


def test_a_deleted_endpoints_targets_go_with_their_policies_and_schedules(
    sagemaker: Any, scaled: str, scaling: Any
) -> None:
    sagemaker.delete_endpoint(EndpointName=scaled)
    one = {"ServiceNamespace": "sagemaker", "ResourceId": target(scaled)["ResourceId"]}
    assert scaling.describe_scaling_policies(**one)["ScalingPolicies"] == []
    assert scaling.describe_scheduled_actions(**one)["ScheduledActions"] == []
    del one["ResourceId"]
    targets = scaling.describe_scalable_targets(**one)["ScalableTargets"]
    assert target(scaled)["ResourceId"] not in [found["ResourceId"] for found in targets]
