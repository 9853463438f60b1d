"""What a fleet's instances have in common."""

from dataclasses import dataclass

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.workload import ANSWER_LIMIT_S


@dataclass(frozen=True)
class Fleet:
    """Instances that are all alike, behind one endpoint.

    SageMaker sends a request to an instance with the fewest in flight; equals take turns
    (API_ProductionVariantRoutingConfig, LEAST_OUTSTANDING_REQUESTS, which the template sets).

    A request that overruns `answer_limit_s` is an error to its caller, but goes on in the container and holds its place
    there to its end. AWS documents the error alone; that SageMaker would hang up on the container, on which TGI would
    drop the request, is documented nowhere, so the less favourable case is taken.

    An instance takes requests `startup_s` seconds after the decision to scale: SageMaker documents "minutes", in which
    the container copies and loads 14.5 GB of weights.
    """

    parameters: PerformanceParameters
    limits: RouterLimits
    startup_s: float = 300.0
    answer_limit_s: float = ANSWER_LIMIT_S
