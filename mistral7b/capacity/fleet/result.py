"""What a simulation of a fleet yields."""

from dataclasses import dataclass

from mistral7b.capacity.fleet.chunks import Floats

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, eq=False)
class LatencyOverTime:
    """Latency by the window of time in which requests came. All arrays have the shape (windows,).

    Attributes:
        times: Middle of each window, seconds from the trace's start.
        p50_s: Median latency of its answered requests, NaN without any.
        p95_s: The same, 95% quantile.
        rate: Requests per second that came.
    """

    times: Floats
    p50_s: Floats
    p95_s: Floats
    rate: Floats


@dataclass(frozen=True, eq=False)
class Timeline:
    """The fleet every ten seconds, and whenever it changes. All arrays have the shape (points,).

    Attributes:
        times: Seconds from the trace's start.
        in_flight: Requests in flight in the instances that are in service.
        in_service: Instances that take requests.
        capacity: Those and the starting ones.
    """

    times: Floats
    in_flight: Floats
    in_service: Floats
    capacity: Floats


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A policy's result over a whole trace.

    Attributes:
        policy: The policy's name.
        engine: `exact`: each request is simulated.
        requests: All requests; each is in exactly one of the next three.
        answered: Answered within SageMaker's 60 s.
        refused: Refused with 429, as the container had MAX_CONCURRENT_REQUESTS in flight.
        timed_out: Answered too late.
        latency_s: 50%, 95% and 99% quantile of the answered requests' latency, round trip included; NaN without any.
        per_token_ms: The same of latency over tokens generated.
        instance_hours: Instances over the trace's time, from the start of their start-up.
        most_instances: Largest capacity.
    """

    policy: str
    engine: str = "exact"
    requests: float
    answered: float
    refused: float
    timed_out: float
    latency_s: tuple[float, ...]
    per_token_ms: tuple[float, ...]
    instance_hours: float
    most_instances: int


@dataclass(frozen=True, eq=False)
class Result:
    """A policy's summary, and the fleet and its latency over time."""

    summary: Summary
    timeline: Timeline
    latency: LatencyOverTime
