"""How each service words what its model forbids, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from moto.core.model import ServiceModel


@dataclass(frozen=True)
class Codes:
    """Codes and messages of a service; messages are patterns of `str.format`."""

    source: str
    missing: str
    """Code for a required member that is not given."""
    constraint: str
    """Code for a value beyond a constraint."""
    malformed: str
    """Code for a request that the service cannot read."""
    if_missing: str = "{count} validation error{s} detected: {all}"
    if_beyond: str = "{count} validation error{s} detected: {all}"


_SERIALIZATION, _PARAMETER = "SerializationException", "InvalidParameterException"
_AT = "Invalid parameter at '{path}' failed to satisfy constraint: '{bare}'"
_XML = "The XML you provided was not well-formed or did not validate against our published schema: {name}: {constraint}"
_LACKS = "The request must contain the parameter {name}"
_TABLE: Mapping[str, Codes] = {
    # Services whose codes are not those of their protocol
    "sagemaker-runtime": Codes("API_runtime_InvokeEndpoint", "ValidationError", "ValidationError", _SERIALIZATION),
    "logs": Codes("API_CreateLogGroup", _PARAMETER, _PARAMETER, _SERIALIZATION),
    "resourcegroupstaggingapi": Codes("API_GetResources", _PARAMETER, _PARAMETER, _SERIALIZATION),
    "cloudwatch": Codes("botocore: ValidationError", "ValidationError", "ValidationError", _SERIALIZATION),
    "ecr": Codes("int128/create-ecr-repository-action#231", _PARAMETER, _PARAMETER, _SERIALIZATION, _AT, _AT),
    "sqs": Codes(
        *("SQS API, Common Errors", "MissingParameter", "InvalidParameterValue", _SERIALIZATION, f"{_LACKS}."),
        "Value {value} for parameter {name} is invalid. Reason: {constraint}.",
    ),
    "sns": Codes(
        *("API_CreateTopic; brendanhay/amazonka#209", "InvalidParameter", "InvalidParameter", "MalformedInput"),
        *("Invalid parameter: {name}", "Invalid parameter: {name} Reason: {constraint}"),
    ),
    # Protocols
    "json": Codes("Common Errors", "ValidationException", "ValidationException", _SERIALIZATION),
    "query": Codes(
        "Common Errors; brendanhay/amazonka#12, #495", "ValidationError", "ValidationError", "MalformedInput"
    ),
    "ec2": Codes(
        *("EC2 API, Error codes", "MissingParameter", "InvalidParameterValue", "InvalidParameterValue", _LACKS),
        "Value ({value}) for parameter {name} is invalid. {constraint}",
    ),
    "rest-xml": Codes("S3 API, Error responses", "MalformedXML", "MalformedXML", "MalformedXML", _XML, _XML),
}
HEADERS_OF_S3 = Codes(
    *("S3 API, Error responses", "InvalidRequest", "InvalidArgument", "InvalidArgument"),
    *("Missing required header or parameter: {name}", "Invalid {name} '{value}'. {constraint}"),
)


def codes(model: ServiceModel) -> Codes:
    """Those of a service."""
    kinds = [str(model.service_name), *model.metadata.get("protocols", [model.protocol]), "json"]
    return next(_TABLE[one] for one in kinds if one in _TABLE)


@cache
def status(model: ServiceModel, code: str) -> int:
    """The HTTP status of a service's error, as its model says."""
    found = [shape.metadata.get("error", {}) for shape in model.error_shapes if code in (shape.name, shape.error_code)]
    return int(found[0].get("httpStatusCode", 400)) if found else 400
