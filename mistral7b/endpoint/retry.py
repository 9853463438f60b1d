"""Sends a request again only where it cannot have reached the container.

botocore's own retries, in all their modes, also repeat a request that timed out or whose connection broke: a slow
generation would then run twice, on top of the load that made it slow. So these are off, and this is instead.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mistral7b.endpoint.errors import ThrottledError, UnreachableError

T = TypeVar("T")

NEVER_REACHED_THE_CONTAINER = (ThrottledError, UnreachableError)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """At most `attempts`; between two a random part of a pause that doubles from `first_pause_s` to `longest_pause_s`.

    "Full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    attempts: int = 4
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0

    def call(self, send: Callable[[], T], *, sleep: Callable[[float], object] = time.sleep) -> T:
        """What `send` returns; its last error where every attempt fails, and any other error at once."""
        for attempt in range(1, self.attempts):
            try:
                return send()
            except NEVER_REACHED_THE_CONTAINER:
                sleep(random.uniform(0, self.longest_pause(attempt)))
        return send()

    def longest_pause(self, attempt: int) -> float:
        """Seconds that the pause after this attempt, counted from 1, may take."""
        return float(min(self.longest_pause_s, self.first_pause_s * 2 ** (attempt - 1)))


NO_RETRIES = RetryPolicy(attempts=1)
