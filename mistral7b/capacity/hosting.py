"""What a fleet's instances have in common."""

from dataclasses import dataclass

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.workload import ANSWER_LIMIT_S


@dataclass(frozen=True)
class Fleet:
    """Instances that are all alike, behind one endpoint; what is assumed of them is in docs/scaling.md.

    A request that overruns `answer_limit_s` is an error to its caller, but holds its place to its end. An instance
    takes requests `startup_s` seconds after the decision to scale.
    """

    parameters: PerformanceParameters
    limits: RouterLimits
    startup_s: float = 300.0
    answer_limit_s: float = ANSWER_LIMIT_S
