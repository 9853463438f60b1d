"""The errors of the SageMaker runtime API, as `sagemaker-runtime/2017-05-13` of botocore shapes them."""

import json
import uuid
from http import HTTPStatus

from moto.utilities.utils import get_partition
from starlette.responses import Response

from sagehost.hosting.fleet import EndpointKey

_MESSAGE_LIMIT = 2048
"""Most characters of a message, OriginalMessage included: the Message shape."""


class RuntimeApiError(Exception):
    """An error of the service itself, of this code and HTTP status."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def response(self) -> Response:
        """The HTTP response."""
        return _response(self.code, self.status, {"Message": str(self)})

    @classmethod
    def validation(cls, message: str) -> "RuntimeApiError":
        """A request that the service refuses."""
        return cls("ValidationError", HTTPStatus.BAD_REQUEST, message)


def endpoint_not_found(key: EndpointKey) -> RuntimeApiError:
    """What SageMaker says of an endpoint that is not there, not yet there, or failed."""
    return RuntimeApiError.validation(f"Endpoint {key.name} of account {key.account} not found.")


def model_error(key: EndpointKey, status: int, body: bytes) -> Response:
    """The response for a container that answered with another status than 200."""
    original = body.decode(errors="replace")[:_MESSAGE_LIMIT]
    side = "client" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server"
    group = f"/aws/sagemaker/Endpoints/{key.name}"
    console = f"https://{key.region}.console.aws.amazon.com/cloudwatch/home?region={key.region}"
    message = (
        f'Received {side} error ({status}) from primary with message "{original}". '
        f"See {console}#logEventViewer:group={group} in account {key.account} for more information."
    )
    members = {
        "ErrorCode": f"{'CLIENT' if side == 'client' else 'SERVER'}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:{get_partition(key.region)}:logs:{key.region}:{key.account}:log-group:{group}",
        "Message": message,
        "OriginalMessage": original,
        "OriginalStatusCode": status,
    }
    return _response("ModelError", HTTPStatus.FAILED_DEPENDENCY, members)


def _response(code: str, status: int, members: dict[str, object]) -> Response:
    headers = {"x-amzn-errortype": code, "x-amzn-requestid": str(uuid.uuid4())}
    return Response(json.dumps(members), status, headers, media_type="application/json")
