"""A fixed number of users who each send the next request when the last one is answered, on the scheduler itself."""

from dataclasses import dataclass
from functools import lru_cache
from heapq import heapify, heappop, heappush
from statistics import median

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance

_REQUESTS_PER_USER = 20


@dataclass(frozen=True, slots=True)
class Load:
    """`users` at once, each of whose requests has the same lengths in tokens; `max_new_tokens` is the output's."""

    users: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """The second half of a simulated closed loop: the client's median seconds for a request, and tokens in all."""

    latency: float
    tokens_per_second: float


@lru_cache(maxsize=1024)
def simulate(
    load: Load, parameters: PerformanceParameters, limits: RouterLimits, *, at_once: bool = False
) -> Simulated:
    """Lets users send 20 requests each on average, the first ones `at_once` or spread over about one answer's time.

    Users who begin at once stay in step: their prefills are fewer, and their answers a little faster. Deterministic,
    and a matter of milliseconds. Raises ValueError if a length or the number of users is out of range, or the router
    would never admit a request.
    """
    if not 1 <= load.users <= limits.max_concurrent_requests:
        raise ValueError(
            f"{load.users} users are not from 1 to MAX_CONCURRENT_REQUESTS, {limits.max_concurrent_requests}: more are "
            "refused. Change the users or the limit"
        )
    instance = TgiInstance(parameters, limits)
    spread = 0.0 if at_once else parameters.decode_step * load.output_tokens
    half_trip = parameters.round_trip / 2
    sending = [spread * user / load.users for user in range(load.users)]
    heapify(sending)
    latencies: list[float] = []
    finished: list[float] = []
    while len(latencies) < _REQUESTS_PER_USER * load.users:
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
