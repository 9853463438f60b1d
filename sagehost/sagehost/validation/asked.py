"""What a request asks for: the operation and its parameters, by botocore's model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call of one operation."""

    service: str
    """botocore's name of the service."""
    operation: str
    given: Mapping[str, Any]
    """The parameters, as botocore's model names them."""
    account: str
    region: str
    access_key: str
