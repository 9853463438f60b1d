"""What TGI 1.1.0's router charges a request, and when it lets waiting requests in.

Source of every rule: `next_batch` in `router/src/queue.rs`, `batching_task` in `router/src/infer.rs`, and `from_pb` in
`server/text_generation_server/models/flash_mistral.py` of that version.
"""

from ctypes import c_float
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mistral7b.capacity.parameters import SLIDING_WINDOW
from mistral7b.capacity.request import Request

if TYPE_CHECKING:
    from mistral7b.tgi import LauncherSettings

BLOCK_SIZE = 16
"""Tokens of one block of the KV cache."""


class UnservableRequestError(ValueError):
    """A request that the router would never let in: it would block the queue for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterLimits:
    """The launcher's settings that the router batches by, with its defaults.

    `max_batch_total_tokens` is what the server measures at warm-up (`mistral7b.capacity.memory`).
    """

    max_batch_total_tokens: int
    max_concurrent_requests: int = 128
    max_batch_prefill_tokens: int = 4096
    waiting_served_ratio: float = 1.2
    max_waiting_tokens: int = 20


def in_blocks(tokens: int) -> int:
    """Tokens rounded up to whole blocks: what a prompt takes of MAX_BATCH_PREFILL_TOKENS and MAX_BATCH_TOTAL_TOKENS."""
    return -(-tokens // BLOCK_SIZE) * BLOCK_SIZE


def answer_charge(input_tokens: int, max_new_tokens: int) -> int:
    """Tokens that admission reserves for the answer: none beyond the sliding window."""
    return in_blocks(min(max(0, SLIDING_WINDOW - input_tokens), max_new_tokens))


def running_charge(input_tokens: int, max_new_tokens: int) -> int:
    """Tokens that a running request holds: its blocks, those of the sliding window at most.

    One token less than prompt and answer, as the last token generated is never attended to.
    """
    return in_blocks(min(input_tokens + max_new_tokens - 1, SLIDING_WINDOW))


def fewest_to_interrupt(running: int, waiting_served_ratio: float) -> int:
    """How many must be let in together to pause `running` requests: floor(running × ratio) in the router's 32 bit."""
    return max(1, int(c_float(running * c_float(waiting_served_ratio).value).value))


def never_admitted(settings: "LauncherSettings") -> range:
    """Lengths of prompts that validation lets in and no prefill takes: one blocks the queue until its client goes.

    MAX_BATCH_TOTAL_TOKENS plays no part: the server measures it, and does not start with less than MAX_TOTAL_TOKENS.
    """
    return range(settings.max_batch_prefill_tokens // BLOCK_SIZE * BLOCK_SIZE + 1, settings.max_input_length + 1)


def why_never_admitted(settings: "LauncherSettings") -> str | None:
    """What to know and do about prompts of these lengths; None where there are none."""
    blocked, budget = never_admitted(settings), settings.max_batch_prefill_tokens
    if not blocked:
        return None
    return (
        f"TGI accepts prompts of {blocked[0]} to {blocked[-1]} tokens and never schedules them: in blocks of "
        f"{BLOCK_SIZE} they are over MAX_BATCH_PREFILL_TOKENS {budget}. Such a prompt blocks the queue until it is "
        f"cancelled. Set MAX_BATCH_PREFILL_TOKENS to {in_blocks(blocked[-1])}, or MAX_INPUT_LENGTH to {blocked[0] - 1}"
    )


def charge(request: Request, limits: RouterLimits) -> None:
    """Notes what the router charges a request.

    Raises UnservableRequestError if it is over a budget that no waiting would free, ValueError if its lengths make no
    sense.
    """
    prompt, longest = request.input_tokens, request.max_new_tokens
    if prompt < 1 or not 1 <= request.output_tokens <= longest:
        raise ValueError(
            f"input_tokens {prompt}, output_tokens {request.output_tokens}, max_new_tokens {longest}: "
            "each must be 1 or more, and output_tokens max_new_tokens at most"
        )
    request.prefill_tokens = in_blocks(prompt)
    request.reserved_tokens = request.prefill_tokens + answer_charge(prompt, longest)
    request.held_tokens = running_charge(prompt, longest)
    if request.prefill_tokens > limits.max_batch_prefill_tokens:
        raise UnservableRequestError(
            f"a prompt of {prompt} tokens, in blocks {request.prefill_tokens}, never fits in a prefill of "
            f"MAX_BATCH_PREFILL_TOKENS {limits.max_batch_prefill_tokens}; shorten the prompt or raise the limit"
        )
    if request.reserved_tokens > limits.max_batch_total_tokens:
        raise UnservableRequestError(
            f"a prompt of {prompt} tokens and an answer of {longest}, in blocks {request.reserved_tokens}, never fit "
            f"in the {limits.max_batch_total_tokens} tokens that the GPU holds (MAX_BATCH_TOTAL_TOKENS); ask for less"
        )
