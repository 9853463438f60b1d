"""A fleet of instances behind one SageMaker endpoint: arrivals, routing, time-outs, and Application Auto Scaling."""

from mistral7b.capacity.fleet.arrivals import PoissonTrace, burst, constant, daily, ramp
from mistral7b.capacity.fleet.chunks import Chunk, ListedTrace, Trace, TraceError, collect
from mistral7b.capacity.fleet.exact import LatencyOverTime, Result, Summary, Timeline, simulate
from mistral7b.capacity.fleet.lengths import EmpiricalLength, LognormalLength, parse_lengths
from mistral7b.capacity.fleet.trace_file import TraceFile
from mistral7b.capacity.hosting import Fleet
from scaling_rules import Policy, ScheduledAction

__all__ = [
    "Chunk", "EmpiricalLength", "Fleet", "LatencyOverTime", "ListedTrace", "LognormalLength",
    "PoissonTrace", "Policy", "Result", "ScheduledAction", "Summary", "Timeline", "Trace", "TraceError", "TraceFile",
    "burst", "collect", "constant", "daily", "parse_lengths", "ramp", "simulate",
]  # fmt: skip
