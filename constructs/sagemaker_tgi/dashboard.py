"""A dashboard of an endpoint for whoever is on call, from top to bottom: is it up, is it slow, who suffers, and why."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from sagemaker_tgi.arns import log_group_name
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.metrics import NamedVariant

_MINUTE = cdk.Duration.minutes(1)
_WIDTH, _HEIGHT = 24, 6  # of the dashboard's grid, and of a widget
_REFUSALS = "filter @message like /Model is overloaded/"


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
        latency: tuple[str, float] | None = None,
    ) -> None:
        """Defines the dashboard.

        Args:
            endpoint_name: Name of the endpoint.
            variant_name: Name of its variant.
            alarms: Alarms whose state stands at the top.
            scaling: How the endpoint scales, whose target and bounds are drawn.
            max_concurrent_requests: Requests in flight beyond which an instance refuses more, drawn as well.
            latency: The objective that is drawn, as a name and seconds, such as `("p90", 30)`.
        """
        super().__init__(scope, construct_id, dashboard_name=endpoint_name, default_interval=cdk.Duration.hours(3))
        metrics = NamedVariant(endpoint_name, variant_name)
        bounds = [("fewest", scaling.min_capacity), ("most", scaling.max_capacity)] if scaling else []
        in_flight = [("target", scaling.target_concurrent_requests)] if scaling else []
        in_flight += [("limit", max_concurrent_requests)] if max_concurrent_requests else []
        seconds = [
            cloudwatch.MathExpression(
                expression=f"{statistic}_microseconds / 1000000",
                using_metrics={f"{statistic}_microseconds": metrics.metric_model_latency(statistic=statistic)},
                label=statistic,
                period=_MINUTE,
            )
            for statistic in ("p50", "p90", "p99")
        ]
        counts = {
            "answered": metrics.metric_invocations(period=_MINUTE, label="requests"),
            "4XX": metrics.metric_invocation_4xx_errors(period=_MINUTE, label="4XX"),
            "5XX": metrics.metric_invocation_5xx_errors(period=_MINUTE, label="5XX"),
            "failed": metrics.metric_invocation_model_errors(period=_MINUTE, label="not answered with 2XX"),
            "refused": metrics.metric_refused_requests(period=_MINUTE, label="refused"),
        }
        rows: list[list[cloudwatch.IWidget]] = []
        if alarms:
            rows += [[cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=_WIDTH, height=3)]]
        rows += [
            [
                _graph("Is it up? Instances", "instances", [metrics.metric_running_instances(label="running")], bounds),
                _graph("Requests by minute", "requests", [counts.pop("answered")]),
            ],
            [
                _graph("Is it slow? Latency of the container", "s", seconds, [latency] if latency else []),
                _graph(
                    "Requests in flight on an instance",
                    "requests",
                    [metrics.metric_concurrent_requests_per_model(label="in flight")],
                    in_flight,
                ),
            ],
            [
                _graph("Who suffers? Errors by minute", "requests", list(counts.values())),
                _log(endpoint_name, "Refusals by instance", _REFUSALS, "stats count(*) as refused by @logStream"),
            ],
            [
                _graph(
                    "Why? GPU",
                    "% (100 for each)",
                    [
                        metrics.metric_gpu_utilization(period=_MINUTE, label="busy"),
                        metrics.metric_gpu_memory_utilization(period=_MINUTE, label="memory"),
                    ],
                ),
                _log(
                    endpoint_name,
                    "Errors of the container, such as failed starts",
                    "filter @message like /ERROR|Error:|panicked/ and @message not like /Model is overloaded/",
                    "fields @timestamp, @logStream, @message",
                    "sort @timestamp desc",
                    "limit 20",
                ),
            ],
        ]
        for row in rows:
            self.add_widgets(*row)


def _graph(
    title: str, unit: str, metrics: Sequence[cloudwatch.IMetric], lines: Sequence[tuple[str, float]] = ()
) -> cloudwatch.GraphWidget:
    """A graph with horizontal lines at labelled values."""
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        left_annotations=[cloudwatch.HorizontalAnnotation(label=label, value=value) for label, value in lines],
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit, show_units=False),
        width=_WIDTH // 2,
        height=_HEIGHT,
    )


def _log(endpoint_name: str, title: str, *query: str) -> cloudwatch.LogQueryWidget:
    """The answer of a query of CloudWatch Logs Insights."""
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[log_group_name(endpoint_name)],
        query_lines=list(query),
        width=_WIDTH // 2,
        height=_HEIGHT,
    )
