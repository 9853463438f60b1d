"""How each service words what its model forbids, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from moto.core.model import ServiceModel

_ALL = "{count} validation error{s} detected: {all}"


@dataclass(frozen=True, kw_only=True)
class Codes:
    """Codes of a service's errors, and their messages as patterns of `str.format`."""

    source: str
    missing: tuple[str, str]
    """Of a required member that is not given."""
    constraint: tuple[str, str]
    """Of a value beyond a constraint."""
    malformed: str
    """Of a request that the service cannot read."""


def _all(code: str, malformed: str, source: str) -> Codes:
    return Codes(missing=(code, _ALL), constraint=(code, _ALL), malformed=malformed, source=source)


_COMMON = "Common Error Types of the service's API reference"
_BY_SERVICE: Mapping[str, Codes] = {
    "sagemaker-runtime": _all("ValidationError", "SerializationException", "API reference: errors of InvokeEndpoint"),
    "logs": _all("InvalidParameterException", "SerializationException", "API reference: errors of CreateLogGroup"),
    "resourcegroupstaggingapi": _all(
        "InvalidParameterException", "SerializationException", "API reference: errors of GetResources"
    ),
    "cloudwatch": _all("ValidationError", "SerializationException", "botocore's model, and brendanhay/amazonka#495"),
    "ecr": Codes(
        source="int128/create-ecr-repository-action#231, aws/aws-dotnet-deploy#549",
        missing=("InvalidParameterException", "Invalid parameter at '{path}' failed to satisfy constraint: '{bare}'"),
        constraint=(
            "InvalidParameterException",
            "Invalid parameter at '{path}' failed to satisfy constraint: '{bare}'",
        ),
        malformed="SerializationException",
    ),
    "sqs": Codes(
        source=_COMMON,
        missing=("MissingParameter", "The request must contain the parameter {name}."),
        constraint=("InvalidParameterValue", "Value {value} for parameter {name} is invalid. Reason: {constraint}."),
        malformed="SerializationException",
    ),
    "sns": Codes(
        source="API reference: errors of CreateTopic; aws-samples/document-translation#104; brendanhay/amazonka#209",
        missing=("InvalidParameter", "Invalid parameter: {name}"),
        constraint=("InvalidParameter", "Invalid parameter: {name} Reason: {constraint}"),
        malformed="MalformedInput",
    ),
}
_BY_PROTOCOL: Mapping[str, Codes] = {
    "json": _all("ValidationException", "SerializationException", _COMMON),
    "query": _all("ValidationError", "MalformedInput", f"{_COMMON}; brendanhay/amazonka#12"),
    "ec2": Codes(
        source="Amazon EC2 API reference, Error codes",
        missing=("MissingParameter", "The request must contain the parameter {name}"),
        constraint=("InvalidParameterValue", "Value ({value}) for parameter {name} is invalid. {constraint}"),
        malformed="InvalidParameterValue",
    ),
    "rest-xml": Codes(
        source="Amazon S3 API reference, Error responses",
        missing=("MalformedXML", "The XML you provided was not well-formed or did not validate: {path}: {constraint}"),
        constraint=(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate: {path}: {constraint}",
        ),
        malformed="MalformedXML",
    ),
}
IN_S3_HEADER = Codes(
    source="Amazon S3 API reference, Error responses",
    missing=("InvalidRequest", "Missing required header or parameter: {name}"),
    constraint=("InvalidArgument", "Invalid argument {name}: {value}. {constraint}"),
    malformed="InvalidArgument",
)


def codes(model: ServiceModel) -> Codes:
    """Those of a service."""
    if model.service_name in _BY_SERVICE:
        return _BY_SERVICE[model.service_name]
    protocols = model.metadata.get("protocols", [model.protocol])
    return next((_BY_PROTOCOL[one] for one in protocols if one in _BY_PROTOCOL), _BY_PROTOCOL["json"])


@cache
def status(model: ServiceModel, code: str) -> int:
    """The HTTP status of a service's error, as its model says."""
    found = [shape.metadata.get("error", {}) for shape in model.error_shapes if code in (shape.name, shape.error_code)]
    return int(found[0].get("httpStatusCode", 400)) if found else 400
