"""What is checked of every request before a service sees it: botocore's model, then rules of our own."""

from collections.abc import Mapping
from typing import Any

from sagehost.validation import model, rules
from sagehost.validation.asked import Asked, read


def check(environ: Mapping[str, Any], body: bytes, service: str) -> Asked:
    """The call that a request makes of a service, by botocore's name.

    Raises:
        Refused: as the service refuses it.
        NotImplementedError: for what this version does not know.
    """
    asked = read(environ, body, service)
    model.check(asked)
    rules.check(asked)
    return asked
