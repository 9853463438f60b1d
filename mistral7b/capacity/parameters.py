"""How long one instance takes for a prefill and for a decode step: the physical parameters of the performance model."""

from dataclasses import dataclass, replace

SLIDING_WINDOW = 4096
"""Tokens that one token attends to. Source: `sliding_window` in config.json of Mistral-7B-v0.1 and Instruct-v0.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceParameters:
    """Times of Mistral 7B in 16 bit on one GPU, all in seconds.

    Either of a decode step and a prefill takes `sampling` longer if any of its requests samples: the warpers then
    process the whole batch. `round_trip` is what the client waits beyond the container: network, SageMaker's front end,
    serialisation. docs/performance-model.md explains the others.
    """

    decode_step: float
    decode_per_request: float
    decode_per_kv_token: float
    decode_per_longest_token: float
    prefill: float
    prefill_per_token: float
    prefill_per_pair: float
    sampling: float
    round_trip: float

    def sampled(self) -> "PerformanceParameters":
        """As they are if every request samples."""
        step, prefill = self.decode_step + self.sampling, self.prefill + self.sampling
        return replace(self, decode_step=step, prefill=prefill, sampling=0.0)

    def prefill_seconds(self, tokens: int, pairs: float, *, samples: bool = False) -> float:
        """Seconds of one prefill of prompts with `tokens` in all, whose attention has `pairs` in all."""
        return self.prefill + self.prefill_per_token * tokens + self.prefill_per_pair * pairs + self.sampling * samples

    def decode_seconds(self, running: float, kv_tokens: float, longest: float, *, samples: bool = False) -> float:
        """Seconds of one decode step over `running` requests, whose contexts sum to `kv_tokens` at most `longest`."""
        return (
            self.decode_step
            + self.decode_per_request * running
            + self.decode_per_kv_token * kv_tokens
            + self.decode_per_longest_token * longest
            + self.sampling * samples
        )


def attention_pairs(prompt_tokens: int) -> float:
    """Pairs (token, token it attends to) in the prefill of one prompt, in the limit of long prompts.

    Token i attends to min(i, W) tokens, W = SLIDING_WINDOW: the sum over i <= L is L·w − w²/2 with w = min(L, W).
    """
    window = min(prompt_tokens, SLIDING_WINDOW)
    return prompt_tokens * window - window * window / 2
