"""One request to an instance, and when what happened to it."""

from dataclasses import dataclass, field
from math import nan


@dataclass(slots=True, eq=False)
class Request:
    """A request with its lengths in tokens, and its times in seconds of the caller's clock (NaN: not yet).

    Attributes:
        output_tokens: tokens that are generated before the answer ends, `max_new_tokens` at most.
        max_new_tokens: tokens that the router reserves for the answer; 0 means `output_tokens`.
        number: the caller's, to know it by.
        samples: whether its tokens are drawn by chance rather than the likeliest ones.
        admitted: when its prefill began.
        first_token: when its prefill ended, which yields the first token.
        cancelled: whether its client has gone before it finished.
    """

    arrival: float
    input_tokens: int
    output_tokens: int
    max_new_tokens: int = 0
    number: int = 0
    samples: bool = False
    admitted: float = field(default=nan, init=False)
    first_token: float = field(default=nan, init=False)
    finished: float = field(default=nan, init=False)
    cancelled: bool = field(default=False, init=False)
    # The scheduler's own: what the router charges, and the instance's decode steps it is in the batch for.
    prefill_tokens: int = field(default=0, init=False)
    reserved_tokens: int = field(default=0, init=False)
    held_tokens: int = field(default=0, init=False)
    first_step: int = field(default=0, init=False)
    finish_step: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.max_new_tokens = self.max_new_tokens or self.output_tokens

    @property
    def latency(self) -> float:
        """Seconds from arrival to the last token."""
        return self.finished - self.arrival
