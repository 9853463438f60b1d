"""What botocore's model forbids is refused as its service refuses it."""

from __future__ import annotations

from typing import Any

import pytest
from moto.core.utils import get_service_model

from sagehost.aws_errors import Refused
from sagehost.validation import Asked, check
from sagehost.validation.model import compiled, violations
from tests.unit.sagehost.validation.test_mutated_calls import CALLS


def refused(service: str, operation: str, **given: Any) -> str:
    asked = Asked(service=service, operation=operation, given=given, account="", region="", access_key="")
    with pytest.raises(Refused) as error:
        check(asked)
    return f"{error.value.code}: {error.value.message}"


def test_parameters_within_the_model_are_allowed() -> None:
    parameters = {"EndpointName": "dev", "EndpointConfigName": "config", "Tags": [{"Key": "a", "Value": ""}]}
    assert not list(violations("sagemaker", "CreateEndpoint", parameters))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"EndpointName": "a_b"},
            "Value 'a_b' at 'endpointName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"Tags": [{"Key": "", "Value": "x"}]},
            "Value '' at 'tags.1.member.key' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {"DeploymentConfig": {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "SLOWLY"}}}},
            "Value 'SLOWLY' at 'deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.type' failed to "
            "satisfy constraint: Member must satisfy enum value set: [ALL_AT_ONCE, CANARY, LINEAR]",
        ),
        ({"Tags": [None]}, "Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null"),
    ],
)
def test_a_violation_is_worded_as_the_service_words_it(parameters: dict[str, Any], message: str) -> None:
    assert message in map(str, violations("sagemaker", "CreateEndpoint", parameters))


def test_every_violation_is_named() -> None:
    message = refused("sagemaker", "CreateEndpoint", EndpointName="_", EndpointConfigName="_")
    assert message.startswith("ValidationException: 2 validation errors detected: Value '_' at 'endpointName'")
    assert "; Value '_' at 'endpointConfigName'" in message


def test_keys_and_values_of_a_map_are_checked() -> None:
    container = {"Environment": {"LONG": "x" * 20_000, "1": ""}}
    message = refused("sagemaker", "CreateModel", ModelName="m", PrimaryContainer=container)
    assert "at 'primaryContainer.environment.LONG.member' failed" in message
    assert "Value '1' at 'primaryContainer.environment.key' failed" in message


def test_a_union_has_one_member() -> None:
    message = refused("ssm", "StartExecutionPreview", DocumentName="d", ExecutionInputs={})
    assert "at 'executionInputs' failed to satisfy constraint: Member must have exactly one of: [Automation]" in message


def test_an_instance_type_that_is_not_known_is_refused_as_this_versions_limit() -> None:
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.g99.xlarge"}
    message = refused("sagemaker", "CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    assert message.startswith("ValidationException: ")
    assert message.endswith("(as this version knows it: botocore 1.44.5)")


@pytest.mark.parametrize(
    ("service", "operation", "given", "message"),
    [
        ("ec2", "CreateSubnet", {}, "MissingParameter: The request must contain the parameter VpcId"),
        ("ec2", "DescribeVpcs", {"MaxResults": 1}, "InvalidParameterValue: Value (1) for parameter MaxResults is"),
        ("iam", "CreateRole", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}, "ValidationError: 1 validation"),
        ("logs", "CreateLogGroup", {"logGroupName": "*"}, "InvalidParameterException: 1 validation error detected: V"),
        ("ecr", "CreateRepository", {"repositoryName": "A"}, "InvalidParameterException: Invalid parameter at 'repos"),
        ("sns", "Publish", {}, "InvalidParameter: Invalid parameter: Message"),
        ("sqs", "GetQueueUrl", {}, "MissingParameter: The request must contain the parameter QueueName."),
        ("s3", "PutBucketAcl", {"Bucket": "b", "ACL": "x"}, "InvalidArgument: Invalid ACL 'x'. Member must satisfy en"),
        ("s3", "PutBucketVersioning", {"Bucket": "b", "VersioningConfiguration": {"Status": "x"}}, "MalformedXML: "),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "_", "Body": b""}, "ValidationError: 1 validation"),
    ],
)
def test_each_service_has_its_own_codes(service: str, operation: str, given: dict[str, Any], message: str) -> None:
    assert refused(service, operation, **given).startswith(message)


def test_every_pattern_of_the_emulated_services_compiles() -> None:
    for service in CALLS:
        shapes = get_service_model(service)._service_description["shapes"].values()
        for pattern in {shape["pattern"] for shape in shapes if "pattern" in shape}:
            compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "value", "allowed"),
    [
        (r"[\p{L}\p{Z}]*", "Grüße an alle", True),
        (r"[\w-]+", "é", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "\U0001f600", True),
        (r"[a-z]+", "a\n", False),
    ],
)
def test_patterns_are_read_as_java_reads_them(pattern: str, value: str, *, allowed: bool) -> None:
    assert bool(compiled(pattern).fullmatch(value)) is allowed
