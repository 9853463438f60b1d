"""What is checked of every request before a service sees it: botocore's model, then rules of our own."""

from collections.abc import Mapping
from typing import Any

from moto.core.utils import get_service_model

from sagehost.validation import codes, model, rules
from sagehost.validation.asked import Asked, caller, read, service_name

__all__ = ["Asked", "caller", "check", "check_parameters", "service_name", "status"]


def check(environ: Mapping[str, Any], body: bytes, service: str) -> Asked:
    """The call that a request makes of a service, by botocore's name.

    Raises:
        Refused: as the service refuses it.
        NotImplementedError: for what this version does not know.
    """
    asked = read(environ, body, service)
    check_parameters(asked)
    return asked


def check_parameters(asked: Asked) -> None:
    """Raise Refused unless the model and the rules allow a call."""
    model.check(asked)
    rules.check(asked)


def status(service: str, code: str) -> int:
    """The HTTP status of a service's error."""
    return codes.status(get_service_model(service), code)
