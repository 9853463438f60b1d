"""Alarms of an endpoint: one for each thing that somebody has to look at."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from sagemaker_tgi.arns import NAME_PATTERN, log_metric_namespace
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.metrics import REFUSALS, NamedVariant
from sagemaker_tgi.props import PropsCheck

_MISSING, _COMPARISON = cloudwatch.TreatMissingData, cloudwatch.ComparisonOperator


@dataclass(frozen=True)
class AlarmThresholds:
    """When each kind of alarm goes off. None leaves the alarm out."""

    server_errors: float | None = 5
    """Percent of the requests that are answered with 5XX."""
    model_errors: float | None = 5
    """Percent of the requests that fail on the endpoint's side: 5XX, no answer within 60 s, broken connections."""
    refused_requests: float | None = 1
    """Percent of the requests that the container refuses because too many are in flight; needs `count_refusals`."""
    latency: float | None = 30
    """Seconds of `latency_statistic`."""
    gpu_memory: float | None = 99
    """Percent of the GPU memory. TGI reserves most of it when it starts, so it is high and steady."""
    no_healthy_instance: float | None = 5
    """Minutes without any instance."""
    scaling_at_maximum: float | None = 15
    """Minutes with as many instances as scaling allows, and more requests in flight than it aims at."""


_DEFAULTS = AlarmThresholds()


@dataclass(frozen=True)
class _Kind:
    """How one kind of alarm is evaluated, minute by minute."""

    metric: cloudwatch.IMetric
    description: str
    threshold: float
    minutes: int | None = None
    """How many in a row have to breach. None: three of five, as one bad minute is no reason to wake anybody."""
    missing: cloudwatch.TreatMissingData = _MISSING.NOT_BREACHING  # without requests nothing fails or is slow
    below: bool = False


class EndpointAlarms(Construct):
    """The alarms of an endpoint, which need not exist yet: updates of it can then be rolled back by them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        variant_name: str = "AllTraffic",
        thresholds: AlarmThresholds = _DEFAULTS,
        latency_statistic: str = "p90",
        gpus: int = 1,
        scaling: InstanceScaling | None = None,
        topic: sns.ITopic | None = None,
    ) -> None:
        """Defines the alarms.

        Args:
            endpoint_name: Name of the endpoint, a literal. Alarms are named `ENDPOINT-KIND`.
            variant_name: Name of its variant.
            thresholds: When each alarm goes off, and which ones there are.
            latency_statistic: Percentile of the latency that is compared, such as `p90`.
            gpus: GPUs of an instance. SageMaker adds their utilization up.
            scaling: How the endpoint scales. Default: it does not, so nothing can be at its maximum.
            topic: Where alarms go when they go off and when they end, such as `AlarmTopic.topic`. Default: nowhere.
        """
        with PropsCheck(scope, construct_id) as check:
            if cdk.Token.is_unresolved(endpoint_name):
                reason = "is not known before deployment"
                check.reject("endpoint_name", "<token>", reason, "give a literal, which updates can be rolled back by")
            check.matches("endpoint_name", endpoint_name, NAME_PATTERN, "use up to 63 letters, digits and hyphens")
            check.matches("latency_statistic", latency_statistic, r"p\d{1,2}(\.\d+)?", "use p50, p90 or p99")
            check.between("gpus", gpus, 1)
            chosen = {kind: limit for kind, limit in asdict(thresholds).items() if limit is not None}
            for kind, limit in chosen.items():
                check.between(f"thresholds.{kind}", limit, 0.1, 100)
        super().__init__(scope, construct_id)
        kinds = _kinds(NamedVariant(endpoint_name, variant_name), latency_statistic, gpus, scaling)
        self.by_kind: Mapping[str, cloudwatch.Alarm] = {
            kind: self._alarm(kind, how(chosen[kind]), f"{endpoint_name}-{kind.replace('_', '-')}", topic)
            for kind, how in kinds.items()
            if kind in chosen
        }
        """Each alarm by its kind, a field of `AlarmThresholds`."""

    def _alarm(self, kind: str, how: _Kind, name: str, topic: sns.ITopic | None) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.capitalize() for word in kind.split("_")),
            alarm_name=name,
            alarm_description=how.description,
            metric=how.metric,
            threshold=how.threshold,
            comparison_operator=_COMPARISON.LESS_THAN_THRESHOLD if how.below else _COMPARISON.GREATER_THAN_THRESHOLD,
            evaluation_periods=how.minutes or 5,
            datapoints_to_alarm=how.minutes or 3,
            treat_missing_data=how.missing,
        )
        if topic is not None:
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))
        return alarm


def _kinds(
    metrics: NamedVariant, latency: str, gpus: int, scaling: InstanceScaling | None
) -> dict[str, Callable[[float], _Kind]]:
    """How each kind of alarm is evaluated, given its threshold."""
    minute = cdk.Duration.minutes(1)
    kinds: dict[str, Callable[[float], _Kind]] = {
        "server_errors": lambda percent: _Kind(
            metrics.metric_server_error_rate(), f"More than {percent:g}% of the requests are answered with 5XX", percent
        ),
        "model_errors": lambda percent: _Kind(
            metrics.metric_model_error_rate(),
            f"More than {percent:g}% of the requests fail: 5XX, no answer within 60 s, or a broken connection",
            percent,
        ),
        "refused_requests": lambda percent: _Kind(
            metrics.metric_refusal_rate(), f"The container refuses more than {percent:g}% of the requests", percent
        ),
        "latency": lambda seconds: _Kind(
            metrics.metric_model_latency(statistic=latency, period=minute),
            f"{latency} of the container's time for an answer is above {seconds:g} s",
            seconds * 1_000_000,
        ),
        "gpu_memory": lambda percent: _Kind(
            metrics.metric_gpu_memory_utilization(statistic="Maximum", period=minute),
            f"An instance uses more than {percent:g}% of its GPU memory",
            percent * gpus,
            minutes=15,
            missing=_MISSING.MISSING,  # without instances nothing can be said
        ),
        "no_healthy_instance": lambda minutes: _Kind(
            metrics.metric_running_instances(),
            f"No instance has published a metric for {ceil(minutes)} minutes",
            1,
            minutes=ceil(minutes),
            missing=_MISSING.BREACHING,  # missing is what it looks for
            below=True,
        ),
    }
    if scaling is not None:
        most, target = scaling.max_capacity, scaling.target_concurrent_requests
        kinds["scaling_at_maximum"] = lambda minutes: _Kind(
            cloudwatch.MathExpression(
                # Half an instance less, as sums of 1/instances are not exact.
                expression=f"IF((instances > {most - 0.5:g}) AND (in_flight > {target:g}), 1, 0)",
                using_metrics={
                    "instances": metrics.metric_active_instances(),
                    "in_flight": metrics.metric_concurrent_requests_per_model(period=minute),
                },
                label="at the maximum",
                period=minute,
            ),
            f"All {most} instances have run for {ceil(minutes)} minutes, with more than {target:g} requests in flight "
            "on each",
            0,
            minutes=ceil(minutes),
        )
    return kinds


def count_refusals(scope: Construct, log_group: logs.ILogGroup, *, endpoint_name: str) -> logs.MetricFilter:
    """Counts the container's refusals for `metric_refused_requests`, by the line that TGI logs for each."""
    return logs.MetricFilter(
        scope,
        "Refusals",
        log_group=log_group,
        filter_pattern=logs.FilterPattern.literal('"Model is overloaded"'),
        metric_namespace=log_metric_namespace(endpoint_name),
        metric_name=REFUSALS,
    )
