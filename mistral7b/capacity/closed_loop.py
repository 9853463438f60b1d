"""The loads of `mistral7b.capacity.closed_form`, request by request on the scheduler itself."""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from statistics import median

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.closed_form import Load
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the second half of a simulated closed loop came to, when its users have fallen into step.

    Attributes:
        latency: median of the seconds from sending a request to its last token, the round trip included.
        tokens_per_second: generated in all.
    """

    latency: float
    tokens_per_second: float


def simulate(
    load: Load,
    parameters: PerformanceParameters,
    limits: RouterLimits,
    *,
    requests_per_user: int = 20,
    spread: float | None = None,
) -> Simulated:
    """Lets every user send `requests_per_user` requests on average, the first of them spread over `spread` seconds.

    `spread` is by default the time of one decode step a token: about one answer. Deterministic. Raises ValueError as
    `TgiInstance.offer` does.
    """
    instance = TgiInstance(parameters, limits)
    if spread is None:
        spread = parameters.decode_step * load.output_tokens
    half_trip = parameters.round_trip / 2
    sending = [spread * user / load.users for user in range(load.users)]
    heapify(sending)
    latencies: list[float] = []
    finished: list[float] = []
    while len(latencies) < max(2, requests_per_user * load.users):
        event = instance.next_event()
        if sending and (event is None or sending[0] + half_trip <= event):
            arrival = heappop(sending) + half_trip
            instance.offer(Request(arrival, load.input_tokens, load.output_tokens), arrival)
        elif event is not None:
            for request in instance.advance(event):
                latencies.append(request.latency + parameters.round_trip)
                finished.append(request.finished)
                heappush(sending, request.finished + half_trip)
    half = len(latencies) // 2
    rate = (len(finished) - half) / (finished[-1] - finished[half - 1])
    return Simulated(median(latencies[half:]), rate * load.output_tokens)
