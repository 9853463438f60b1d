"""One request to an instance, and when what happened to it."""

from math import nan


class Request:
    """A request with its lengths in tokens, and its times in seconds of the caller's clock (NaN: not yet).

    A caller that has more to remember of a request derives a class with `__slots__` of its own.

    Attributes:
        arrival: when it reached the container.
        input_tokens: tokens of the prompt.
        output_tokens: tokens that are generated before the answer ends, `max_new_tokens` at most.
        max_new_tokens: tokens that the router reserves for the answer.
        admitted: when its prefill began.
        first_token: when its prefill ended, which yields the first token.
        finished: when its last token came.
        cancelled: whether its client has gone before that.
    """

    __slots__ = (
        "admitted",
        "arrival",
        "cancelled",
        "finish_step",
        "finished",
        "first_step",
        "first_token",
        "held_tokens",
        "input_tokens",
        "max_new_tokens",
        "output_tokens",
        "prefill_tokens",
        "reserved_tokens",
    )

    def __init__(
        self, arrival: float, input_tokens: int, output_tokens: int, max_new_tokens: int | None = None
    ) -> None:
        self.arrival = arrival
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.max_new_tokens = output_tokens if max_new_tokens is None else max_new_tokens
        self.admitted = nan
        self.first_token = nan
        self.finished = nan
        self.cancelled = False
        # The scheduler's own: what the router charges, and the instance's decode steps it is in the batch for.
        self.prefill_tokens = 0
        self.reserved_tokens = 0
        self.held_tokens = 0
        self.first_step = 0
        self.finish_step = 0

    @property
    def queue_seconds(self) -> float:
        """Seconds from arrival to the begin of the prefill."""
        return self.admitted - self.arrival

    @property
    def latency(self) -> float:
        """Seconds from arrival to the last token."""
        return self.finished - self.arrival

    @property
    def milliseconds_per_token(self) -> float:
        """The whole latency over the tokens generated, as the published benchmark has it (p50_latency_ms_per_token)."""
        return 1000 * self.latency / self.output_tokens
