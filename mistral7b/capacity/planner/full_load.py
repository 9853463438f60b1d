"""An instance that always has the same number of requests in flight: what it serves, and how fast."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import cycle

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.lengths import Lengths
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance

# Mean seconds until a place that an answer has left is taken again: about a decode step. Without it requests of equal
# lengths would stay in lockstep for ever, which requests that come by chance do not.
_GAP_S = 0.05
_FEWEST_FIRST = 200


@dataclass(frozen=True, eq=False)
class FullLoad:
    """An instance with `in_flight` requests at all times.

    Attributes:
        in_flight: requests in the container, queued ones included.
        requests_per_s: answers a second. By Little's law: requests in flight over their mean time in the container.
        seconds: of each request from the client's view, round trip included, ascending.
        ms_per_token: the same over the answer's tokens, ascending.
        container_s: without the round trip, what SageMaker's 60 s count, ascending.
        queued: share of the time in the container before the prefill begins.
        prefilling: share of the instance's busy time that prefills take.
    """

    in_flight: int
    requests_per_s: float
    seconds: list[float]
    ms_per_token: list[float]
    container_s: list[float]
    queued: float
    prefilling: float


def full_load(
    in_flight: int, requests: Sequence[Lengths], parameters: PerformanceParameters, limits: RouterLimits
) -> FullLoad:
    """Lets as many callers as are in flight send requests of these lengths, each the next as soon as one is answered.

    Every request counts once, after a round of first ones; the load goes on until the last is answered.

    Raises:
        UnservableRequestError: the router would never let one of the requests in.
    """
    run = _Run(in_flight, requests, parameters, limits)
    measured = run.measured
    latencies = [request.latency for request in measured]
    return FullLoad(
        in_flight=in_flight,
        requests_per_s=in_flight * len(latencies) / sum(latencies),
        seconds=sorted(latency + parameters.round_trip for latency in latencies),
        ms_per_token=sorted(
            1000 * (request.latency + parameters.round_trip) / request.output_tokens for request in measured
        ),
        container_s=sorted(latencies),
        queued=sum(request.queue_seconds for request in measured) / sum(latencies),
        prefilling=run.prefilling,
    )


class _Run:
    """One run; `measured` are the requests that count, `prefilling` is as in FullLoad."""

    def __init__(
        self, in_flight: int, requests: Sequence[Lengths], parameters: PerformanceParameters, limits: RouterLimits
    ) -> None:
        chance = random.Random(2)
        instance = TgiInstance(parameters, limits)
        # The first requests come over the time of one answer, so that they do not begin as one group.
        spread = parameters.decode_step * sum(one.output_tokens for one in requests) / len(requests)
        due = [chance.random() * spread for _ in range(in_flight)]
        heapify(due)
        first = max(_FEWEST_FIRST, 3 * in_flight)
        self._counted = range(first, first + len(requests))
        self.measured: list[Request] = []
        self._open: set[int] = set()
        prefills: dict[float, float] = {}
        for number, one in enumerate(cycle(requests)):
            while not due or _earlier(instance.next_event(), due[0]):
                for request in self._advance(instance):
                    prefills[request.admitted] = request.first_token - request.admitted
                    heappush(due, request.finished + chance.expovariate(1 / _GAP_S))
            if number >= self._counted.stop and not self._open:
                break
            self._send(instance, Request(heappop(due), one.input_tokens, one.output_tokens, one.max_new_tokens), number)
        self.prefilling = sum(prefills.values()) / instance.busy_seconds

    def _send(self, instance: TgiInstance, request: Request, number: int) -> None:
        instance.offer(request, request.arrival)
        if number in self._counted:
            self.measured.append(request)
            self._open.add(id(request))

    def _advance(self, instance: TgiInstance) -> list[Request]:
        event = instance.next_event()
        finished = [] if event is None else instance.advance(event)
        for request in finished:
            self._open.discard(id(request))
        return finished


def _earlier(event: float | None, than: float) -> bool:
    return event is not None and event < than
