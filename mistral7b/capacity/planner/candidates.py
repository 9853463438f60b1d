"""Settings of the container that come into question for a workload."""

from dataclasses import dataclass
from functools import cached_property

from mistral7b.capacity.admission import RouterLimits, answer_charge, in_blocks, prefill_charge
from mistral7b.capacity.closed_form import SHORTEST_ANSWER, Load, steady_state
from mistral7b.capacity.memory import max_batch_total_tokens
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.planner.lengths import Lengths, requests_of
from mistral7b.capacity.planner.service import GRID
from mistral7b.workload import MOST_TOKENS, Workload

# Prefill budgets besides the least: TGI's default, and what takes any prompt that JumpStart's settings let in.
_BUDGETS = (4096, MOST_TOKENS)
# MAX_CONCURRENT_REQUESTS has no part in how admitted requests are batched.
_UNLIMITED = 1 << 30
# A budget that serves less than this more is not worth the memory that it takes.
_WORTHWHILE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """Settings that are given rather than planned; None is: to be planned."""

    max_concurrent_requests: int | None = None
    max_input_length: int | None = None
    max_total_tokens: int | None = None
    max_batch_prefill_tokens: int | None = None
    min_instances: int | None = None
    max_instances: int | None = None
    cuda_memory_fraction: float = 1.0
    waiting_served_ratio: float = 1.2
    max_waiting_tokens: int = 20


@dataclass(frozen=True)
class Candidate:
    """Lengths that the container admits, and its prefill budget.

    Attributes:
        name: what tells it from the others.
        requests: those of the workload that it admits.
        too_long: share of the workload that it refuses with 422.
    """

    name: str
    max_input_length: int
    max_total_tokens: int
    max_batch_prefill_tokens: int
    limits: RouterLimits
    requests: list[Lengths]
    too_long: float

    @cached_property
    def mean(self) -> Lengths:
        """The mean request, in whole tokens."""
        count = len(self.requests)
        prompt = round(sum(one.input_tokens for one in self.requests) / count)
        answer = round(sum(one.output_tokens for one in self.requests) / count)
        return Lengths(max(1, prompt), max(1, answer), max(1, answer))

    @cached_property
    def reserved_tokens(self) -> float:
        """Tokens of the KV cache that admission reserves for a request on average."""
        return sum(
            prefill_charge(one.input_tokens) + answer_charge(one.input_tokens, one.max_new_tokens)
            for one in self.requests
        ) / len(self.requests)


def candidates(workload: Workload, pinned: Pinned) -> list[Candidate]:
    """Every combination to look at, the one with the most memory for all of the workload first.

    Raises:
        ValueError: memory or the prefill budget leaves no room; the message says which.
    """
    found = []
    for name, prompt, total in _lengths(workload, pinned):
        for budget in _budgets(prompt, pinned):
            requests = requests_of(workload, longest_prompt=prompt, longest_total=total)
            longest = max((one.input_tokens for one in requests), default=0)
            if in_blocks(longest) > budget:
                raise ValueError(
                    f"MAX_BATCH_PREFILL_TOKENS {budget} never takes a prompt of {longest} tokens, which in blocks of "
                    f"16 are {in_blocks(longest)}"
                )
            held = max_batch_total_tokens(
                max_batch_prefill_tokens=budget, cuda_memory_fraction=pinned.cuda_memory_fraction
            )
            limits = RouterLimits(
                max_batch_total_tokens=held,
                max_concurrent_requests=_UNLIMITED,
                max_batch_prefill_tokens=budget,
                waiting_served_ratio=pinned.waiting_served_ratio,
                max_waiting_tokens=pinned.max_waiting_tokens,
            )
            if held < total:
                raise ValueError(f"the KV cache holds {held} tokens, fewer than MAX_TOTAL_TOKENS {total}")
            whole = len(requests_of(workload))
            found.append(
                Candidate(f"{name}, prefill budget {budget}", prompt, total, budget, limits, requests,
                          1 - len(requests) / whole)
            )  # fmt: skip
    return found


def worth_simulating(candidate: Candidate, least: Candidate, parameters: PerformanceParameters) -> bool:
    """Whether a larger prefill budget may pay, by the closed form at every load of GRID, for the mean request.

    The closed form does not hold for short answers: then the budget is simulated.
    """
    if least.mean.output_tokens < SHORTEST_ANSWER:
        return True
    for users in GRID:
        load = Load(users, least.mean.input_tokens, least.mean.output_tokens)
        one, other = (steady_state(load, parameters, c.limits).tokens_per_second for c in (least, candidate))
        if other > (1 + _WORTHWHILE) * one:
            return True
    return False


def _lengths(workload: Workload, pinned: Pinned) -> list[tuple[str, int, int]]:
    """Pairs of MAX_INPUT_LENGTH and MAX_TOTAL_TOKENS: for every request, and for all but the longest."""
    prompt = in_blocks(workload.longest_prompt)
    pairs = [("every length", prompt, in_blocks(workload.longest_prompt + workload.longest_answer))]
    # Of the share that may be lost, a quarter may be too long.
    share = workload.objective.lost_percent / 800
    requests = requests_of(workload)
    prompts = sorted(one.input_tokens for one in requests)
    totals = sorted(one.input_tokens + one.max_new_tokens for one in requests)
    place = len(requests) - 1 - int(share * len(requests))
    pairs.append(("without the longest", in_blocks(prompts[place]), in_blocks(totals[place])))
    fitting: list[tuple[str, int, int]] = []
    for name, longest, total in pairs:
        most_total = min(total, MOST_TOKENS) if pinned.max_total_tokens is None else pinned.max_total_tokens
        most_prompt = min(longest, most_total - 1) if pinned.max_input_length is None else pinned.max_input_length
        if (most_prompt, most_total) not in [pair[1:] for pair in fitting]:
            fitting.append((name, most_prompt, most_total))
    return fitting


def _budgets(max_input_length: int, pinned: Pinned) -> list[int]:
    if pinned.max_batch_prefill_tokens is not None:
        return [pinned.max_batch_prefill_tokens]
    least = in_blocks(max_input_length)
    return [least, *(budget for budget in _BUDGETS if budget > least)]
