"""What the services of our own share, which answer in the place of moto's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from moto.core.exceptions import ServiceException
from moto.core.responses import BaseResponse

from localaws.hosting.constraints import violations


class InvalidInput(ServiceException):
    """A parameter is missing, or its value is not one that the operation takes."""

    code = "InvalidInputException"


class ResourceNotFound(ServiceException):
    """What the request names does not exist in the caller's account and region."""

    code = "ResourceNotFoundException"


class OwnService(BaseResponse):
    """One request. moto calls the method that is named like the operation."""

    service: ClassVar[str]
    """botocore's name of the service."""

    def __init__(self) -> None:
        super().__init__(service_name=self.service)
        self.automated_parameter_parsing = True

    @property
    def request(self) -> Mapping[str, Any]:
        """The request's parameters, as botocore's model names them.

        Raises:
            InvalidInput: one of them is against a constraint of the model.
        """
        parameters: Mapping[str, Any] = self._get_params()
        if message := violations(self.service, self._get_action(), parameters):
            raise InvalidInput(message)
        return parameters
