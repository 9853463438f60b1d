"""What CloudFormation's API refuses, with the codes of its service model."""

from moto.core.exceptions import ServiceException


class ValidationError(ServiceException):
    """The request, or the template in it, is wrong."""

    code = "ValidationError"


class AlreadyExists(ServiceException):
    """A stack of this name exists."""

    code = "AlreadyExistsException"


class ChangeSetNotFound(ServiceException):
    """There is no such change set."""

    code = "ChangeSetNotFoundException"


class InvalidChangeSetStatus(ServiceException):
    """The change set cannot be executed in its present state."""

    code = "InvalidChangeSetStatus"


class InsufficientCapabilities(ServiceException):
    """The template creates IAM resources and the caller has not acknowledged it."""

    code = "InsufficientCapabilitiesException"


class ResourceFailure(Exception):
    """A resource could not be created, updated or deleted; the text is its status reason."""
