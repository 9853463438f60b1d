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
    """An instance with the same number of requests in flight at all times, queued ones included.

    Times of its requests ascend: all but `container_s`, which SageMaker limits, are the client's, with round trip.
    `prefill_s` and `decode_s` are a request's time in the container by what the GPU does meanwhile, on average.
    """

    requests_per_s: float
    prefill_s: float
    decode_s: float
    seconds: list[float]
    ms_per_token: list[float]
    first_token_seconds: list[float]
    container_s: list[float]


def full_load(
    in_flight: int, requests: Sequence[Lengths], parameters: PerformanceParameters, limits: RouterLimits
) -> FullLoad:
    """Lets as many callers as are in flight send requests of these lengths, each the next as soon as one is answered.

    Every request counts once, after a round of first ones; the load goes on until the last is answered. Raises
    UnservableRequestError if the router would never let one of the requests in.
    """
    chance = random.Random(2)
    instance = TgiInstance(parameters, limits)
    # The first requests come over the time of one answer, so that they do not begin as one group.
    spread = parameters.decode_step * sum(one.output_tokens for one in requests) / len(requests)
    due = [chance.random() * spread for _ in range(in_flight)]
    heapify(due)
    first = max(_FEWEST_FIRST, 3 * in_flight)
    measured: list[Request] = []
    unanswered: set[int] = set()
    for number, one in enumerate(cycle(requests)):
        while (event := instance.next_event()) is not None and not (due and due[0] <= event):
            for request in instance.advance(event):
                unanswered.discard(id(request))
                heappush(due, request.finished + chance.expovariate(1 / _GAP_S))
        if number >= first + len(requests) and not unanswered:
            break
        request = Request(heappop(due), one.input_tokens, one.output_tokens, one.max_new_tokens)
        instance.offer(request, request.arrival)
        if first <= number < first + len(requests):
            measured.append(request)
            unanswered.add(id(request))
    container_s = [request.latency for request in measured]
    prefills = {request.admitted: request.first_token - request.admitted for request in measured}
    prefill_s = in_flight * sum(prefills.values()) / len(measured)
    client_s = [latency + parameters.round_trip for latency in container_s]
    answers = (request.output_tokens for request in measured)
    return FullLoad(
        requests_per_s=in_flight * len(measured) / sum(container_s),
        prefill_s=prefill_s,
        decode_s=sum(container_s) / len(measured) - prefill_s,
        seconds=sorted(client_s),
        ms_per_token=sorted(1000 * seconds / tokens for seconds, tokens in zip(client_s, answers, strict=True)),
        first_token_seconds=sorted(one.first_token - one.arrival + parameters.round_trip for one in measured),
        container_s=sorted(container_s),
    )
