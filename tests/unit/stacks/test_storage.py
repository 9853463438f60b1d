"""What an environment keeps: log groups and captured requests, encrypted; and what its files say about it."""

from typing import Any

import pytest

from tests.variants import ENVIRONMENTS

OWN_KEYS = [name for name, env in ENVIRONMENTS.items() if env.encryption.kms_key_arn is None]
GIVEN_KEYS = [name for name, env in ENVIRONMENTS.items() if env.encryption.kms_key_arn is not None]
CAPTURING = [name for name, env in ENVIRONMENTS.items() if env.data_capture is not None]


def of_type(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [r for r in template["Resources"].values() if r["Type"] == resource_type]


def log_groups(name: str, templates: dict[str, Any]) -> list[dict[str, Any]]:
    stacks = [templates[f"{name}/network"], templates[f"{name}/endpoint"]]
    return [group for template in stacks for group in of_type(template, "AWS::Logs::LogGroup")]


def exported(template: dict[str, Any], resource_type: str, attribute: str = "Arn") -> set[str]:
    """Names of the exports of an attribute of the resources of a type."""
    ids = {name for name, r in template["Resources"].items() if r["Type"] == resource_type}
    wanted = [{"Fn::GetAtt": [logical_id, attribute]} for logical_id in ids]
    return {o["Export"]["Name"] for o in template["Outputs"].values() if "Export" in o and o["Value"] in wanted}


@pytest.mark.parametrize("name", OWN_KEYS)
def test_every_log_group_is_encrypted_with_the_environments_own_key(name: str, templates: dict[str, Any]) -> None:
    keys = {group["Properties"]["KmsKeyId"]["Fn::ImportValue"] for group in log_groups(name, templates)}
    assert keys == exported(templates[f"{name}/storage"], "AWS::KMS::Key")


@pytest.mark.parametrize("name", GIVEN_KEYS)
def test_every_log_group_is_encrypted_with_the_key_of_the_file(name: str, templates: dict[str, Any]) -> None:
    keys = {group["Properties"]["KmsKeyId"] for group in log_groups(name, templates)}
    assert keys == {ENVIRONMENTS[name].encryption.kms_key_arn}


@pytest.mark.parametrize("name", OWN_KEYS)
def test_the_own_key_lets_cloudwatch_logs_encrypt_exactly_these_log_groups(
    name: str, templates: dict[str, Any]
) -> None:
    [key] = of_type(templates[f"{name}/storage"], "AWS::KMS::Key")
    condition = key["Properties"]["KeyPolicy"]["Statement"][1]["Condition"]["ArnEquals"]
    arns = condition["kms:EncryptionContext:aws:logs:arn"]
    named = {str(arn).rsplit(":", 1)[-1].strip("'}]") for arn in (arns if isinstance(arns, list) else [arns])}
    assert named == {group["Properties"]["LogGroupName"] for group in log_groups(name, templates)}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_log_group_expires_and_goes_or_stays_as_the_file_says(name: str, templates: dict[str, Any]) -> None:
    removal = ENVIRONMENTS[name].removal
    for group in log_groups(name, templates):
        assert group["Properties"]["RetentionInDays"] == removal.log_retention_days
        assert group["DeletionPolicy"] == {"destroy": "Delete", "retain": "Retain"}[removal.log_group]


@pytest.mark.parametrize("name", OWN_KEYS)
def test_the_key_stays_where_something_stays_that_it_encrypts(name: str, templates: dict[str, Any]) -> None:
    env = ENVIRONMENTS[name]
    stays = env.removal.log_group == "retain" or (env.data_capture and env.removal.captured_data == "retain")
    [key] = of_type(templates[f"{name}/storage"], "AWS::KMS::Key")
    assert key["DeletionPolicy"] == ("Retain" if stays else "Delete")


@pytest.mark.parametrize("name", [name for name, env in ENVIRONMENTS.items() if env.own_vpc is not None])
def test_an_own_vpc_records_its_connections(name: str, templates: dict[str, Any]) -> None:
    template = templates[f"{name}/network"]
    [flow_log] = of_type(template, "AWS::EC2::FlowLog")
    [vpc] = [logical_id for logical_id, r in template["Resources"].items() if r["Type"] == "AWS::EC2::VPC"]
    assert flow_log["Properties"]["ResourceId"] == {"Ref": vpc}


@pytest.mark.parametrize("name", ["existing-vpc", "existing-routes", "existing-everything"])
def test_flow_logs_of_an_existing_vpc_are_its_owners(name: str, templates: dict[str, Any]) -> None:
    assert of_type(templates[f"{name}/network"], "AWS::EC2::FlowLog") == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_requests_are_captured_exactly_where_the_file_says(name: str, templates: dict[str, Any]) -> None:
    settings = ENVIRONMENTS[name].data_capture
    [config] = of_type(templates[f"{name}/endpoint"], "AWS::SageMaker::EndpointConfig")
    capture = config["Properties"].get("DataCaptureConfig")
    if settings is None:
        assert capture is None
        return
    assert capture["InitialSamplingPercentage"] == settings.sampling_percentage
    assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == settings.modes


@pytest.mark.parametrize("name", CAPTURING)
def test_captured_requests_expire_and_stay_or_go_as_the_file_says(name: str, templates: dict[str, Any]) -> None:
    env = ENVIRONMENTS[name]
    assert env.data_capture is not None
    buckets = of_type(templates[f"{name}/storage"], "AWS::S3::Bucket")
    [kept] = [bucket for bucket in buckets if "LoggingConfiguration" in bucket["Properties"]]
    assert (
        kept["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == env.data_capture.retention_days
    )
    policy = {"destroy": "Delete", "retain": "Retain"}[env.removal.captured_data]
    assert {bucket["DeletionPolicy"] for bucket in buckets} == {policy}


@pytest.mark.parametrize("name", [name for name in CAPTURING if ENVIRONMENTS[name].own_vpc is not None])
def test_the_models_subnets_let_captured_requests_out_to_their_bucket_alone(
    name: str, templates: dict[str, Any]
) -> None:
    [gateway] = [
        endpoint["Properties"]
        for endpoint in of_type(templates[f"{name}/network"], "AWS::EC2::VPCEndpoint")
        if endpoint["Properties"]["VpcEndpointType"] == "Gateway"
    ]
    [write] = [s for s in gateway["PolicyDocument"]["Statement"] if s["Action"] == "s3:PutObject"]
    [imported, path] = write["Resource"]["Fn::Join"][1]
    assert imported["Fn::ImportValue"] in exported(templates[f"{name}/storage"], "AWS::S3::Bucket")
    assert path == "/captured/*"
