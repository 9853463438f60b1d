"""How much one endpoint serves: the performance model of an instance, TGI's scheduler, and what is built on them."""

from mistral7b.capacity.admission import RouterLimits, UnservableRequestError
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance

__all__ = ["PerformanceParameters", "Request", "RouterLimits", "TgiInstance", "UnservableRequestError"]
