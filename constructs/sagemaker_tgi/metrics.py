"""CloudWatch metrics of an endpoint's variant.

Names, units and dimensions: SageMaker developer guide, "Metrics for monitoring Amazon SageMaker AI with CloudWatch".
"""

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
        """The variant's metric of that name. Default: average over 5 minutes."""
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=metric_name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": self.variant_name},
            **options,
        )

    def metric_invocations(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests sent to the variant. Default: sum over 5 minutes."""
        return self.metric("Invocations", **({"statistic": "Sum"} | options))

    def metric_invocations_per_instance(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests sent to the variant, divided by its instances. Default: sum over 5 minutes."""
        return self.metric("InvocationsPerInstance", **({"statistic": "Sum"} | options))

    def metric_concurrent_requests_per_model(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests in flight, those that wait in the container included. Default: maximum over 10 seconds."""
        defaults: MetricOptions = {"statistic": "Maximum", "period": cdk.Duration.seconds(10)}
        return self.metric("ConcurrentRequestsPerModel", **(defaults | options))

    def metric_model_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time the container takes to answer, in microseconds. Default: average over 5 minutes."""
        return self.metric("ModelLatency", **options)

    def metric_overhead_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Time SageMaker adds to an answer, in microseconds. Default: average over 5 minutes."""
        return self.metric("OverheadLatency", **options)

    def metric_invocation_4xx_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests answered with a status of 400 to 499. Default: sum over 5 minutes."""
        return self.metric("Invocation4XXErrors", **({"statistic": "Sum"} | options))

    def metric_invocation_5xx_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests answered with a status of 500 to 599. Default: sum over 5 minutes."""
        return self.metric("Invocation5XXErrors", **({"statistic": "Sum"} | options))

    def metric_invocation_model_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that the container did not answer with a status of 200 to 299. Default: sum over 5 minutes."""
        return self.metric("InvocationModelErrors", **({"statistic": "Sum"} | options))

    def metric_gpu_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Load of an instance's GPUs in percent, up to 100 for each. Default: average over 5 minutes."""
        return self._instance_metric("GPUUtilization", **options)

    def metric_gpu_memory_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """GPU memory in use in percent, up to 100 for each GPU. Default: average over 5 minutes."""
        return self._instance_metric("GPUMemoryUtilization", **options)

    def metric_cpu_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Load of an instance's CPU cores in percent, up to 100 for each. Default: average over 5 minutes."""
        return self._instance_metric("CPUUtilization", **options)

    def metric_memory_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Memory in use in percent. Default: average over 5 minutes."""
        return self._instance_metric("MemoryUtilization", **options)

    def metric_disk_utilization(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Disk space in use in percent. Default: average over 5 minutes."""
        return self._instance_metric("DiskUtilization", **options)

    def _instance_metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        return self.metric(metric_name, namespace=INSTANCE_NAMESPACE, **options)
