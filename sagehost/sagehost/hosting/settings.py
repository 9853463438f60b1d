"""What can be set about the embedded endpoints and what they leave behind, by environment variables."""

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class HostingSettings:
    """Seconds: how long an endpoint is created or updated, how long an instance's network interface outlives it (on AWS
    some minutes), and how long CloudFormation repeats deletions that EC2 refuses with DependencyViolation (on AWS some
    15 minutes; by default three times the interfaces'). Environment: SAGEHOST_ and a field's name in capitals.
    """

    endpoint_seconds: float = 1.0
    interface_seconds: float = 2.0
    dependency_seconds: float = 6.0

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises ValueError with the variable's name."""
        interface = _seconds("SAGEHOST_INTERFACE_SECONDS", cls.interface_seconds)
        endpoint = _seconds("SAGEHOST_ENDPOINT_SECONDS", cls.endpoint_seconds)
        return cls(endpoint, interface, _seconds("SAGEHOST_DEPENDENCY_SECONDS", 3 * interface))


def _seconds(variable: str, default: float) -> float:
    text = os.environ.get(variable, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{variable} must be a number from 0, not {text!r}")
    return value
