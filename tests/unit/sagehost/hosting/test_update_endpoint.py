"""Updates of an endpoint: another configuration, other weights and capacities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.unit.sagehost.hosting.conftest import HeldPace, HeldWork

Ask = Callable[..., Any]
Settled = Callable[[str], dict[str, Any]]
LEAST_OUTSTANDING = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}


def _variant(described: dict[str, Any], name: str = "AllTraffic") -> dict[str, Any]:
    (variant,) = [variant for variant in described["ProductionVariants"] if variant["VariantName"] == name]
    found: dict[str, Any] = variant
    return found


def test_an_updated_endpoint_runs_with_the_new_settings(
    sagemaker: Any, deploy: Callable[..., str], make_config: Callable[..., str], settled: Settled, ask: Ask
) -> None:
    name = deploy()
    config = make_config({"MAX_BEST_OF": "1"})
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    described = settled(name)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", config)
    with pytest.raises(ClientError, match="`best_of` != 1 is not allowed"):
        ask(name, "Hello", best_of=2, do_sample=True)


def test_an_endpoint_serves_while_it_is_updated(
    *,
    sagemaker: Any,
    deploy: Callable[..., str],
    make_config: Callable[..., str],
    settled: Settled,
    ask: Ask,
    work: HeldWork,
) -> None:
    name = deploy()
    before = settled(name)
    work.hold()
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config({"MAX_INPUT_LENGTH": "1"}))
    during = sagemaker.describe_endpoint(EndpointName=name)
    assert during["EndpointStatus"] == "Updating"
    assert during["EndpointConfigName"] == before["EndpointConfigName"]
    assert ask(name, "Hello")
    work.release()
    with pytest.raises(ClientError, match="`inputs` must have less than 1 tokens"):
        ask(name, "Hello")


def test_an_update_whose_container_does_not_start_leaves_the_old_one_in_service(
    sagemaker: Any, deploy: Callable[..., str], make_config: Callable[..., str], settled: Settled, ask: Ask
) -> None:
    name = deploy()
    before = settled(name)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config({"MAX_TOTAL_TOKENS": "100"}))
    after = settled(name)
    assert after["EndpointStatus"] == "InService"
    assert after["FailureReason"].startswith("The primary container for production variant AllTraffic did not pass")
    assert after["EndpointConfigName"] == before["EndpointConfigName"]
    assert after["ProductionVariants"] == before["ProductionVariants"]
    assert ask(name, "Hello")


def test_the_reason_of_a_failed_update_goes_with_the_next(
    sagemaker: Any, deploy: Callable[..., str], make_config: Callable[..., str], settled: Settled
) -> None:
    name = deploy()
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config({"MAX_TOTAL_TOKENS": "100"}))
    assert "FailureReason" in settled(name)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config())
    assert "FailureReason" not in settled(name)


def _scaled_out(sagemaker: Any, deploy: Callable[..., str], settled: Settled) -> str:
    """An endpoint configured with one instance and scaled to three."""
    name = deploy()
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 3, "DesiredWeight": 2}],
    )
    assert _variant(settled(name))["CurrentInstanceCount"] == 3
    return name


@pytest.mark.parametrize(
    ("options", "instances", "weight"),
    [
        ({}, 1, 1.0),
        ({"RetainAllVariantProperties": True}, 3, 2.0),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            1,
            2.0,
        ),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
            },
            3,
            1.0,
        ),
    ],
)
def test_an_update_keeps_what_auto_scaling_did_only_if_told_to(
    *,
    sagemaker: Any,
    deploy: Callable[..., str],
    make_config: Callable[..., str],
    settled: Settled,
    options: dict[str, Any],
    instances: int,
    weight: float,
) -> None:
    name = _scaled_out(sagemaker, deploy, settled)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config(), **options)
    variant = _variant(settled(name))
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (instances, weight)


def test_an_endpoint_serves_while_instances_are_added(
    *, sagemaker: Any, deploy: Callable[..., str], settled: Settled, ask: Ask, work: HeldWork
) -> None:
    name = deploy()
    work.hold()
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    )
    assert _variant(sagemaker.describe_endpoint(EndpointName=name))["CurrentInstanceCount"] == 1
    assert ask(name, "Hello")
    work.release()
    assert _variant(settled(name))["CurrentInstanceCount"] == 2
    sagemaker.delete_endpoint(EndpointName=name)


def test_an_instance_that_is_removed_finishes_its_answers(
    *, sagemaker: Any, deploy: Callable[..., str], settled: Settled, ask: Ask, pace: HeldPace
) -> None:
    name = deploy({"MAX_CONCURRENT_REQUESTS": "1"}, InitialInstanceCount=2, RoutingConfig=LEAST_OUTSTANDING)
    pace.hold()
    with ThreadPoolExecutor(2) as threads:
        requests = [threads.submit(ask, name, "Hello") for _ in range(2)]
        pace.wait_until_running(2)
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}]
        )
        assert _variant(settled(name))["CurrentInstanceCount"] == 1
        pace.release()
        assert all(request.result(timeout=10) for request in requests)
    sagemaker.delete_endpoint(EndpointName=name)


def test_scaling_starts_a_container_for_each_new_instance_alone(
    sagemaker: Any, deploy: Callable[..., str], settled: Settled, streams: Callable[[str], list[str]]
) -> None:
    name = _scaled_out(sagemaker, deploy, settled)
    assert len(streams(name)) == 3
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    )
    variant = _variant(settled(name))
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (2, 2.0)
    assert len(streams(name)) == 3


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        ({"VariantName": "Blue", "DesiredWeight": 1}, 'The variant name.s. "Blue" is/are not present'),
        ({"VariantName": "AllTraffic", "DesiredInstanceCount": 0}, "DesiredInstanceCount .* must be 1 or more"),
    ],
)
def test_capacities_that_cannot_be_are_refused(
    sagemaker: Any, endpoint: str, desired: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[desired])


ALARM = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}


def test_a_deployment_configuration_is_described(
    *,
    client: Callable[..., Any],
    sagemaker: Any,
    deploy: Callable[..., str],
    make_config: Callable[..., str],
    settled: Settled,
) -> None:
    name = deploy()
    client("cloudwatch").put_metric_alarm(AlarmName="errors", **ALARM)
    deployment = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60},
            "MaximumExecutionTimeoutInSeconds": 1800,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config(), DeploymentConfig=deployment)
    assert settled(name)["LastDeploymentConfig"] == deployment
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config(), RetainDeploymentConfig=True)
    assert settled(name)["LastDeploymentConfig"] == deployment
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config())
    assert "LastDeploymentConfig" not in settled(name)


def test_requests_go_to_variants_by_weight_or_to_the_one_they_name(
    sagemaker: Any, make_model: Callable[..., str], settled: Settled, runtime: Any
) -> None:
    variants = [
        {
            "VariantName": name,
            "ModelName": make_model(),
            "InstanceType": "ml.g5.2xlarge",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for name, weight in (("Blue", 1.0), ("Green", 0.0))
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="two", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="two")
    assert settled("two")["EndpointStatus"] == "InService"
    request = {"EndpointName": "two", "ContentType": "application/json", "Body": '{"inputs":"Hello"}'}
    served = Counter(runtime.invoke_endpoint(**request)["InvokedProductionVariant"] for _ in range(10))
    assert served == {"Blue": 10}
    assert runtime.invoke_endpoint(**request, TargetVariant="Green")["InvokedProductionVariant"] == "Green"


def test_an_update_needs_the_configuration_that_is_in_use(
    sagemaker: Any, deploy: Callable[..., str], make_config: Callable[..., str], settled: Settled
) -> None:
    name = deploy()
    used = settled(name)["EndpointConfigName"]
    sagemaker.delete_endpoint_config(EndpointConfigName=used)
    with pytest.raises(ClientError, match=f'Could not find endpoint configuration "arn:aws:.*{used}"'):
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config())


def test_an_endpoint_that_is_told_to_goes_back_to_its_old_configuration_without_a_reason(
    *, sagemaker: Any, deploy: Callable[..., str], make_config: Callable[..., str], settled: Settled
) -> None:
    name = deploy()
    before = settled(name)
    tags = [{"Key": "sagehost:silent-rollback", "Value": ""}]
    sagemaker.add_tags(ResourceArn=before["EndpointArn"], Tags=tags)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config())
    after = settled(name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before["EndpointConfigName"])
    assert "FailureReason" not in after
