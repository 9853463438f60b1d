"""What can be set about the embedded endpoints and what they leave behind, by environment variables."""

import os
from dataclasses import dataclass
from typing import Self

from sagehost.clock import INSTANT, parse_speed


@dataclass(frozen=True)
class HostingSettings:
    """Seconds: how long an endpoint is created or updated, how long an instance's network interface outlives it (on AWS
    some minutes), and how long CloudFormation repeats deletions that EC2 refuses with DependencyViolation (on AWS some
    15 minutes; by default three times the interfaces'). Quota: instances of a type that endpoints of an account and
    region may have; on AWS often none in a new account. Environment: SAGEHOST_ and a field's name in capitals.

    Speed: how fast all that runs, of which these seconds are seconds. `INSTANT`: containers answer at once, an update's
    waits take hundredths of seconds, and no metric is published, so that no alarm and no scaling policy acts.
    """

    endpoint_seconds: float = 1.0
    interface_seconds: float = 2.0
    dependency_seconds: float = 6.0
    endpoint_quota: float = 100.0
    speed: float = INSTANT

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises ValueError with the variable's name."""
        interface = _number("SAGEHOST_INTERFACE_SECONDS", cls.interface_seconds)
        endpoint = _number("SAGEHOST_ENDPOINT_SECONDS", cls.endpoint_seconds)
        dependency = _number("SAGEHOST_DEPENDENCY_SECONDS", 3 * interface)
        quota = _number("SAGEHOST_ENDPOINT_QUOTA", cls.endpoint_quota)
        return cls(endpoint, interface, dependency, quota, parse_speed(os.environ.get("SAGEHOST_SPEED", "1")))


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{variable} must be a number from 0, not {text!r}")
    return value
