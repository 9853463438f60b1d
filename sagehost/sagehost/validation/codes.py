"""How each service words what its model forbids, as a table."""

from functools import cache
from typing import NamedTuple

from moto.core.utils import get_service_model

_ALL = "{count} validation error{s} detected: {all}"
_LACKS = "The request must contain the parameter {name}"


class Codes(NamedTuple):
    """Codes of a service, then the messages of the first two, as patterns of `str.format`."""

    source: str
    missing: str
    """Of a required member that is not given."""
    beyond: str
    """Of a value that breaks a constraint."""
    malformed: str
    """Of a request that the service cannot read."""
    if_missing: str = _ALL
    if_beyond: str = _ALL


_SERIALIZATION, _PARAMETER = "SerializationException", "InvalidParameterException"
_AT = "Invalid parameter at '{path}' failed to satisfy constraint: '{bare}'"
_XML = "The XML you provided was not well-formed or did not validate against our published schema: {path}: {constraint}"
_TABLE = {
    # By service
    "sagemaker-runtime": Codes("API_runtime_InvokeEndpoint", "ValidationError", "ValidationError", _SERIALIZATION),
    "logs": Codes("API_CreateLogGroup", _PARAMETER, _PARAMETER, _SERIALIZATION),
    "resourcegroupstaggingapi": Codes("API_GetResources", _PARAMETER, _PARAMETER, _SERIALIZATION),
    "cloudwatch": Codes("botocore's error shapes", "ValidationError", "ValidationError", _SERIALIZATION),
    "ecr": Codes("int128/create-ecr-repository-action#231", _PARAMETER, _PARAMETER, _SERIALIZATION, _AT, _AT),
    "sqs": Codes("Common Errors", "MissingParameter", "InvalidParameterValue", _SERIALIZATION, f"{_LACKS}."),
    "sns": Codes(
        *("API_CreateTopic; brendanhay/amazonka#209", "InvalidParameter", "InvalidParameter", "MalformedInput"),
        *("Invalid parameter: {name}", "Invalid parameter: {name} Reason: {constraint}"),
    ),
    # By protocol
    "json": Codes("Common Errors", "ValidationException", "ValidationException", _SERIALIZATION),
    "query": Codes("Common Errors; brendanhay/amazonka#495", "ValidationError", "ValidationError", "MalformedInput"),
    "ec2": Codes(
        *("EC2 API, Error codes", "MissingParameter", "InvalidParameterValue", "InvalidParameterValue", _LACKS),
        "Value ({value}) for parameter {name} is invalid. {constraint}",
    ),
    "rest-xml": Codes("S3 API, Error responses", "MalformedXML", "MalformedXML", "MalformedXML", _XML, _XML),
    "headers of s3": Codes(
        *("S3 API, Error responses", "InvalidRequest", "InvalidArgument", "InvalidArgument"),
        *("Missing required header or parameter: {name}", "Invalid {name} '{value}'. {constraint}"),
    ),
}


@cache
def codes(service: str) -> Codes:
    """Those of a service."""
    return _TABLE.get(service) or _TABLE.get(str(get_service_model(service).protocol)) or _TABLE["json"]
