from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from sagemaker_tgi import InvalidPropsError, TgiEndpointConfig, TgiModel

Only = Callable[[cdk.Stack, str], dict[str, Any]]


def variant(stack: cdk.Stack, model: TgiModel, only: Only, **options: Any) -> dict[str, Any]:
    TgiEndpointConfig(stack, "Config", model=model, **options)
    [only_one] = only(stack, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert isinstance(only_one, dict)
    return only_one


def test_requests_go_to_the_instance_with_the_fewest_in_flight(stack: cdk.Stack, only: Only, model: TgiModel) -> None:
    assert variant(stack, model, only)["RoutingConfig"] == {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}


def test_one_variant_gets_all_traffic_on_the_instances_asked_for(stack: cdk.Stack, only: Only, model: TgiModel) -> None:
    only_one = variant(stack, model, only, instance_type="ml.g5.12xlarge", initial_instance_count=3)
    assert (only_one["VariantName"], only_one["InitialVariantWeight"]) == ("AllTraffic", 1)
    assert (only_one["InstanceType"], only_one["InitialInstanceCount"]) == ("ml.g5.12xlarge", 3)


def test_loading_the_weights_may_take_minutes(stack: cdk.Stack, only: Only, model: TgiModel) -> None:
    only_one = variant(
        stack,
        model,
        only,
        model_data_download_timeout=cdk.Duration.minutes(10),
        container_startup_health_check_timeout=cdk.Duration.seconds(900),
    )
    assert only_one["ModelDataDownloadTimeoutInSeconds"] == 600
    assert only_one["ContainerStartupHealthCheckTimeoutInSeconds"] == 900


def test_nothing_is_set_that_sagemaker_rejects_for_instances_with_local_disks(
    stack: cdk.Stack, only: Only, model: TgiModel
) -> None:
    assert "VolumeSizeInGB" not in variant(stack, model, only)
    assert "KmsKeyId" not in only(stack, "AWS::SageMaker::EndpointConfig")["Properties"]


@pytest.mark.parametrize(
    ("options", "enabled"),
    [
        ({}, {"EnableDetailedObservability": False}),
        ({"detailed_observability": True}, {"EnableDetailedObservability": True}),
        ({"enhanced_metrics": True}, {"EnableDetailedObservability": False, "EnableEnhancedMetrics": True}),
    ],
)
def test_metrics_that_are_billed_are_off_by_default(
    options: dict[str, Any], enabled: dict[str, bool], stack: cdk.Stack, only: Only, model: TgiModel
) -> None:
    TgiEndpointConfig(stack, "Config", model=model, **options)
    metrics = only(stack, "AWS::SageMaker::EndpointConfig")["Properties"]["MetricsConfig"]
    assert metrics == enabled


def test_a_configuration_has_no_name_that_its_replacement_would_collide_with(
    stack: cdk.Stack, only: Only, model: TgiModel
) -> None:
    TgiEndpointConfig(stack, "Config", model=model)
    assert "EndpointConfigName" not in only(stack, "AWS::SageMaker::EndpointConfig")["Properties"]


def test_every_problem_of_a_configuration_is_named_at_once(stack: cdk.Stack, model: TgiModel) -> None:
    """One instance at least. Source: SageMaker API, InitialInstanceCount."""
    with pytest.raises(InvalidPropsError) as error:
        TgiEndpointConfig(
            stack,
            "Config",
            model=model,
            instance_type="g5.2xlarge",
            initial_instance_count=0,
            variant_name="all traffic",
            model_data_download_timeout=cdk.Duration.seconds(59),
            container_startup_health_check_timeout=cdk.Duration.hours(2),
        )
    message = str(error.value)
    assert message.startswith("Test/Config: 5 problems with its props\n")
    for problem in (
        r"instance_type='g5.2xlarge': does not match ml\.",
        "initial_instance_count=0: is out of range; use 1 or more",
        "variant_name='all traffic': does not match",
        "model_data_download_timeout (seconds)=59: is out of range; use from 60 to 3600",
        "container_startup_health_check_timeout (seconds)=7200: is out of range",
    ):
        assert problem in message
