"""Scaling policies: how many instances a fleet may have, and what moves the number."""

from dataclasses import dataclass
from typing import Literal

Metric = Literal["concurrency", "invocations"]

DEFAULT_COOLDOWN_S = 300.0
"""Application Auto Scaling's default for SageMaker variants, out and in.

Source: API_TargetTrackingScalingPolicyConfiguration.
"""


@dataclass(frozen=True)
class MetricRule:
    """The alarms of a target-tracking policy, and when they fire.

    Attributes:
        name: The predefined metric.
        metric: SageMaker's metric behind it.
        statistic: What of the metric's values in a period makes a data point: that of one instance.
        period_s: Seconds between its data points.
        points_out: Consecutive points above the target that put the high alarm into ALARM.
        points_in: Consecutive points below 90% of the target that put the low alarm into ALARM.
    """

    name: str
    metric: str
    statistic: str
    period_s: float
    points_out: int
    points_in: int


METRIC_RULES: dict[Metric, MetricRule] = {
    "concurrency": MetricRule(
        "SageMakerVariantConcurrentRequestsPerModelHighResolution", "ConcurrentRequestsPerModel", "Average", 10.0, 3, 15
    ),
    "invocations": MetricRule("SageMakerVariantInvocationsPerInstance", "InvocationsPerInstance", "Sum", 60.0, 3, 15),
}
"""The metrics of SageMaker variants.

Source of the periods: docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html (ConcurrentRequestsPerModel
every 10 seconds, InvocationsPerInstance every minute, of which only the sum is valid). Each instance reports its
requests in flight, so that their average compares with a target per instance; AWS does not publish that statistic. The
user guide gives no number of points, only that scale-in is more gradual: 3 and 15 are those of the alarms that
Application Auto Scaling is known to create.
"""

SCALE_IN_SHARE = 0.9
"""Scale-in needs the metric below this share of the target ("usually more than 10% lower").

Source: docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html.
"""


@dataclass(frozen=True)
class ScheduledAction:
    """New bounds from a time on. `at_s`: seconds from the trace's start; None leaves a bound as it is."""

    at_s: float
    min_capacity: int | None = None
    max_capacity: int | None = None


@dataclass(frozen=True)
class Policy:
    """A scalable target with its target-tracking policy; a fixed number of instances without `metric`.

    Attributes:
        name: What the user calls it.
        min_capacity: Instances at least.
        max_capacity: Instances at most.
        metric: What is tracked, or None.
        target: The metric's target per instance: requests in flight, or invocations a minute.
        scale_out_cooldown_s: Seconds after a scale-out in which only a larger one is made.
        scale_in_cooldown_s: Seconds after a scale-in in which no other is made.
        initial_capacity: Instances at the start; None is `min_capacity`.
        schedule: Scheduled actions, by time.
    """

    name: str
    min_capacity: int
    max_capacity: int
    metric: Metric | None = None
    target: float = 1.0
    scale_out_cooldown_s: float = DEFAULT_COOLDOWN_S
    scale_in_cooldown_s: float = DEFAULT_COOLDOWN_S
    initial_capacity: int | None = None
    schedule: tuple[ScheduledAction, ...] = ()

    @property
    def start(self) -> int:
        """Instances in service when the trace begins."""
        initial = self.min_capacity if self.initial_capacity is None else self.initial_capacity
        return min(max(initial, self.min_capacity), self.max_capacity)
