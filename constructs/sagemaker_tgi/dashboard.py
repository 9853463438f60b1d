"""A dashboard of an endpoint for whoever is on call, from top to bottom: is it up, is it slow, who suffers, and why."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from sagemaker_tgi.arns import log_group_name
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.metrics import REFUSAL_LINE, NamedVariant

_MINUTE = cdk.Duration.minutes(1)
_NONE: Mapping[str, float] = {}
_REFUSAL = f"/{REFUSAL_LINE}/"


class EndpointDashboard(cloudwatch.Dashboard):
    """Dashboard of the endpoint's name: alarms, requests, latency, errors, instances, GPU, refusals, failed starts.

    A deployment shows as twice the instances, and scaling as steps: CloudWatch's annotations of a time are fixed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        variant_name: str = "AllTraffic",
        alarms: Sequence[cloudwatch.IAlarm] = (),
        scaling: InstanceScaling | None = None,
        max_concurrent_requests: int | None = None,
        latency: Mapping[str, float] = _NONE,
    ) -> None:
        """Defines the dashboard.

        Args:
            endpoint_name: Name of the endpoint.
            variant_name: Name of its variant.
            alarms: Alarms whose state stands at the top.
            scaling: How the endpoint scales, whose target and bounds are drawn.
            max_concurrent_requests: Requests in flight beyond which an instance refuses more, drawn as well.
            latency: Objectives that are drawn, in seconds, such as `{"p90": 30}`.
        """
        super().__init__(scope, construct_id, dashboard_name=endpoint_name, default_interval=cdk.Duration.hours(3))
        metrics = NamedVariant(endpoint_name, variant_name)
        bounds = {"fewest": scaling.min_capacity, "most": scaling.max_capacity} if scaling else {}
        in_flight = {"target": scaling.target_concurrent_requests} if scaling else {}

        def graph(
            title: str, unit: str, lines: Mapping[str, float | None], *of: cloudwatch.IMetric
        ) -> cloudwatch.IWidget:
            annotations = [
                cloudwatch.HorizontalAnnotation(label=label, value=value)
                for label, value in lines.items()
                if value is not None
            ]
            axis = cloudwatch.YAxisProps(min=0, label=unit, show_units=False)
            return cloudwatch.GraphWidget(
                title=title, left=[*of], left_annotations=annotations, left_y_axis=axis, width=12, height=6
            )

        def query(title: str, *lines: str) -> cloudwatch.IWidget:
            groups = [log_group_name(endpoint_name)]
            return cloudwatch.LogQueryWidget(
                title=title, log_group_names=groups, query_lines=[*lines], width=12, height=6
            )

        if alarms:
            self.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms], width=24, height=3))
        self.add_widgets(
            graph("Is it up? Instances", "instances", bounds, metrics.metric_running_instances(label="running")),
            graph("Requests by minute", "requests", {}, metrics.metric_invocations(period=_MINUTE, label="requests")),
        )
        seconds = [metrics.metric_latency_seconds(statistic) for statistic in ("p50", "p90", "p99")]
        self.add_widgets(
            graph("Is it slow? Latency of the container", "seconds", latency, *seconds),
            graph(
                "Requests in flight on an instance",
                "requests",
                {**in_flight, "limit": max_concurrent_requests},
                metrics.metric_concurrent_requests_per_model(label="in flight"),
            ),
        )
        self.add_widgets(
            graph(
                "Who suffers? Errors by minute",
                "requests",
                {},
                metrics.metric_refused_requests(period=_MINUTE, label="refused"),
                metrics.metric_invocation_4xx_errors(period=_MINUTE, label="4XX"),
                metrics.metric_invocation_5xx_errors(period=_MINUTE, label="5XX"),
                metrics.metric_invocation_model_errors(period=_MINUTE, label="not 2XX"),
            ),
            query(
                "Refusals by instance", f"filter @message like {_REFUSAL}", "stats count(*) as refused by @logStream"
            ),
        )
        self.add_widgets(
            graph(
                "Why? GPU",
                "% (100 for each)",
                {},
                metrics.metric_gpu_utilization(period=_MINUTE, label="busy"),
                metrics.metric_gpu_memory_utilization(period=_MINUTE, label="memory"),
            ),
            query(
                "Errors of the container, such as failed starts",
                f"filter @message like /ERROR|Error:|panicked/ and @message not like {_REFUSAL}",
                "fields @timestamp, @logStream, @message",
                "sort @timestamp desc",
                "limit 20",
            ),
        )
