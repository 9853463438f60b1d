"""From a workload to settings: concurrency limit, lengths, prefill budget, instances and scaling target."""

from mistral7b.capacity.planner.candidates import Pinned
from mistral7b.capacity.planner.plan import Plan, RunnerUp, plan
from mistral7b.capacity.planner.search import InfeasibleError, Option, Settings
from mistral7b.capacity.planner.sizing import Expectation

__all__ = ["Expectation", "InfeasibleError", "Option", "Pinned", "Plan", "RunnerUp", "Settings", "plan"]
