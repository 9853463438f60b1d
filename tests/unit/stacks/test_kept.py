"""What an environment keeps: log groups and captured requests, encrypted; and what its files say about it."""

import json
from typing import Any

import pytest

from tests.variants import ENVIRONMENTS

OWN_KEYS = [name for name, env in ENVIRONMENTS.items() if env.encryption.kms_key_arn is None]
GIVEN_KEYS = [name for name, env in ENVIRONMENTS.items() if env.encryption.kms_key_arn is not None]
CAPTURING = [name for name, env in ENVIRONMENTS.items() if env.data_capture is not None]
POLICIES = {"destroy": "Delete", "retain": "RetainExceptOnCreate"}
"""Of a resource that goes or stays: what stays goes all the same where its creation is rolled back."""


def of_type(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [r for r in template["Resources"].values() if r["Type"] == resource_type]


def log_groups(name: str, templates: dict[str, Any]) -> list[dict[str, Any]]:
    return of_type(templates[f"{name}/endpoint"], "AWS::Logs::LogGroup")


def keys(template: dict[str, Any], what: str) -> dict[str, dict[str, Any]]:
    """The keys of a stack, by logical id: those that CloudWatch Logs uses, or the one of `captured` requests."""
    found = {name: r for name, r in template["Resources"].items() if r["Type"] == "AWS::KMS::Key"}
    if what == "captured":
        return {name: r for name, r in found.items() if name.startswith("DataCapture")}
    return {name: r for name, r in found.items() if '"LogsEncrypt"' in json.dumps(r["Properties"]["KeyPolicy"])}


@pytest.mark.parametrize("name", OWN_KEYS)
def test_every_log_group_is_encrypted_with_a_key_of_its_own(name: str, templates: dict[str, Any]) -> None:
    used = [group["Properties"]["KmsKeyId"]["Fn::GetAtt"] for group in log_groups(name, templates)]
    assert sorted(used) == sorted([key, "Arn"] for key in keys(templates[f"{name}/endpoint"], "logs"))


@pytest.mark.parametrize("name", GIVEN_KEYS)
def test_every_log_group_is_encrypted_with_the_key_of_the_file(name: str, templates: dict[str, Any]) -> None:
    keys = {group["Properties"]["KmsKeyId"] for group in log_groups(name, templates)}
    assert keys == {ENVIRONMENTS[name].encryption.kms_key_arn}


@pytest.mark.parametrize("name", OWN_KEYS)
def test_cloudwatch_logs_may_use_a_key_only_for_its_log_group(name: str, templates: dict[str, Any]) -> None:
    for logical_id, key in keys(templates[f"{name}/endpoint"], "logs").items():
        condition = key["Properties"]["KeyPolicy"]["Statement"][1]["Condition"]["ArnLike"]
        arn = str(condition["kms:EncryptionContext:aws:logs:arn"])
        flow_logs, endpoints = f"/mistral7b/{name}/vpc-flow-logs", "/aws/sagemaker/Endpoints/*"
        expected = flow_logs if logical_id.startswith("Network") else endpoints
        assert arn.rsplit(":", 1)[-1].strip("'}]") == expected


def test_cloudwatch_logs_may_not_use_the_key_of_captured_requests(templates: dict[str, Any]) -> None:
    [key] = keys(templates["everything/endpoint"], "captured").values()
    assert [s["Sid"] for s in key["Properties"]["KeyPolicy"]["Statement"]] == ["AccountDecides"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_log_groups_have_the_retention_and_removal_policy_of_the_file(name: str, templates: dict[str, Any]) -> None:
    removal = ENVIRONMENTS[name].removal
    for group in log_groups(name, templates):
        assert group["Properties"]["RetentionInDays"] == removal.log_retention_days
        assert group["DeletionPolicy"] == POLICIES[removal.log_group]


@pytest.mark.parametrize("name", OWN_KEYS)
def test_a_key_has_the_removal_policy_of_what_it_encrypts(name: str, templates: dict[str, Any]) -> None:
    removal = ENVIRONMENTS[name].removal
    of_logs, of_captured = (keys(templates[f"{name}/endpoint"], what).values() for what in ("logs", "captured"))
    assert {key["DeletionPolicy"] for key in of_logs} == {POLICIES[removal.log_group]}
    assert {key["DeletionPolicy"] for key in of_captured} <= {POLICIES[removal.captured_data]}


@pytest.mark.parametrize("name", [name for name in OWN_KEYS if name in CAPTURING])
def test_captured_requests_have_a_key_of_their_own(name: str, templates: dict[str, Any]) -> None:
    template = templates[f"{name}/endpoint"]
    [key] = keys(template, "captured")
    [config] = of_type(template, "AWS::SageMaker::EndpointConfig")
    assert config["Properties"]["DataCaptureConfig"]["KmsKeyId"] == {"Fn::GetAtt": [key, "Arn"]}


@pytest.mark.parametrize("name", [name for name, env in ENVIRONMENTS.items() if env.own_vpc is not None])
def test_an_own_vpc_records_its_connections(name: str, templates: dict[str, Any]) -> None:
    template = templates[f"{name}/endpoint"]
    [flow_log] = of_type(template, "AWS::EC2::FlowLog")
    [vpc] = [logical_id for logical_id, r in template["Resources"].items() if r["Type"] == "AWS::EC2::VPC"]
    assert flow_log["Properties"]["ResourceId"] == {"Ref": vpc}


@pytest.mark.parametrize("name", ["existing-vpc", "existing-routes", "existing-everything"])
def test_flow_logs_of_an_existing_vpc_are_its_owners(name: str, templates: dict[str, Any]) -> None:
    assert of_type(templates[f"{name}/endpoint"], "AWS::EC2::FlowLog") == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_requests_are_captured_only_if_the_file_says_so(name: str, templates: dict[str, Any]) -> None:
    settings = ENVIRONMENTS[name].data_capture
    [config] = of_type(templates[f"{name}/endpoint"], "AWS::SageMaker::EndpointConfig")
    capture = config["Properties"].get("DataCaptureConfig")
    if settings is None:
        assert capture is None
        return
    assert capture["InitialSamplingPercentage"] == settings.sampling_percentage
    assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == settings.modes


@pytest.mark.parametrize("name", CAPTURING)
def test_captured_requests_have_the_retention_and_removal_policy_of_the_file(
    name: str, templates: dict[str, Any]
) -> None:
    env = ENVIRONMENTS[name]
    assert env.data_capture is not None
    buckets = of_type(templates[f"{name}/endpoint"], "AWS::S3::Bucket")
    [kept] = [bucket for bucket in buckets if "LoggingConfiguration" in bucket["Properties"]]
    assert (
        kept["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == env.data_capture.retention_days
    )
    policies = of_type(templates[f"{name}/endpoint"], "AWS::S3::BucketPolicy")
    assert {r["DeletionPolicy"] for r in (*buckets, *policies)} == {POLICIES[env.removal.captured_data]}


@pytest.mark.parametrize("name", [name for name in CAPTURING if ENVIRONMENTS[name].own_vpc is not None])
def test_captured_requests_leave_the_subnets_only_to_their_bucket(name: str, templates: dict[str, Any]) -> None:
    template = templates[f"{name}/endpoint"]
    endpoints = [endpoint["Properties"] for endpoint in of_type(template, "AWS::EC2::VPCEndpoint")]
    [gateway] = [endpoint for endpoint in endpoints if endpoint["VpcEndpointType"] == "Gateway"]
    [write] = [s for s in gateway["PolicyDocument"]["Statement"] if s["Action"] == "s3:PutObject"]
    [bucket] = [
        logical_id
        for logical_id, r in template["Resources"].items()
        if r["Type"] == "AWS::S3::Bucket" and "LoggingConfiguration" in r["Properties"]
    ]
    assert write["Resource"]["Fn::Join"][1] == [{"Fn::GetAtt": [bucket, "Arn"]}, "/captured/*"]
