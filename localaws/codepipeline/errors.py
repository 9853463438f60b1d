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


class InvalidStructure(ServiceException):
    """The pipeline as a whole is wrong."""

    code = "InvalidStructureException"


class InvalidStageDeclaration(ServiceException):
    """A stage of a pipeline is wrong."""

    code = "InvalidStageDeclarationException"


class InvalidActionDeclaration(ServiceException):
    """An action of a pipeline is wrong."""

    code = "InvalidActionDeclarationException"


class InvalidTags(ServiceException):
    """A tag that users may not set."""

    code = "InvalidTagsException"


class TooManyTags(ServiceException):
    """More than 50 tags."""

    code = "TooManyTagsException"


class InvalidArn(ServiceException):
    """No ARN of a pipeline."""

    code = "InvalidArnException"


class ResourceNotFound(ServiceException):
    """The ARN names no pipeline."""

    code = "ResourceNotFoundException"


class PipelineNotFound(ServiceException):
    """No pipeline has this name."""

    code = "PipelineNotFoundException"


class PipelineVersionNotFound(ServiceException):
    """The pipeline has no such version."""

    code = "PipelineVersionNotFoundException"


class StageNotFound(ServiceException):
    """The pipeline has no such stage."""

    code = "StageNotFoundException"


class ActionNotFound(ServiceException):
    """The stage has no such action."""

    code = "ActionNotFoundException"


class PipelineExecutionNotFound(ServiceException):
    """The pipeline has no such execution."""

    code = "PipelineExecutionNotFoundException"


class PipelineExecutionNotStoppable(ServiceException):
    """The execution has ended."""

    code = "PipelineExecutionNotStoppableException"


class DuplicatedStopRequest(ServiceException):
    """The execution is stopping already."""

    code = "DuplicatedStopRequestException"


class StageNotRetryable(ServiceException):
    """The stage has not failed, or the pipeline has changed since."""

    code = "StageNotRetryableException"


class NotLatestPipelineExecution(ServiceException):
    """Another execution has been in the stage since."""

    code = "NotLatestPipelineExecutionException"


class InvalidApprovalToken(ServiceException):
    """The token is not that of the approval."""

    code = "InvalidApprovalTokenException"


class ApprovalAlreadyCompleted(ServiceException):
    """The approval has its answer."""

    code = "ApprovalAlreadyCompletedException"


class InvalidNextToken(ServiceException):
    """The token is none of this list's."""

    code = "InvalidNextTokenException"
