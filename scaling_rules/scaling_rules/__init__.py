"""The rules of scaling on a clock that the caller owns: alarms, target tracking, scheduled actions. No AWS calls."""

from scaling_rules.alarm import Alarm
from scaling_rules.auto_scaling import AutoScaling, Change
from scaling_rules.policy import METRIC_RULES, Metric, Policy, ScheduledAction

__all__ = ["METRIC_RULES", "Alarm", "AutoScaling", "Change", "Metric", "Policy", "ScheduledAction"]
