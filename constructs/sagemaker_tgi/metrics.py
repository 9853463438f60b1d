"""CloudWatch metrics of an endpoint's variant.

Names, units and dimensions: SageMaker developer guide, "Metrics for monitoring Amazon SageMaker AI with CloudWatch".
"""

from functools import partialmethod
from typing import TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

INVOCATION_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"


class MetricOptions(TypedDict, total=False):
    """What a caller may set about a metric, as with every `metric_…` method of the CDK."""

    statistic: str
    period: cdk.Duration
    label: str
    color: str
    unit: cloudwatch.Unit
    account: str
    region: str


class VariantMetrics:
    """The metrics of one variant of one endpoint, whether the endpoint is of this app or not."""

    _endpoint_name: str
    variant_name: str
    """Name of the endpoint's only variant."""

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self._endpoint_name

    def metric(
        self, metric_name: str, *, namespace: str = INVOCATION_NAMESPACE, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """The variant's metric of that name. Default, as of all others if they do not say: average over 5 minutes."""
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=metric_name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": self.variant_name},
            **options,
        )

    metric_invocations = partialmethod(metric, "Invocations", statistic="Sum")
    """Requests sent to the variant. Default: sum."""
    metric_invocations_per_instance = partialmethod(metric, "InvocationsPerInstance", statistic="Sum")
    """Requests sent to the variant, divided by its instances. Default: sum."""
    metric_concurrent_requests_per_model = partialmethod(
        metric, "ConcurrentRequestsPerModel", statistic="Maximum", period=cdk.Duration.seconds(10)
    )
    """Requests in flight, those that wait in the container included. Default: maximum over 10 seconds."""
    metric_model_latency = partialmethod(metric, "ModelLatency")
    """Time the container takes to answer, in microseconds."""
    metric_overhead_latency = partialmethod(metric, "OverheadLatency")
    """Time SageMaker adds to an answer, in microseconds."""
    metric_invocation_4xx_errors = partialmethod(metric, "Invocation4XXErrors", statistic="Sum")
    """Requests answered with a status of 400 to 499. Default: sum."""
    metric_invocation_5xx_errors = partialmethod(metric, "Invocation5XXErrors", statistic="Sum")
    """Requests answered with a status of 500 to 599. Default: sum."""
    metric_invocation_model_errors = partialmethod(metric, "InvocationModelErrors", statistic="Sum")
    """Requests that the container did not answer with a status of 200 to 299. Default: sum."""
    metric_gpu_utilization = partialmethod(metric, "GPUUtilization", namespace=INSTANCE_NAMESPACE)
    """Load of an instance's GPUs in percent, up to 100 for each."""
    metric_gpu_memory_utilization = partialmethod(metric, "GPUMemoryUtilization", namespace=INSTANCE_NAMESPACE)
    """GPU memory in use in percent, up to 100 for each GPU."""
    metric_cpu_utilization = partialmethod(metric, "CPUUtilization", namespace=INSTANCE_NAMESPACE)
    """Load of an instance's CPU cores in percent, up to 100 for each."""
    metric_memory_utilization = partialmethod(metric, "MemoryUtilization", namespace=INSTANCE_NAMESPACE)
    """Memory in use in percent."""
    metric_disk_utilization = partialmethod(metric, "DiskUtilization", namespace=INSTANCE_NAMESPACE)
    """Disk space in use in percent."""
