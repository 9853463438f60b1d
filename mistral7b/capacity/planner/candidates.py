"""Candidates: settings of the container that may suit a workload."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from mistral7b.capacity.admission import RouterLimits, answer_charge, in_blocks
from mistral7b.capacity.memory import max_batch_total_tokens
from mistral7b.capacity.planner.lengths import Lengths, requests_of
from mistral7b.workload import MOST_TOKENS, Workload

# Prefill budgets besides the least: TGI's default, and one for any prompt that JumpStart's settings let in.
_BUDGETS = (4096, MOST_TOKENS)
# MAX_CONCURRENT_REQUESTS has no part in how admitted requests are batched.
_UNLIMITED = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """Settings that are given rather than planned; None means planned."""

    max_concurrent_requests: int | None = None
    max_input_length: int | None = None
    max_total_tokens: int | None = None
    max_batch_prefill_tokens: int | None = None
    min_instances: int | None = None
    max_instances: int | None = None
    cuda_memory_fraction: float = 1.0
    waiting_served_ratio: float = 1.2
    max_waiting_tokens: int = 20
    scale_out_cooldown_seconds: int = 60
    scale_in_cooldown_seconds: int = 300


@dataclass(frozen=True)
class Candidate:
    """Lengths that the container admits, and the router's limits, without one on requests in flight.

    `requests` are those of the workload that it admits; it refuses the share `too_long` with 422.
    """

    max_input_length: int
    max_total_tokens: int
    limits: RouterLimits
    requests: list[Lengths]
    too_long: float

    @cached_property
    def reserved_tokens(self) -> float:
        """Tokens of the KV cache that admission reserves for a request on average."""
        return sum(
            in_blocks(one.input_tokens) + answer_charge(one.input_tokens, one.max_new_tokens) for one in self.requests
        ) / len(self.requests)


def candidates(workload: Workload, pinned: Pinned) -> list[Candidate]:
    """Every combination to look at, the one with the most memory for all of the workload first.

    Raises ValueError if memory or the prefill budget leaves no room; the message says which.
    """
    found = []
    every = requests_of(workload)
    for prompt, total in _lengths(workload, every, pinned):
        requests = [o for o in every if o.input_tokens <= prompt and o.input_tokens + o.max_new_tokens <= total]
        longest = max((one.input_tokens for one in requests), default=0)
        least = pinned.max_batch_prefill_tokens or in_blocks(prompt)
        larger = [budget for budget in _BUDGETS if budget > least and pinned.max_batch_prefill_tokens is None]
        for budget in (least, *larger):
            if in_blocks(longest) > budget:
                raise ValueError(
                    f"MAX_BATCH_PREFILL_TOKENS {budget} never takes a prompt of {longest} tokens, which in blocks of "
                    f"16 are {in_blocks(longest)}"
                )
            held = max_batch_total_tokens(
                max_batch_prefill_tokens=budget, cuda_memory_fraction=pinned.cuda_memory_fraction
            )
            if held < total:
                raise ValueError(f"the KV cache holds {held} tokens, fewer than MAX_TOTAL_TOKENS {total}")
            limits = RouterLimits(
                max_batch_total_tokens=held,
                max_concurrent_requests=_UNLIMITED,
                max_batch_prefill_tokens=budget,
                waiting_served_ratio=pinned.waiting_served_ratio,
                max_waiting_tokens=pinned.max_waiting_tokens,
            )
            found.append(Candidate(prompt, total, limits, requests, 1 - len(requests) / len(every)))
    return found


def _lengths(workload: Workload, requests: list[Lengths], pinned: Pinned) -> Iterable[tuple[int, int]]:
    """Pairs of MAX_INPUT_LENGTH and MAX_TOTAL_TOKENS: for every request, and for all but the longest."""
    prompts = sorted(one.input_tokens for one in requests)
    totals = sorted(one.input_tokens + one.max_new_tokens for one in requests)
    # Of the share that may be lost, a quarter may be too long.
    place = len(requests) - 1 - int(workload.objective.lost_percent / 800 * len(requests))
    fitting = []
    for longest, most in (
        (workload.longest_prompt, workload.longest_prompt + workload.longest_answer),
        (prompts[place], totals[place]),
    ):
        total = pinned.max_total_tokens or min(in_blocks(most), MOST_TOKENS)
        fitting.append((pinned.max_input_length or min(in_blocks(longest), total - 1), total))
    return dict.fromkeys(fitting)
