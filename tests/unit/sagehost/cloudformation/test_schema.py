"""What the resource schemas permit."""

from __future__ import annotations

from typing import Any

import pytest

from sagehost.cloudformation import schema
from sagehost.cloudformation.values import UNKNOWN, hint

BUCKET = "AWS::S3::Bucket"
GROUP = "AWS::Logs::LogGroup"
MODEL = "AWS::SageMaker::Model"


def problems(resource_type: str, **properties: Any) -> list[str]:
    return list(schema.load(resource_type).problems(properties))


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        (GROUP, {"RetentionInDays": 7}),
        (GROUP, {"RetentionInDays": "7"}),
        (BUCKET, {"ObjectLockEnabled": "true"}),
        (BUCKET, {"Tags": [{"Key": "a", "Value": 1}]}),
        (BUCKET, {"BucketName": UNKNOWN, "Tags": UNKNOWN}),
        (BUCKET, {"Tags": [UNKNOWN, UNKNOWN]}),
        ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
        ("AWS::SSM::Parameter", {"Type": "String", "Value": "v", "Tags": {"team": "ml"}}),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {"Statement": [{"Condition": {"Bool": {"a": "b"}}}]}}),
    ],
)
def test_what_cloudformation_accepts_is_accepted(resource_type: str, properties: dict[str, Any]) -> None:
    assert problems(resource_type, **properties) == []


@pytest.mark.parametrize(
    ("resource_type", "properties", "problem"),
    [
        (
            BUCKET,
            {"BuketName": "x"},
            "#: extraneous key [BuketName] is not permitted (did you mean BucketName?)",
        ),
        (
            MODEL,
            {"ExecutionRoleArn": "arn", "PrimaryContainer": {"Enviroment": {}}},
            "#/PrimaryContainer: extraneous key [Enviroment] is not permitted (did you mean Environment?)",
        ),
        (MODEL, {"PrimaryContainer": []}, "#/PrimaryContainer: expected type: object, found: list"),
        (MODEL, {"ModelArn": "x"}, "#: readOnly property [ModelArn] cannot be set"),
        ("AWS::IAM::Role", {}, "#: required key [AssumeRolePolicyDocument] not found"),
        (BUCKET, {"AccessControl": "Nobody"}, "#/AccessControl: Nobody is not a valid enum value"),
        (BUCKET, {"BucketName": "UPPER"}, "#/BucketName: string [UPPER] does not match pattern"),
        ("AWS::EC2::VPC", {}, "#: exactly one of [CidrBlock, Ipv4IpamPoolId] is required, found none"),
        ("AWS::SNS::Topic", {"Tags": [{"Key": "a"}]}, "#/Tags/0: required key [Value] not found"),
    ],
)
def test_what_cloudformation_refuses_is_refused_with_its_path(
    resource_type: str, properties: dict[str, Any], problem: str
) -> None:
    (found,) = [told for told in problems(resource_type, **properties) if told.startswith(problem)]
    assert found.startswith(problem)


def test_unknown_types_have_a_nearest_known_one() -> None:
    assert "AWS::SageMaker::Endpont" not in schema.types()
    assert hint("AWS::SageMaker::Endpont", schema.types()) == " (did you mean AWS::SageMaker::Endpoint?)"


def test_the_schema_tells_what_replaces_a_resource() -> None:
    config = schema.load("AWS::SageMaker::EndpointConfig")
    assert config.create_only & {"ProductionVariants", "Tags"} == {"ProductionVariants"}


def test_the_schema_tells_how_a_type_takes_tags() -> None:
    assert schema.load("AWS::EC2::VPC").tagging == schema.Tagging(
        "Tags", is_list=True, system_tags=True, add_with="create_tags", remove_with="delete_tags"
    )
    parameter = schema.load("AWS::SSM::Parameter").tagging
    assert parameter is not None
    assert not parameter.is_list
    assert schema.load("AWS::EC2::Route").tagging is None
