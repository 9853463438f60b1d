"""Corrections of keys of log groups, of flow logs and of server access logs; moto still needs each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models.flow_logs import FlowLogsBackend
from moto.logs.responses import LogsResponse
from moto.s3.models import FakeBucket, S3Backend
from moto.s3.responses import S3Response

from sagehost import moto_app, patches
from tests.unit.fresh_accounts import fresh_account

NO_KEY = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def _corrected() -> None:
    for service in ("ec2", "iam", "logs", "s3"):
        patches.install(service)


@pytest.fixture
def client() -> Callable[[str], Any]:
    account = fresh_account()
    return lambda service: moto_app.client(service, account, "us-east-1")


def test_a_log_group_is_not_created_with_a_key_that_is_not_there(client: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError, match="does not exist or is not enabled") as refused:
        client("logs").create_log_group(logGroupName="g", kmsKeyId=NO_KEY)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    assert client("logs").describe_log_groups()["logGroups"] == []


@pytest.mark.parametrize("operation", ["associate_kms_key", "disassociate_kms_key"])
def test_key_operations_that_moto_lacks_are_added(operation: str) -> None:
    assert getattr(LogsResponse, operation).__module__ == "sagehost.patches.logs"


@pytest.mark.parametrize(
    ("operation", "arguments"), [("associate_kms_key", {"kmsKeyId": NO_KEY}), ("disassociate_kms_key", {})]
)
def test_the_key_of_a_log_group_that_is_not_there_cannot_be_changed(
    client: Callable[[str], Any], operation: str, arguments: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match="log group does not exist"):
        getattr(client("logs"), operation)(logGroupName="g", **arguments)


def test_a_key_for_the_results_of_queries_is_not_emulated(client: Callable[[str], Any]) -> None:
    arn = "arn:aws:logs:us-east-1:111122223333:query-result:*"
    with pytest.raises(ClientError, match="not emulated"):
        client("logs").associate_kms_key(resourceIdentifier=arn, kmsKeyId=NO_KEY)


def log_bucket(client: Callable[[str], Any], *, ownership: str) -> Callable[[], Any]:
    """Two buckets, and a call that makes one of them log to the other, whose objects are owned so."""
    s3 = client("s3")
    s3.create_bucket(Bucket="source")
    s3.create_bucket(Bucket="logs", ObjectOwnership=ownership)
    target = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "p/"}}
    return lambda: s3.put_bucket_logging(Bucket="source", BucketLoggingStatus=target)


@pytest.fixture(autouse=True)
def _no_buckets(client: Callable[[str], Any]) -> Any:
    yield
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            s3.delete_object(Bucket=bucket["Name"], Key=one["Key"])
        s3.put_bucket_logging(Bucket=bucket["Name"], BucketLoggingStatus={})
    for bucket in s3.list_buckets()["Buckets"]:
        s3.delete_bucket(Bucket=bucket["Name"])


def test_a_bucket_logs_to_one_without_acls_whose_policy_comes_later(client: Callable[[str], Any]) -> None:
    log_bucket(client, ownership="BucketOwnerEnforced")()
    shown = client("s3").get_bucket_logging(Bucket="source")["LoggingEnabled"]
    assert (shown["TargetBucket"], shown["TargetPrefix"]) == ("logs", "p/")


def test_a_bucket_with_acls_has_to_let_the_logs_in_first(client: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError, match="necessary permissions to the logging service"):
        log_bucket(client, ownership="ObjectWriter")()


def test_moto_asks_every_bucket_for_its_policy(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    name = "_log_permissions_enabled_policy"
    monkeypatch.setattr(FakeBucket, name, staticmethod(getattr(FakeBucket, name).__wrapped__))
    with pytest.raises(ClientError, match="necessary permissions to the logging service"):
        log_bucket(client, ownership="BucketOwnerEnforced")()


def test_no_access_logs_are_invented(client: Callable[[str], Any]) -> None:
    log_bucket(client, ownership="BucketOwnerEnforced")()
    client("s3").put_object(Bucket="source", Key="k", Body=b"")
    assert client("s3").list_objects_v2(Bucket="logs")["KeyCount"] == 0


def test_moto_invents_access_logs(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(S3Backend, "log_incoming_request", S3Backend.log_incoming_request.__wrapped__)  # type: ignore[attr-defined]
    log_bucket(client, ownership="BucketOwnerEnforced")()
    client("s3").put_object(Bucket="source", Key="k", Body=b"")
    (log,) = client("s3").list_objects_v2(Bucket="logs")["Contents"]
    assert b"originbucket" in client("s3").get_object(Bucket="logs", Key=log["Key"])["Body"].read()


@pytest.fixture
def flow_log(client: Callable[[str], Any]) -> Callable[..., Any]:
    """Create a flow log of one VPC with these parameters."""
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client("logs").create_log_group(logGroupName="flow")
    arguments = {
        "ResourceType": "VPC",
        "ResourceIds": [vpc],
        "TrafficType": "ALL",
        "LogDestination": "arn:aws:logs:us-east-1:111122223333:log-group:flow",
        "DeliverLogsPermissionArn": "arn:aws:iam::111122223333:role/flow",
    }
    return lambda **changes: client("ec2").create_flow_logs(**arguments | changes)


def test_flow_logs_of_other_configurations_share_a_destination(
    client: Callable[[str], Any], flow_log: Callable[..., Any]
) -> None:
    flow_log()
    flow_log(TrafficType="REJECT")
    flow_log(MaxAggregationInterval=60)
    shown = client("ec2").describe_flow_logs()["FlowLogs"]
    assert len({log["FlowLogId"] for log in shown}) == 3
    assert {(log["LogGroupName"], log["DeliverLogsStatus"]) for log in shown} == {("flow", "SUCCESS")}


@pytest.mark.parametrize("defaults", [{}, {"MaxAggregationInterval": 600}])
def test_the_same_flow_log_twice_is_refused(flow_log: Callable[..., Any], defaults: dict[str, int]) -> None:
    flow_log()
    with pytest.raises(ClientError, match="existing Flow Log with the same configuration"):
        flow_log(**defaults)


def test_moto_refuses_every_second_flow_log_and_finds_no_group(
    client: Callable[[str], Any], flow_log: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = FlowLogsBackend.create_flow_logs.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(FlowLogsBackend, "create_flow_logs", own)
    flow_log()
    with pytest.raises(ClientError, match="existing Flow Log"):
        flow_log(TrafficType="REJECT")
    (shown,) = client("ec2").describe_flow_logs()["FlowLogs"]
    assert shown["DeliverLogsStatus"] == "FAILED"


def test_chunks_that_are_shorter_than_the_header_says_are_refused(client: Callable[[str], Any]) -> None:
    original = S3Response._handle_v4_chunk_signatures.__wrapped__  # type: ignore[attr-defined]
    assert len(original(Mock(), b"0;\r\n", 5)) == 5
    with pytest.raises(ValueError, match="of 400000000 bytes, at most 4 have come"):
        S3Response._handle_v4_chunk_signatures(Mock(), b"0;\r\n", 400_000_000)


def test_s3_select_is_not_emulated(client: Callable[[str], Any]) -> None:
    formats = {"InputSerialization": {"CompressionType": "GZIP", "CSV": {}}, "OutputSerialization": {"CSV": {}}}
    client("s3").create_bucket(Bucket="a-bucket")
    with pytest.raises(ClientError, match="SelectObjectContent \\(not emulated\\)"):
        client("s3").select_object_content(
            Bucket="a-bucket", Key="k", Expression="select 1", ExpressionType="SQL", **formats
        )


def test_wildcards_in_event_patterns_are_not_emulated(client: Callable[[str], Any]) -> None:
    pattern = '{"source": [{"wildcard": "*a*a*"}]}'
    with pytest.raises(ClientError, match=r"wildcard in an event pattern \(not emulated\)"):
        client("events").put_rule(Name="r", EventPattern=pattern)
