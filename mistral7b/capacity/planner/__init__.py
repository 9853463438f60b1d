"""From a workload to settings: concurrency limit, lengths, prefill budget, instances and scaling target."""

from mistral7b.capacity.planner.candidates import Pinned as Pinned
from mistral7b.capacity.planner.plan import Plan as Plan
from mistral7b.capacity.planner.plan import plan as plan
from mistral7b.capacity.planner.search import InfeasibleError as InfeasibleError
