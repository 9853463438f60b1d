"""Buckets for captured requests and their access logs: created, changed, rolled back, kept, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.sagehost.cloudformation.templates import Resources, with_properties

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

FAILS = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/aws/reserved", "Type": "String", "Value": "v"}}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def without_tls(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


DELIVERY = {
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": {"Fn::Sub": "${Logs.Arn}/capture/*"},
    "Condition": {
        "ArnLike": {"aws:SourceArn": {"Fn::GetAtt": ["Bucket", "Arn"]}},
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    },
}


def encryption(key: str, *, bucket_key: bool) -> dict[str, Any]:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": [key, "Arn"]}}
    rule = {"BucketKeyEnabled": bucket_key, "ServerSideEncryptionByDefault": default}
    return {"ServerSideEncryptionConfiguration": [rule]}


def lifecycle(days: int) -> dict[str, Any]:
    rule = {
        "Id": "Expire",
        "Status": "Enabled",
        "ExpirationInDays": days,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    return {"Rules": [rule]}


BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
OWNED = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
    "Action": "kms:*",
    "Resource": "*",
}
KEY = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy(ROOT)}}

BUCKETS: Resources = {
    "First": KEY,
    "Second": KEY,
    "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"OwnershipControls": OWNED}},
    "LogsPolicy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Logs"}, "PolicyDocument": policy(without_tls("Logs"), DELIVERY)},
    },
    "Bucket": {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "BucketEncryption": encryption("First", bucket_key=True),
            "PublicAccessBlockConfiguration": BLOCKED,
            "VersioningConfiguration": {"Status": "Enabled"},
            "LifecycleConfiguration": lifecycle(30),
            "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "capture/"},
            "OwnershipControls": OWNED,
            "Tags": [{"Key": "stage", "Value": "dev"}],
        },
    },
    "BucketPolicy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy(without_tls("Bucket"))},
    },
}

SHOWN = {
    "encryption": ("get_bucket_encryption", "ServerSideEncryptionConfiguration"),
    "public": ("get_public_access_block", "PublicAccessBlockConfiguration"),
    "versioning": ("get_bucket_versioning", "Status"),
    "lifecycle": ("get_bucket_lifecycle_configuration", "Rules"),
    "logging": ("get_bucket_logging", "LoggingEnabled"),
    "ownership": ("get_bucket_ownership_controls", "OwnershipControls"),
    "tags": ("get_bucket_tagging", "TagSet"),
    "policy": ("get_bucket_policy", "Policy"),
}


def shown(account: Account, logical_id: str = "Bucket") -> dict[str, Any]:
    """What S3 tells of a bucket; None for what it does not have."""
    s3, bucket = account.client("s3"), account.physical_id("buckets", logical_id)
    found: dict[str, Any] = {}
    for name, (operation, member) in SHOWN.items():
        try:
            found[name] = getattr(s3, operation)(Bucket=bucket).get(member)
        except ClientError:
            found[name] = None
    return found


def test_a_bucket_has_every_property_of_its_template(account: Account) -> None:
    account.deploy("buckets", BUCKETS)
    found = shown(account)
    (rule,) = found["encryption"]["Rules"]
    assert rule["BucketKeyEnabled"] is True
    key = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].rsplit("/", 1)[1]
    assert key == account.physical_id("buckets", "First")
    assert found["public"] == BLOCKED
    assert found["versioning"] == "Enabled"
    (expiry,) = found["lifecycle"]
    assert (expiry["Expiration"], expiry["NoncurrentVersionExpiration"]) == ({"Days": 30}, {"NoncurrentDays": 1})
    assert expiry["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    logs = account.physical_id("buckets", "Logs")
    assert found["logging"] == {"TargetBucket": logs, "TargetPrefix": "capture/"}
    assert found["ownership"] == OWNED
    assert "aws:SecureTransport" in found["policy"]
    assert "logging.s3.amazonaws.com" in shown(account, "Logs")["policy"]


CHANGES: dict[str, Any] = {
    "BucketEncryption": encryption("Second", bucket_key=False),
    "PublicAccessBlockConfiguration": {**BLOCKED, "BlockPublicPolicy": False},
    "VersioningConfiguration": {"Status": "Suspended"},
    "LifecycleConfiguration": lifecycle(90),
    "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "other/"},
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
    "Tags": [{"Key": "stage", "Value": "prod"}],
}
BY_PROPERTY = {
    "BucketEncryption": "encryption",
    "PublicAccessBlockConfiguration": "public",
    "VersioningConfiguration": "versioning",
    "LifecycleConfiguration": "lifecycle",
    "LoggingConfiguration": "logging",
    "OwnershipControls": "ownership",
    "Tags": "tags",
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_property_changes_in_place_without_touching_others(account: Account, name: str) -> None:
    account.deploy("buckets", BUCKETS)
    bucket, before = account.physical_id("buckets", "Bucket"), shown(account)
    resources = with_properties(BUCKETS, "Bucket", **{name: CHANGES[name]})
    assert account.update("buckets", resources) == "UPDATE_COMPLETE"
    after = shown(account)
    assert account.physical_id("buckets", "Bucket") == bucket
    assert {part for part in after if after[part] != before[part]} == {BY_PROPERTY[name]}


@pytest.mark.parametrize("name", CHANGES)
def test_a_removed_property_is_unset(account: Account, name: str) -> None:
    account.deploy("buckets", BUCKETS)
    rest = {key: value for key, value in BUCKETS["Bucket"]["Properties"].items() if key != name}
    resources = {**BUCKETS, "Bucket": {"Type": "AWS::S3::Bucket", "Properties": rest}}
    assert account.update("buckets", resources) == "UPDATE_COMPLETE"
    unset = "Suspended" if name == "VersioningConfiguration" else None  # versioning cannot be undone, only suspended
    assert shown(account)[BY_PROPERTY[name]] == unset


def test_a_failed_update_restores_every_property(account: Account) -> None:
    account.deploy("buckets", BUCKETS)
    before = shown(account)
    changed = with_properties(BUCKETS, "Bucket", **CHANGES)
    changed = with_properties(changed, "BucketPolicy", PolicyDocument=policy(without_tls("Bucket"), DELIVERY))
    fails = {**FAILS, "DependsOn": ["Bucket", "BucketPolicy"]}
    assert account.update("buckets", {**changed, "Fails": fails}) == "UPDATE_ROLLBACK_COMPLETE"
    assert shown(account) == before


def test_the_policy_of_a_bucket_changes_in_place(account: Account) -> None:
    account.deploy("buckets", BUCKETS)
    changed = {**without_tls("Bucket"), "Sid": "OnlyTls"}
    account.update("buckets", with_properties(BUCKETS, "BucketPolicy", PolicyDocument=policy(changed)))
    assert "OnlyTls" in shown(account)["policy"]
    account.update("buckets", {name: resource for name, resource in BUCKETS.items() if name != "BucketPolicy"})
    assert shown(account)["policy"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LifecycleConfiguration", {**lifecycle(1), "TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}),
        ("LoggingConfiguration", {"TargetObjectKeyFormat": {"SimplePrefix": {}}}),
    ],
)
def test_a_nested_property_that_moto_would_drop_is_refused_by_name(
    account: Account, name: str, value: dict[str, Any]
) -> None:
    resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {name: value}}}
    assert account.create("buckets", resources) == "ROLLBACK_COMPLETE"
    assert f"Property {name}." in account.reason("buckets", "CREATE_FAILED")
    assert "is not emulated" in account.reason("buckets", "CREATE_FAILED")


def test_empty_buckets_are_deleted_with_their_stack(account: Account) -> None:
    before = account.inventory()
    account.deploy("buckets", BUCKETS)
    assert account.delete("buckets") == "DELETE_COMPLETE"
    assert account.inventory() == before


@pytest.mark.parametrize("deleted", [False, True])
def test_a_bucket_with_objects_or_their_versions_is_not_deleted(account: Account, *, deleted: bool) -> None:
    account.deploy("buckets", BUCKETS)
    s3, bucket = account.client("s3"), account.physical_id("buckets", "Bucket")
    s3.put_object(Bucket=bucket, Key="captured.jsonl", Body=b"{}")
    if deleted:  # which in a versioned bucket adds a marker, and removes nothing
        s3.delete_object(Bucket=bucket, Key="captured.jsonl")
    assert account.delete("buckets") == "DELETE_FAILED"
    reasons = {name: reason for name, status, reason in account.events("buckets") if status == "DELETE_FAILED"}
    assert "BucketNotEmpty" in str(reasons["Bucket"])
    assert reasons["buckets"] == "The following resource(s) failed to delete: [Bucket]. "
    listed = s3.list_object_versions(Bucket=bucket)
    for version in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    assert account.delete("buckets") == "DELETE_COMPLETE"


def test_a_retained_bucket_outlives_its_stack_with_what_is_in_it(account: Account) -> None:
    retained = {**BUCKETS, "Bucket": {**BUCKETS["Bucket"], "DeletionPolicy": "Retain"}}
    resources = {name: retained[name] for name in ("First", "Logs", "Bucket")}
    account.deploy("buckets", resources)
    s3, bucket = account.client("s3"), account.physical_id("buckets", "Bucket")
    s3.put_object(Bucket=bucket, Key="captured.jsonl", Body=b"{}")
    assert account.delete("buckets") == "DELETE_COMPLETE"
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == [bucket]
    assert s3.get_object(Bucket=bucket, Key="captured.jsonl")["Body"].read() == b"{}"


@pytest.mark.parametrize(("kept", "left"), [({"UpdateReplacePolicy": "Retain"}, 2), ({}, 1)])
def test_a_renamed_bucket_is_replaced(account: Account, kept: dict[str, str], left: int) -> None:
    def bucket(number: int) -> Resources:
        properties = {"BucketName": f"bucket-{number}-{account.id}"}
        return {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties, **kept}}

    account.deploy("buckets", bucket(1))
    assert account.update("buckets", bucket(2)) == "UPDATE_COMPLETE"
    names = [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
    assert f"bucket-2-{account.id}" in names
    assert len(names) == left
