"""Requests that stand for a workload: its distributions of lengths, covered evenly rather than drawn."""

import random
from dataclasses import dataclass
from statistics import NormalDist

from mistral7b.workload import TokenSpread, Workload

# Fibonacci numbers: the points (i/n, i·k/n mod 1) of such a pair are a lattice that covers the unit square evenly
# (Niederreiter, Random Number Generation and Quasi-Monte Carlo Methods, 1992, chapter 5).
_POINTS, _GENERATOR = 987, 610


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of one request: its prompt, its answer, and what it asks for at most."""

    input_tokens: int
    output_tokens: int
    max_new_tokens: int


def requests_of(workload: Workload) -> list[Lengths]:
    """Requests that stand for a workload, each as likely as another, in an order that is mixed and always the same.

    Prompts and answers are independent of each other.
    """
    made = []
    for i in range(_POINTS):
        u, v = (i + 0.5) / _POINTS, (i * _GENERATOR + 0.5) / _POINTS % 1
        prompt = min(quantile(workload.input_tokens, u), workload.longest_prompt)
        answer = min(quantile(workload.output_tokens, v), workload.longest_answer)
        made.append(Lengths(prompt, answer, workload.max_new_tokens or answer))
    random.Random(1).shuffle(made)
    return made


def quantile(tokens: int | TokenSpread | list[int], share: float) -> int:
    """Tokens that `share` (0 to 1, exclusive) of prompts or answers do not exceed."""
    if isinstance(tokens, TokenSpread):
        drawn = round(tokens.at(NormalDist().inv_cdf(share)))
        return min(max(1, drawn), tokens.most)
    if isinstance(tokens, list):
        return sorted(tokens)[int(share * len(tokens))]
    return tokens
