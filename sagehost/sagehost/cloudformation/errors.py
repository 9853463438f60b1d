"""What CloudFormation refuses most often; the rest are `aws_errors.Refused` with the codes of its service model."""

from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException


class ValidationError(ServiceException):
    """The request, or the template in it, is wrong."""

    code = "ValidationError"


class ResourceFailure(Exception):
    """A resource could not be created, updated or deleted; the text is its status reason."""

    reached: Mapping[str, Any] = {}
    """After a change: the properties that the resource has now."""
