"""Alarms of an endpoint: one for each thing that somebody has to look at."""

from collections.abc import Mapping
from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from sagemaker_tgi.arns import NAME_PATTERN, log_metric_namespace
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.metrics import REFUSAL_LINE, REFUSALS, NamedVariant
from sagemaker_tgi.props import PropsCheck

DEFAULT_THRESHOLDS: Mapping[str, float] = {
    "server_errors": 5,  # percent of the requests that are answered with 5XX
    "model_errors": 5,  # percent that fail on the endpoint's side: 5XX, time-outs, broken connections
    "refused_requests": 1,  # percent that the container refuses because too many are in flight; see `count_refusals`
    "latency": 30,  # seconds
    "gpu_memory": 99,  # percent; TGI reserves most of it when it starts
    "no_healthy_instance": 5,  # minutes
    "scaling_at_maximum": 15,  # minutes
}
"""The kinds of alarms, and when each goes off."""
_MINUTE = cdk.Duration.minutes(1)
_MISSING, _IS = cloudwatch.TreatMissingData, cloudwatch.ComparisonOperator


class EndpointAlarms(Construct):
    """The alarms of an endpoint, which need not exist yet: updates of it can then be rolled back by them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        variant_name: str = "AllTraffic",
        thresholds: Mapping[str, float] = DEFAULT_THRESHOLDS,
        latency_statistic: str = "p90",
        gpus: int = 1,
        scaling: InstanceScaling | None = None,
        topic: sns.ITopic | None = None,
    ) -> None:
        """Defines the alarms.

        Args:
            endpoint_name: Name of the endpoint, a literal. Alarms are named `ENDPOINT-KIND`.
            variant_name: Name of its variant.
            thresholds: The kinds of alarms that there are, and when each goes off.
            latency_statistic: Percentile of the latency, such as `p90`.
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
            for kind, threshold in thresholds.items():
                check.matches("thresholds", kind, "|".join(DEFAULT_THRESHOLDS), "use these kinds")
                check.between(f"thresholds[{kind!r}]", threshold, 0, 100)
        super().__init__(scope, construct_id)
        self.by_kind: dict[str, cloudwatch.Alarm] = {}
        """The alarms by their kinds, which are those of `DEFAULT_THRESHOLDS`."""
        self._name, self._thresholds, self._topic = endpoint_name, thresholds, topic
        metrics = NamedVariant(endpoint_name, variant_name)
        self._add("server_errors", metrics.metric_server_error_rate(), "More than {:g}% of the requests end with 5XX")
        self._add(
            "model_errors",
            metrics.metric_model_error_rate(),
            "More than {:g}% of the requests fail: 5XX, no answer within 60 s, or a broken connection",
        )
        self._add(
            "refused_requests", metrics.metric_refusal_rate(), "The container refuses more than {:g}% of the requests"
        )
        self._add(
            "latency",
            metrics.metric_model_latency(statistic=latency_statistic, period=_MINUTE),
            f"{latency_statistic} of the container's time for an answer is above {{:g}} s",
            unit=1_000_000,
        )
        self._add(
            "gpu_memory",
            metrics.metric_gpu_memory_utilization(statistic="Maximum", period=_MINUTE),
            "An instance has used more than {:g}% of its GPU memory for 15 minutes",
            unit=gpus,
            minutes=15,
            missing=_MISSING.MISSING,  # without instances nothing can be said
        )
        self._add(
            "no_healthy_instance",
            metrics.metric_running_instances(),
            "No instance has published a metric for {:g} minutes",
            comparison=_IS.LESS_THAN_THRESHOLD,
            missing=_MISSING.BREACHING,  # missing is what it looks for
        )
        if scaling is not None:
            most, target = scaling.max_capacity, scaling.target_concurrent_requests
            self._add(
                "scaling_at_maximum",
                cloudwatch.MathExpression(
                    # Half an instance less, as sums of 1/instances are not exact.
                    expression=f"IF((instances > {most - 0.5:g}) AND (in_flight > {target:g}), 1, 0)",
                    using_metrics={
                        "instances": metrics.metric_active_instances(),
                        "in_flight": metrics.metric_concurrent_requests_per_model(period=_MINUTE),
                    },
                    label="at the maximum",
                    period=_MINUTE,
                ),
                f"All {most} instances have had more than {target:g} requests in flight for {{:g}} minutes",
                comparison=_IS.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            )

    def _add(
        self,
        kind: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        comparison: cloudwatch.ComparisonOperator = _IS.GREATER_THAN_THRESHOLD,
        unit: float = 1,
        minutes: int | None = None,
        missing: cloudwatch.TreatMissingData = _MISSING.NOT_BREACHING,  # without requests nothing fails or is slow
    ) -> None:
        """Adds an alarm, unless it is left out. Three minutes of five have to breach, as one bad one wakes nobody."""
        if kind not in self._thresholds:
            return
        threshold = self._thresholds[kind]
        if comparison != _IS.GREATER_THAN_THRESHOLD:  # the threshold is how long it is so
            minutes, threshold = ceil(threshold), 1
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.capitalize() for word in kind.split("_")),
            alarm_name=f"{self._name}-{kind.replace('_', '-')}",
            alarm_description=description.format(self._thresholds[kind]),
            metric=metric,
            threshold=threshold * unit,
            comparison_operator=comparison,
            evaluation_periods=minutes or 5,
            datapoints_to_alarm=minutes or 3,
            treat_missing_data=missing,
        )
        if self._topic is not None:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
            alarm.add_ok_action(actions.SnsAction(self._topic))
        self.by_kind[kind] = alarm


def count_refusals(scope: Construct, log_group: logs.ILogGroup, *, endpoint_name: str) -> logs.MetricFilter:
    """Counts the container's refusals for `metric_refused_requests`, by the line that TGI logs for each."""
    return logs.MetricFilter(
        scope,
        "Refusals",
        log_group=log_group,
        filter_pattern=logs.FilterPattern.literal(f'"{REFUSAL_LINE}"'),
        metric_namespace=log_metric_namespace(endpoint_name),
        metric_name=REFUSALS,
    )
