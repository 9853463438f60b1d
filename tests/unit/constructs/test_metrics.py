from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch

from sagemaker_tgi import ITgiEndpoint, TgiEndpoint

INVOCATIONS, INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"


@pytest.fixture
def endpoint(stack: cdk.Stack) -> ITgiEndpoint:
    return TgiEndpoint.from_endpoint_name(stack, "Endpoint", "chat", variant_name="Blue")


@pytest.mark.parametrize(
    ("method", "source", "statistic", "seconds"),
    [
        ("metric_invocations", (INVOCATIONS, "Invocations"), "Sum", 300),
        ("metric_invocations_per_instance", (INVOCATIONS, "InvocationsPerInstance"), "Sum", 300),
        ("metric_concurrent_requests_per_model", (INVOCATIONS, "ConcurrentRequestsPerModel"), "Maximum", 10),
        ("metric_model_latency", (INVOCATIONS, "ModelLatency"), "Average", 300),
        ("metric_overhead_latency", (INVOCATIONS, "OverheadLatency"), "Average", 300),
        ("metric_invocation_4xx_errors", (INVOCATIONS, "Invocation4XXErrors"), "Sum", 300),
        ("metric_invocation_5xx_errors", (INVOCATIONS, "Invocation5XXErrors"), "Sum", 300),
        ("metric_invocation_model_errors", (INVOCATIONS, "InvocationModelErrors"), "Sum", 300),
        ("metric_gpu_utilization", (INSTANCES, "GPUUtilization"), "Average", 300),
        ("metric_gpu_memory_utilization", (INSTANCES, "GPUMemoryUtilization"), "Average", 300),
        ("metric_cpu_utilization", (INSTANCES, "CPUUtilization"), "Average", 300),
        ("metric_memory_utilization", (INSTANCES, "MemoryUtilization"), "Average", 300),
        ("metric_disk_utilization", (INSTANCES, "DiskUtilization"), "Average", 300),
    ],
)
def test_a_metric_is_the_one_that_sagemaker_publishes(
    endpoint: ITgiEndpoint, method: str, source: tuple[str, str], statistic: str, seconds: int
) -> None:
    """Metrics have SageMaker's names, units and dimensions. Source: SageMaker developer guide, metrics."""
    metric: cloudwatch.Metric = getattr(endpoint, method)()
    assert (metric.namespace, metric.metric_name) == source
    assert (metric.statistic, metric.period.to_seconds()) == (statistic, seconds)
    assert metric.dimensions == {"EndpointName": "chat", "VariantName": "Blue"}


@pytest.mark.parametrize(
    "method", ["metric_invocations", "metric_concurrent_requests_per_model", "metric_gpu_utilization"]
)
def test_a_caller_may_change_statistic_period_and_label(endpoint: ITgiEndpoint, method: str) -> None:
    options: dict[str, Any] = {"statistic": "p99", "period": cdk.Duration.minutes(1), "label": "load"}
    metric: cloudwatch.Metric = getattr(endpoint, method)(**options)
    assert (metric.statistic, metric.period.to_seconds(), metric.label) == ("p99", 60, "load")


def test_any_other_metric_is_available_by_its_name(endpoint: ITgiEndpoint) -> None:
    metric = endpoint.metric("MidStreamErrors", statistic="Sum")
    assert (metric.namespace, metric.metric_name, metric.statistic) == (INVOCATIONS, "MidStreamErrors", "Sum")
