"""What can be set about the embedded endpoints, by environment variables."""

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class HostingSettings:
    """`endpoint_seconds`: how long an endpoint is created or updated. `answer_tokens`: least length of an answer.

    An answer that has said what it has to say goes on with filler up to `answer_tokens`, for load tests that need
    long answers. Environment: LOCALAWS_ENDPOINT_SECONDS (default 1), LOCALAWS_ANSWER_TOKENS (default 0).
    """

    endpoint_seconds: float = 1.0
    answer_tokens: int = 0

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises ValueError with the variable's name."""
        return cls(
            endpoint_seconds=_not_negative("LOCALAWS_ENDPOINT_SECONDS", cls.endpoint_seconds),
            answer_tokens=int(_not_negative("LOCALAWS_ANSWER_TOKENS", cls.answer_tokens)),
        )


def _not_negative(variable: str, default: float) -> float:
    text = os.environ.get(variable, str(default))
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{variable} must be a number, not {text!r}") from None
    if not 0 <= value < float("inf"):
        raise ValueError(f"{variable} must be a finite number from 0, not {text}")
    return value
