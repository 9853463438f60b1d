"""What a check has found."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["fine", "later", "refused"]
"""`later`: it is not there yet, and the pipeline's deployment makes it."""

Result = tuple[Status, str, str]
"""Status, detail and fix of a finding."""


@dataclass(frozen=True)
class Finding:
    """One thing that the pipeline needs."""

    subject: str
    """What it is: `bootstrap`, `callers`, `instance type`, `network` or `connection`."""
    used_by: tuple[str, ...]
    """What needs it: `pipeline`, or environments."""
    account: str
    """Where it is."""
    region: str
    """Where it is."""
    status: Status
    """Whether it is as it has to be."""
    detail: str
    """What is there, or why it will not do."""
    fix: str = ""
    """What to do, for one that is refused."""
