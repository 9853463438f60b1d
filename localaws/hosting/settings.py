"""What can be set about the embedded endpoints and what they leave behind, by environment variables."""

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class HostingSettings:
    """Environment variables: LOCALAWS_ and the name of a field in capitals.

    `endpoint_seconds`: how long an endpoint is created or updated. `interface_seconds`: how long network interfaces
    outlive the instances they were made for; on AWS some minutes. `dependency_seconds`: how long CloudFormation repeats
    deletions that EC2 refuses with DependencyViolation; on AWS some 15 minutes, here three times `interface_seconds`.
    `answer_tokens`: least length of an answer. One that has said what it has to say goes on with filler, for load tests
    that need long answers.
    """

    endpoint_seconds: float = 1.0
    interface_seconds: float = 2.0
    dependency_seconds: float = 6.0
    answer_tokens: int = 0

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises ValueError with the variable's name."""
        interface_seconds = _not_negative("LOCALAWS_INTERFACE_SECONDS", cls.interface_seconds)
        return cls(
            endpoint_seconds=_not_negative("LOCALAWS_ENDPOINT_SECONDS", cls.endpoint_seconds),
            interface_seconds=interface_seconds,
            dependency_seconds=_not_negative("LOCALAWS_DEPENDENCY_SECONDS", 3 * interface_seconds),
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
