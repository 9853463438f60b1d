"""The rules of scaling on a clock that the caller owns: alarms, target tracking, scheduled actions. No AWS calls."""

from scaling_rules.alarm import Alarm
from scaling_rules.auto_scaling import AutoScaling, Change
from scaling_rules.policy import METRIC_RULES, SCALE_IN_SHARE, Metric, MetricRule, Policy, ScheduledAction
from scaling_rules.tracking import Bounds, TargetTracking

__all__ = [
    "METRIC_RULES", "SCALE_IN_SHARE", "Alarm", "AutoScaling", "Bounds", "Change", "Metric", "MetricRule", "Policy",
    "ScheduledAction", "TargetTracking",
]  # fmt: skip
