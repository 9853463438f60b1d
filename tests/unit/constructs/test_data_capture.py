from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from sagemaker_tgi import (
    ArtifactGatewayEndpoint,
    DataCapture,
    EcrImage,
    InvalidPropsError,
    IsolatedVpc,
    ModelArtifact,
    PrivateBucket,
    TgiEndpointConfig,
    TgiExecutionRole,
    TgiModel,
)

Only = Callable[[cdk.Stack, str], dict[str, Any]]
Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
OBJECTS = "arn:aws:s3:::kept/captured/*"


@pytest.fixture
def key(stack: cdk.Stack) -> kms.IKey:
    return kms.Key.from_key_arn(stack, "Key", KEY)


@pytest.fixture
def capture(stack: cdk.Stack, key: kms.IKey) -> DataCapture:
    return DataCapture(bucket=s3.Bucket.from_bucket_name(stack, "Kept", "kept"), encryption_key=key)


def buckets(stack: cdk.Stack, resources: Resources) -> tuple[dict[str, Any], dict[str, Any]]:
    """The bucket of captured requests, and that of its access log."""
    [kept] = [b for b in resources(stack, "AWS::S3::Bucket") if "LoggingConfiguration" in b["Properties"]]
    [log] = [b for b in resources(stack, "AWS::S3::Bucket") if "LoggingConfiguration" not in b["Properties"]]
    return kept, log


@pytest.fixture
def both(stack: cdk.Stack, key: kms.IKey, resources: Resources) -> tuple[dict[str, Any], dict[str, Any]]:
    PrivateBucket(stack, "Captured", encryption_key=key, retention=cdk.Duration.days(14))
    return buckets(stack, resources)


Both = tuple[dict[str, Any], dict[str, Any]]


def test_captured_requests_are_encrypted_with_the_given_key(both: Both) -> None:
    [rule] = both[0]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"KMSMasterKeyID": KEY, "SSEAlgorithm": "aws:kms"}


def test_captured_requests_expire_with_all_their_versions_and_markers(both: Both) -> None:
    expire, markers = both[0]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (expire["ExpirationInDays"], expire["NoncurrentVersionExpiration"]) == (14, {"NoncurrentDays": 1})
    assert markers["ExpiredObjectDeleteMarker"] is True
    assert {expire["Status"], markers["Status"]} == {"Enabled"}


@pytest.mark.parametrize("which", [0, 1], ids=["captured", "access log"])
def test_nothing_of_a_bucket_can_be_public(both: Both, which: int) -> None:
    blocked = both[which]["Properties"]["PublicAccessBlockConfiguration"]
    assert blocked == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )


def test_every_request_to_a_bucket_needs_tls(stack: cdk.Stack, both: Both, resources: Resources) -> None:
    policies = [p["Properties"]["PolicyDocument"]["Statement"] for p in resources(stack, "AWS::S3::BucketPolicy")]
    denials = [[s for s in statements if s["Effect"] == "Deny"] for statements in policies]
    assert len(denials) == 2
    for [denial] in denials:
        assert (denial["Action"], denial["Principal"]) == ("s3:*", {"AWS": "*"})
        assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert len(denial["Resource"]) == 2  # the bucket and its objects


def test_requests_to_captured_data_are_logged_in_the_other_bucket(
    stack: cdk.Stack, both: Both, resources: Resources
) -> None:
    assert both[0]["Properties"]["LoggingConfiguration"]["LogFilePrefix"] == "access/"
    statements = [
        s
        for policy in resources(stack, "AWS::S3::BucketPolicy")
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
        if s["Effect"] == "Allow"
    ]
    [delivery] = statements
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    source = delivery["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::GetAtt"][0]
    assert [b for b in resources(stack, "AWS::S3::Bucket") if "LoggingConfiguration" in b["Properties"]] == [both[0]]
    assert source.startswith("CapturedBucket")


def test_buckets_are_retained_by_default(both: Both) -> None:
    assert {bucket["DeletionPolicy"] for bucket in both} == {"Retain"}


def test_a_retained_bucket_keeps_its_policy(stack: cdk.Stack, both: Both, resources: Resources) -> None:
    assert {policy["DeletionPolicy"] for policy in resources(stack, "AWS::S3::BucketPolicy")} == {"Retain"}


def test_buckets_are_deleted_with_removal_policy_destroy(stack: cdk.Stack, key: kms.IKey, resources: Resources) -> None:
    PrivateBucket(
        stack,
        "Captured",
        encryption_key=key,
        retention=cdk.Duration.days(1),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    assert {bucket["DeletionPolicy"] for bucket in buckets(stack, resources)} == {"Delete"}


def test_a_configuration_captures_the_share_and_the_modes_asked_for(
    stack: cdk.Stack, model: TgiModel, key: kms.IKey, only: Only
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Kept", "kept")
    capture = DataCapture(bucket=bucket, encryption_key=key, sampling_percentage=25, modes=["Output"])
    TgiEndpointConfig(stack, "Config", model=model, data_capture=capture)
    assert only(stack, "AWS::SageMaker::EndpointConfig")["Properties"]["DataCaptureConfig"] == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 25,
        "DestinationS3Uri": "s3://kept/captured",
        "KmsKeyId": KEY,
        "CaptureOptions": [{"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }


def test_without_data_capture_nothing_is_kept(stack: cdk.Stack, model: TgiModel, only: Only) -> None:
    TgiEndpointConfig(stack, "Config", model=model)
    assert "DataCaptureConfig" not in only(stack, "AWS::SageMaker::EndpointConfig")["Properties"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sampling_percentage": 101}, r"data_capture.sampling_percentage=101: is out of range; use from 0 to 100"),
        ({"modes": ["Both"]}, r"data_capture.modes=\['Both'\]: is no list of modes; use Input, Output or both"),
        ({"modes": ["Input", "Input"]}, r"data_capture.modes=\['Input', 'Input'\]: is no list of modes"),
        ({"modes": []}, r"data_capture.modes=\[\]: is no list of modes"),
        ({"prefix": ""}, r"data_capture.prefix='': does not match"),
    ],
)
def test_wrong_settings_are_refused(
    stack: cdk.Stack, model: TgiModel, capture: DataCapture, wrong: dict[str, Any], message: str
) -> None:
    settings = {"bucket": capture.bucket, "encryption_key": capture.encryption_key, **wrong}
    with pytest.raises(InvalidPropsError, match=message):
        TgiEndpointConfig(stack, "Config", model=model, data_capture=DataCapture(**settings))


def test_the_role_may_write_below_the_prefix_and_encrypt_only_through_s3(
    stack: cdk.Stack, capture: DataCapture, resources: Resources
) -> None:
    TgiExecutionRole(
        stack,
        "Role",
        artifact=ModelArtifact.from_uri("s3://weights/mistral/"),
        image=EcrImage.from_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/tgi:1.1.0"),
        endpoint_name="chat",
        data_capture=capture,
    )
    policies = [policy["Properties"] for policy in resources(stack, "AWS::IAM::RolePolicy")]
    [write, encrypt] = next(p for p in policies if p["PolicyName"] == "DataCapture")["PolicyDocument"]["Statement"]
    assert (write["Action"], write["Resource"]) == ("s3:PutObject", OBJECTS)
    assert (encrypt["Action"], encrypt["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], KEY)
    via = {"Fn::Join": ["", ["s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]}
    assert encrypt["Condition"] == {"StringEquals": {"kms:ViaService": via}}


def test_the_gateway_allows_writes_only_of_captured_requests(
    stack: cdk.Stack, capture: DataCapture, only: Only
) -> None:
    network = IsolatedVpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b"])
    ArtifactGatewayEndpoint(
        stack,
        "Artifacts",
        vpc=network.vpc,
        route_table_ids=network.route_table_ids,
        artifact=ModelArtifact.from_uri("s3://weights/mistral/"),
        data_capture=capture,
    )
    statements = only(stack, "AWS::EC2::VPCEndpoint")["Properties"]["PolicyDocument"]["Statement"]
    writes = [s["Resource"] for s in statements if s["Action"] not in ("s3:GetObject", "s3:ListBucket")]
    assert writes == [OBJECTS]


def test_captured_requests_that_would_not_be_kept_for_a_day_are_refused(stack: cdk.Stack, key: kms.IKey) -> None:
    """An expiry of whole days, one or more. Source: Amazon S3 API, LifecycleExpiration."""
    with pytest.raises(InvalidPropsError, match=r"retention \(seconds\)=43200: is out of range"):
        PrivateBucket(stack, "Captured", encryption_key=key, retention=cdk.Duration.hours(12))
