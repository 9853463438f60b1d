"""SQS: the attributes of a queue."""

from collections.abc import Callable
from typing import Any

from moto.sqs.models import Queue

from sagehost.patches import correction


@correction.replaces(Queue, "_set_attributes")
def _set_attributes(original: Callable[..., None], self: Queue, attributes: dict[str, Any], *now: float) -> None:
    """moto drops the policy whenever another attribute is set."""
    kept = getattr(self, "policy", None)
    original(self, attributes, *now)
    if "Policy" not in attributes:
        self.policy = kept
