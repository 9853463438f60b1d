"""One instance with a fixed number of users who each send the next request when the answer to the last one is there.

A closed form of what `mistral7b.capacity.scheduler` does step by step, for requests of one length. In one cycle every
user gets one answer, which takes each request `steps` = output_tokens - 1 decode steps. Users then come in groups:
whoever finishes together comes back together, and MAX_WAITING_TOKENS keeps groups apart. What a cycle of S decode steps
has to satisfy:

    S >= steps + what passes while a user is away                (its own round trip, and half a step to be noticed)
    S >= users · steps / most that the KV cache lets run at once
    S >= (MAX_WAITING_TOKENS - 1) · users / most in one prefill  (where too few come together to interrupt at once)

The batch is then users · steps / S on average, and the cycle's length is S decode steps and the prefills of all users.
Against the scheduler it is off by 1% on average and by up to 19% over 2,500 loads with answers of SHORTEST_ANSWER
tokens or more, and by up to 3% for the published loads. For shorter answers the order in which groups come together
decides, so simulate those.
"""

from dataclasses import dataclass

from mistral7b.capacity.admission import RouterLimits, charge, fewest_to_interrupt
from mistral7b.capacity.parameters import SLIDING_WINDOW, PerformanceParameters, attention_pairs
from mistral7b.capacity.request import Request

SHORTEST_ANSWER = 96
"""Tokens of an answer from which the closed form holds: some five times MAX_WAITING_TOKENS."""

_ITERATIONS = 40
_CONVERGED = 1e-9


@dataclass(frozen=True, slots=True)
class Load:
    """`users` at once, each of whose requests has the same lengths in tokens; `max_new_tokens` is the output's."""

    users: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Averages once all users are there: the client's seconds for a request, and the instance's tokens and batch."""

    latency: float
    tokens_per_second: float
    running: float


def steady_state(load: Load, parameters: PerformanceParameters, limits: RouterLimits) -> SteadyState:
    """The steady state of a load.

    Raises ValueError if a length or the number of users is out of range, or the router would never admit a request.
    """
    if not 1 <= load.users <= limits.max_concurrent_requests:
        raise ValueError(
            f"{load.users} users are not from 1 to MAX_CONCURRENT_REQUESTS, {limits.max_concurrent_requests}: more are "
            "refused. Change the users or the limit"
        )
    p, users, prompt, steps = parameters, load.users, load.input_tokens, load.output_tokens - 1
    request = Request(0.0, prompt, load.output_tokens)
    charge(request, limits)
    context = mean_context(prompt, steps)
    prompt_seconds = p.prefill_seconds(prompt, attention_pairs(prompt)) - p.prefill
    undecoded = p.round_trip + p.prefill + prompt_seconds
    if users == 1:
        decode = steps * p.decode_seconds(1, context, context)
        return SteadyState(undecoded + decode, load.output_tokens / (undecoded + decode), decode / (undecoded + decode))
    # Admission asks for the whole prompt, running holds what the window leaves of it.
    most_running = 1 + (limits.max_batch_total_tokens - request.reserved_tokens) / request.held_tokens
    most_in_prefill = min(
        limits.max_batch_prefill_tokens // request.prefill_tokens,
        limits.max_batch_total_tokens // request.reserved_tokens,
    )
    # Decode steps between two prefills: the router's `waiting_tokens` starts at 1.
    apart = max(1, limits.max_waiting_tokens - 1)
    least_steps = users * steps / most_running
    others = int(min(users, most_running)) - most_in_prefill
    if most_in_prefill < users and fewest_to_interrupt(others, limits.waiting_served_ratio) > most_in_prefill:
        least_steps = max(least_steps, apart * users / most_in_prefill)
    away, seconds, running = 0.5, 0.0, 0.0
    for _ in range(_ITERATIONS):  # a fixed point in the steps that pass while a user is away
        before = seconds
        cycle = max(steps + away, least_steps)
        running = users * steps / cycle
        # As many groups as fit into the cycle at their distance, or as the prefill budget makes.
        groups = max(users / most_in_prefill, min(users, max(1.0, cycle / apart)))
        # With evenly spaced groups, one of them is always close to its end: its context is the longest.
        share = 1 - 1 / (2 * max(1.0, min(groups, running)))
        longest = min(prompt + 1 + (steps - 1) * share, SLIDING_WINDOW) if steps else 0.0
        step = p.decode_seconds(running, running * context, longest)
        seconds = max(cycle * step + (users * prompt_seconds + groups * p.prefill), undecoded)
        # Of the round trip, the share that decode steps have of the cycle passes in decode steps.
        away = 0.5 + p.round_trip * cycle / seconds
        if abs(seconds - before) <= _CONVERGED * seconds:
            break
    return SteadyState(seconds, users * load.output_tokens / seconds, running)


def mean_context(input_tokens: int, steps: int) -> float:
    """Tokens attended to in a request's decode steps, on average: min(input + 1 + j, SLIDING_WINDOW), j < steps."""
    if steps == 0:
        return 0.0
    first = input_tokens + 1
    growing = max(0, min(SLIDING_WINDOW - first, steps))
    total = growing * first + growing * (growing - 1) / 2 + (steps - growing) * min(SLIDING_WINDOW, first + growing)
    return total / steps
