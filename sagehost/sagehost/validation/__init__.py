"""What is checked of every request before a service sees it: botocore's model, then rules of our own."""

from sagehost.validation import model, rules
from sagehost.validation.asked import Asked, caller, read, services

__all__ = ["Asked", "caller", "check", "read", "services"]


def check(asked: Asked) -> None:
    """Raise Refused unless the model and the rules allow a call."""
    model.check(asked)
    rules.check(asked)
