"""A fleet of instances behind one SageMaker endpoint: arrivals, routing, time-outs, and Application Auto Scaling."""

from mistral7b.capacity.fleet.arrivals import Pattern, Rate, poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import Result, Summary, simulate
from mistral7b.capacity.fleet.lengths import EmpiricalLength, LognormalLength, parse_lengths
from mistral7b.capacity.fleet.trace import Trace, TraceError
from mistral7b.capacity.fleet.trace_file import read_trace
from mistral7b.capacity.hosting import Fleet
from scaling_rules import Policy, ScheduledAction

__all__ = [
    "EmpiricalLength", "Fleet", "LognormalLength", "Pattern", "Policy", "Rate", "Result", "ScheduledAction", "Summary",
    "Trace", "TraceError", "parse_lengths", "poisson_trace", "rate_over_time", "read_trace", "simulate",
]  # fmt: skip
