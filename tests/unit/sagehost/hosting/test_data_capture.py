"""Data capture: what of an endpoint's invocations comes to S3, and how."""

from __future__ import annotations

import base64
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from sagehost.hosting.capture import Invocation, Payload, destination, record, sampled

BUCKET = "captured-requests"
_NUMBERS = itertools.count(1)
CONFIG = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}
Deploy = Callable[..., str]


@pytest.fixture(scope="module")
def s3(client: Callable[..., Any]) -> Any:
    made = client("s3")
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.fixture(scope="module")
def writer(client: Callable[..., Any]) -> str:
    """A role that may write to the bucket."""
    return make_role(client, {"Effect": "Allow", "Action": ["s3:Put*"], "Resource": f"arn:aws:s3:::{BUCKET}/*"})


def make_role(client: Callable[..., Any], *statements: dict[str, Any]) -> str:
    iam, name = client("iam"), f"capture-{next(_NUMBERS)}"
    trusted = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [trusted]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=json.dumps(document))
    return str(role["Arn"])


@pytest.fixture(scope="module")
def make_capturing_config(sagemaker: Any, make_model: Callable[..., str], writer: str) -> Callable[..., str]:
    """Create an endpoint configuration with data capture, with these changes of it; returns its name."""

    def make(role: str | None = None, **changes: Any) -> str:
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": make_model(ExecutionRoleArn=role or writer),
            "InstanceType": "ml.g5.2xlarge",
            "InitialInstanceCount": 1,
        }
        name = f"capturing-{next(_NUMBERS)}"
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], DataCaptureConfig=CONFIG | changes
        )
        return name

    return make


@pytest.fixture
def deploy_capturing(
    sagemaker: Any, s3: Any, make_capturing_config: Callable[..., str], settled: Callable[[str], dict[str, Any]]
) -> Deploy:
    def make(role: str | None = None, **changes: Any) -> str:
        name = f"captured-{next(_NUMBERS)}"
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=make_capturing_config(role, **changes))
        assert settled(name)["EndpointStatus"] == "InService"
        return name

    return make


def keys(s3: Any, endpoint: str, bucket: str = BUCKET) -> list[str]:
    listed = s3.list_objects_v2(Bucket=bucket)
    return [one["Key"] for one in listed.get("Contents", []) if f"/{endpoint}/" in f"/{one['Key']}"]


def lines(s3: Any, endpoint: str) -> Iterator[dict[str, Any]]:
    for key in keys(s3, endpoint):
        for line in s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().splitlines():
            yield json.loads(line)


def captured(s3: Any, endpoint: str, count: int = 1) -> list[dict[str, Any]]:
    """So many records, as soon as they are there."""
    for _ in range(1000):
        found = list(lines(s3, endpoint))
        if len(found) >= count:
            assert len(found) == count
            return found
        threading.Event().wait(0.01)
    raise AssertionError(f"{len(found)} records of {endpoint} after ten seconds, not {count}")


BODY = '{"inputs":"Grüße","parameters":{"max_new_tokens":2}}'


def invoke(runtime: Any, endpoint: str, **options: Any) -> bytes:
    request = {"EndpointName": endpoint, "ContentType": "application/json", "Body": BODY} | options
    return bytes(runtime.invoke_endpoint(**request)["Body"].read())


def test_an_invocation_is_captured_as_the_documentation_shows(s3: Any, runtime: Any, deploy_capturing: Deploy) -> None:
    endpoint = deploy_capturing()
    before = datetime.now(UTC).replace(microsecond=0)
    answer = invoke(runtime, endpoint)
    (record,) = captured(s3, endpoint)
    assert list(record) == ["captureData", "eventMetadata", "eventVersion"]
    assert record["captureData"] == {
        "endpointInput": {"observedContentType": "application/json", "mode": "INPUT", "data": BODY, "encoding": "JSON"},
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": answer.decode(),
            "encoding": "JSON",
        },
    }
    assert record["eventVersion"] == "0"
    assert set(record["eventMetadata"]) == {"eventId", "inferenceTime"}
    time = datetime.strptime(record["eventMetadata"]["inferenceTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= time <= datetime.now(UTC)
    (key,) = keys(s3, endpoint)
    assert key.startswith(f"capture/{endpoint}/AllTraffic/{time:%Y/%m/%d/%H/%M-%S}-")
    assert key.endswith(".jsonl")


def test_the_callers_inference_id_is_captured(s3: Any, runtime: Any, deploy_capturing: Deploy) -> None:
    endpoint = deploy_capturing()
    invoke(runtime, endpoint, InferenceId="mine-1")
    (record,) = captured(s3, endpoint)
    assert record["eventMetadata"]["inferenceId"] == "mine-1"


@pytest.mark.parametrize(
    ("mode", "present"),
    [
        ("Input", ["endpointInput"]),
        ("Output", ["endpointOutput"]),
        ("InputAndOutput", ["endpointInput", "endpointOutput"]),
    ],
)
def test_only_the_side_that_is_asked_for_is_captured(
    *, s3: Any, runtime: Any, deploy_capturing: Deploy, mode: str, present: list[str]
) -> None:
    endpoint = deploy_capturing(CaptureOptions=[{"CaptureMode": mode}])
    invoke(runtime, endpoint)
    (record,) = captured(s3, endpoint)
    assert list(record["captureData"]) == present


def test_every_invocation_of_many_at_once_is_captured_once(s3: Any, runtime: Any, deploy_capturing: Deploy) -> None:
    endpoint = deploy_capturing()
    with ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda number: invoke(runtime, endpoint, InferenceId=str(number)), range(24)))
    records = captured(s3, endpoint, 24)
    assert {record["eventMetadata"]["inferenceId"] for record in records} == {str(number) for number in range(24)}


def test_neither_streams_nor_refusals_are_captured(s3: Any, runtime: Any, deploy_capturing: Deploy) -> None:
    endpoint = deploy_capturing()
    body = json.dumps({"inputs": "Hello", "stream": True})
    stream = runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint, ContentType="application/json", Body=body
    )
    assert list(stream["Body"])
    with pytest.raises(ClientError, match="ModelError"):
        invoke(runtime, endpoint, Body='{"inputs":""}')
    invoke(runtime, endpoint, InferenceId="last")
    (record,) = captured(s3, endpoint)
    assert record["eventMetadata"]["inferenceId"] == "last"


@pytest.mark.parametrize("changes", [{"InitialSamplingPercentage": 0}, {"EnableCapture": False}])
def test_nothing_is_captured_where_nothing_is_sampled(
    s3: Any, runtime: Any, deploy_capturing: Deploy, changes: dict[str, Any]
) -> None:
    silent, other = deploy_capturing(**changes), deploy_capturing()
    invoke(runtime, silent)
    invoke(runtime, other)
    captured(s3, other)
    assert keys(s3, silent) == []


def test_a_share_of_the_invocations_is_sampled() -> None:
    count = sum(sampled(CONFIG | {"InitialSamplingPercentage": 30}) for _ in range(4000))
    assert 1000 < count < 1400  # 1200 give or take seven standard deviations


def invocation(content_type: str, body: bytes) -> Invocation:
    payload = Payload(content_type, body)
    return Invocation("AllTraffic", payload, payload, time=datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("content_type", "headers", "encoding", "data"),
    [
        ("text/csv; charset=utf-8", {"CsvContentTypes": ["text/csv"]}, "CSV", "a,b"),
        ("application/json", {"JsonContentTypes": ["application/json"]}, "JSON", "a,b"),
        ("application/json", {"CsvContentTypes": ["text/csv"]}, "BASE64", base64.b64encode(b"a,b").decode()),
        ("text/csv", None, "BASE64", base64.b64encode(b"a,b").decode()),
    ],
)
def test_data_of_a_content_type_that_is_not_named_is_base64(
    content_type: str, headers: dict[str, list[str]] | None, encoding: str, data: str
) -> None:
    config = CONFIG | {"CaptureContentTypeHeader": headers}
    shown = json.loads(record(config, invocation(content_type, b"a,b")))["captureData"]["endpointInput"]
    assert (shown["observedContentType"], shown["encoding"], shown["data"]) == (content_type, encoding, data)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("s3://b", "e/AllTraffic/2024/02/03/04/"),
        ("s3://b/", "e/AllTraffic/2024/02/03/04/"),
        ("s3://b/deep/down/", "deep/down/e/AllTraffic/2024/02/03/04/"),
    ],
)
def test_files_are_under_the_destination_by_endpoint_variant_and_hour(uri: str, folder: str) -> None:
    assert destination(CONFIG | {"DestinationS3Uri": uri}, "e", invocation("a/b", b"")) == ("b", folder)


def test_an_endpoint_tells_what_it_captures(
    *,
    sagemaker: Any,
    deploy_capturing: Deploy,
    make_config: Callable[..., str],
    settled: Callable[[str], dict[str, Any]],
) -> None:
    endpoint = deploy_capturing(InitialSamplingPercentage=20)
    shown = {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 20,
        "DestinationS3Uri": CONFIG["DestinationS3Uri"],
    }
    assert settled(endpoint)["DataCaptureConfig"] == shown
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=make_config())
    assert "DataCaptureConfig" not in settled(endpoint)


def test_an_updated_endpoint_captures_as_its_new_configuration_says(
    *,
    sagemaker: Any,
    s3: Any,
    runtime: Any,
    deploy_capturing: Deploy,
    make_capturing_config: Callable[..., str],
    settled: Callable[[str], dict[str, Any]],
) -> None:
    endpoint = deploy_capturing()
    config = make_capturing_config(DestinationS3Uri=f"s3://{BUCKET}/moved")
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    settled(endpoint)
    invoke(runtime, endpoint)
    captured(s3, endpoint)
    (key,) = keys(s3, endpoint)
    assert key.startswith("moved/")


@pytest.mark.parametrize("captures", [True, False])
def test_an_update_that_retains_variant_properties_retains_what_is_captured(
    *,
    sagemaker: Any,
    deploy: Callable[..., str],
    make_config: Callable[..., str],
    deploy_capturing: Deploy,
    make_capturing_config: Callable[..., str],
    settled: Callable[[str], dict[str, Any]],
    captures: bool,
) -> None:
    endpoint = deploy_capturing() if captures else deploy()
    config = make_config() if captures else make_capturing_config()
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, RetainAllVariantProperties=True)
    described = settled(endpoint)
    assert described["EndpointConfigName"] == config
    assert ("DataCaptureConfig" in described) is captures


def test_data_capture_cannot_be_excluded_from_what_is_retained(
    sagemaker: Any, endpoint: str, make_config: Callable[..., str]
) -> None:
    options = {
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}],
    }
    with pytest.raises(ClientError, match="Excluding DataCaptureConfig from retention is not supported"):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=make_config(), **options)


def make_key(client: Callable[..., Any]) -> str:
    return str(client("kms").create_key()["KeyMetadata"]["Arn"])


def test_captured_data_is_encrypted_with_the_key_it_names(
    client: Callable[..., Any], s3: Any, runtime: Any, deploy_capturing: Deploy
) -> None:
    kms_key = make_key(client)
    writes = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    role = make_role(client, writes, {"Effect": "Allow", "Action": "kms:GenerateDataKey*", "Resource": kms_key})
    endpoint = deploy_capturing(role, KmsKeyId=kms_key)
    invoke(runtime, endpoint)
    captured(s3, endpoint)
    head = s3.head_object(Bucket=BUCKET, Key=keys(s3, endpoint)[0])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", kms_key)


def lost(caplog: pytest.LogCaptureFixture, endpoint: str) -> str:
    """What the server's log says of an endpoint's lost data, as soon as it does."""
    for _ in range(1000):
        for message in caplog.messages:
            if f"of {endpoint} are lost" in message:
                return message
        threading.Event().wait(0.01)
    raise AssertionError(f"nothing of {endpoint} was lost in ten seconds: {caplog.messages}")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
            "is not authorized to perform: s3:PutObject on resource: ",
        ),
        (
            {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::other/*"},
            "is not authorized to perform: s3:PutObject on resource: ",
        ),
    ],
)
def test_a_role_that_may_not_write_loses_the_data_and_the_log_tells(
    *,
    client: Callable[..., Any],
    s3: Any,
    runtime: Any,
    deploy_capturing: Deploy,
    caplog: pytest.LogCaptureFixture,
    statement: dict[str, Any],
    reason: str,
) -> None:
    endpoint = deploy_capturing(make_role(client, statement))
    invoke(runtime, endpoint)
    assert reason in lost(caplog, endpoint)
    assert keys(s3, endpoint) == []


def test_a_bucket_with_a_key_takes_data_only_of_a_role_that_may_use_it(
    *, client: Callable[..., Any], s3: Any, runtime: Any, deploy_capturing: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    kms_key, bucket = make_key(client), "captured-and-encrypted"
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key}}
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [default]})
    role = make_role(client, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    endpoint = deploy_capturing(role, DestinationS3Uri=f"s3://{bucket}")
    invoke(runtime, endpoint)
    assert f"is not authorized to perform: kms:GenerateDataKey on resource: {kms_key}" in lost(caplog, endpoint)


def test_a_role_that_the_key_and_the_bucket_let_in_needs_no_policy_of_its_own(
    client: Callable[..., Any], s3: Any, runtime: Any, deploy_capturing: Deploy
) -> None:
    role, bucket = make_role(client, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}), "lets-the-role-in"
    lets_in = {"Effect": "Allow", "Principal": {"AWS": [role]}}
    owner = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:PutKeyPolicy"}
    grants = [{**lets_in, "Action": "kms:*", "Resource": "*"}, {**owner, "Resource": "*"}]
    key_policy = {"Version": "2012-10-17", "Statement": grants}
    kms_key = client("kms").create_key(Policy=json.dumps(key_policy))["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket=bucket)
    writes = {**lets_in, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [writes]}))
    endpoint = deploy_capturing(role, DestinationS3Uri=f"s3://{bucket}", KmsKeyId=kms_key)
    invoke(runtime, endpoint)
    for _ in range(1000):
        if keys(s3, endpoint, bucket):
            return
        threading.Event().wait(0.01)
    raise AssertionError("nothing was captured in ten seconds")


def test_a_bucket_that_is_not_there_loses_the_data(
    client: Callable[..., Any], runtime: Any, deploy_capturing: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    role = make_role(client, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    endpoint = deploy_capturing(role, DestinationS3Uri="s3://nowhere-at-all")
    assert invoke(runtime, endpoint)
    assert "NoSuchBucket" in lost(caplog, endpoint)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"InitialSamplingPercentage": 101}, "dataCaptureConfig.initialSamplingPercentage"),
        ({"DestinationS3Uri": "bucket/prefix"}, "dataCaptureConfig.destinationS3Uri"),
        ({"DestinationS3Uri": "s3://" + "b" * 508}, "length less than or equal to 512"),
        ({"CaptureOptions": [{"CaptureMode": "Both"}]}, r"\[Input, Output, InputAndOutput\]"),
        ({"CaptureContentTypeHeader": {"JsonContentTypes": ["json"]}}, "jsonContentTypes"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    make_capturing_config: Callable[..., str], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises((ClientError, ParamValidationError), match=message):
        make_capturing_config(**changes)
