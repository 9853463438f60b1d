"""CloudWatch metrics of an endpoint's variant.

Names, units and dimensions: SageMaker developer guide, "Metrics for monitoring Amazon SageMaker AI with CloudWatch".
"""

from functools import partialmethod
from typing import TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from sagemaker_tgi.arns import log_metric_namespace

INVOCATION_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
REFUSALS, REFUSAL_LINE = "RefusedRequests", "no permits available"
"""The metric of refused requests, and what TGI logs of each; callers read `Model is overloaded`."""


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
    metric_running_instances = partialmethod(
        metric, "CPUUtilization", namespace=INSTANCE_NAMESPACE, statistic="SampleCount", period=cdk.Duration.minutes(1)
    )
    """Instances that run: each publishes its CPU utilization once a minute. Missing without any. Default: by minute."""

    def metric_refused_requests(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that the container refused because too many were in flight, streams included. Default: sum.

        `count_refusals` counts them in the log. SageMaker's own metrics mix them with callers' mistakes, as both are
        4XX, and lack refused streams, whose status is 200.
        """
        namespace, sums = log_metric_namespace(self.endpoint_name), MetricOptions(statistic="Sum")
        return cloudwatch.Metric(namespace=namespace, metric_name=REFUSALS, **sums | options)

    def metric_server_error_rate(self) -> cloudwatch.MathExpression:
        """Percent of the requests that were answered with a status of 500 to 599, by minute."""
        return _math("100 * FILL(errors, 0) / requests", "5XX", errors=self.metric_invocation_5xx_errors(), **self._all)

    def metric_model_error_rate(self) -> cloudwatch.MathExpression:
        """Percent of the requests that failed on the endpoint's side, by minute: 5XX, time-outs, broken connections.

        `InvocationModelErrors` without what was answered with 400 to 499.
        """
        failed, rejected = self.metric_invocation_model_errors(), self.metric_invocation_4xx_errors()
        rate = "100 * (FILL(failed, 0) - FILL(rejected, 0)) / requests"
        return _math(rate, "failed", failed=failed, rejected=rejected, **self._all)

    def metric_refusal_rate(self) -> cloudwatch.MathExpression:
        """Percent of the requests that the container refused because too many were in flight, by minute."""
        return _math(
            "100 * FILL(refused, 0) / requests", "refused", refused=self.metric_refused_requests(), **self._all
        )

    def metric_active_instances(self) -> cloudwatch.MathExpression:
        """Instances that requests were sent to, by minute. Missing without requests.

        Each request adds 1/instances to `InvocationsPerInstance` (SageMaker API, ScalingPolicyMetric).
        """
        per_instance = self.metric_invocations_per_instance()
        return _math("requests / per_instance", "instances", per_instance=per_instance, **self._all)

    def metric_latency_seconds(self, statistic: str) -> cloudwatch.MathExpression:
        """Time the container takes to answer, in seconds, by minute."""
        using = {f"{statistic}_microseconds": self.metric_model_latency(statistic=statistic)}
        return _math(f"{statistic}_microseconds / 1000000", statistic, **using)

    @property
    def _all(self) -> dict[str, cloudwatch.IMetric]:
        return {"requests": self.metric_invocations()}


def _math(expression: str, label: str, **using: cloudwatch.IMetric) -> cloudwatch.MathExpression:
    minute = cdk.Duration.minutes(1)
    return cloudwatch.MathExpression(expression=expression, using_metrics=using, label=label, period=minute)


class NamedVariant(VariantMetrics):
    """The metrics of a variant by its names, for what is defined before the endpoint is."""

    def __init__(self, endpoint_name: str, variant_name: str = "AllTraffic") -> None:
        self._endpoint_name, self.variant_name = endpoint_name, variant_name
