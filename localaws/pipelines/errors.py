"""What CodePipeline's API refuses, with the codes of its service model."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class ValidationError(ServiceException):
    """A parameter breaks the service's model."""

    code = "ValidationException"


class AccessDenied(ServiceException):
    """The caller may not do this."""

    code = "AccessDeniedException"


class PipelineNameInUse(ServiceException):
    """A pipeline of this name exists."""

    code = "PipelineNameInUseException"


class PipelineNotFound(ServiceException):
    """No pipeline has this name."""

    code = "PipelineNotFoundException"


class InvalidStructure(ServiceException):
    """The pipeline as a whole is wrong."""

    code = "InvalidStructureException"


class InvalidStageDeclaration(ServiceException):
    """A stage of a pipeline is wrong."""

    code = "InvalidStageDeclarationException"


class InvalidActionDeclaration(ServiceException):
    """An action of a pipeline is wrong."""

    code = "InvalidActionDeclarationException"


class InvalidApprovalToken(ServiceException):
    """The token is not that of the approval."""

    code = "InvalidApprovalTokenException"


class ApprovalAlreadyCompleted(ServiceException):
    """The approval has its answer."""

    code = "ApprovalAlreadyCompletedException"
