"""A failure at each API call of each resource provider: what stays in the account, and whether a second try works."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from moto.backends import get_backend

from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.providers.provider import Resource, failure
from tests.unit.sagehost.cloudformation.conftest import Account
from tests.unit.sagehost.cloudformation.templates import NETWORK, ROLE, hosting, log_group, topic
from tests.unit.sagehost.cloudformation.test_identity_providers import URL
from tests.unit.sagehost.cloudformation.test_keys_and_logs import LOGS, OWNER, policy
from tests.unit.sagehost.cloudformation.test_pipeline_resources import _target

Properties = Mapping[str, Any]
Case = tuple[Mapping[str, Any], Properties, Properties]
"""The other resources of the template; the properties before and after the update."""

TAGS: tuple[dict[str, Any], ...] = {"Tags": [{"Key": "a", "Value": "1"}]}, {"Tags": [{"Key": "b", "Value": "2"}]}
SERVING = hosting()
ALARM = SERVING["Alarm"]["Properties"]


def among(resources: Mapping[str, Any], name: str, **after: Any) -> Case:
    """A case of one of several resources, which nothing else refers to, with what changes."""
    properties = resources[name].get("Properties", {})
    return {other: one for other, one in resources.items() if other != name}, properties, {**properties, **after}


def pick(resources: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: resources[name] for name in names}


def allow(action: str, **more: Any) -> dict[str, Any]:
    return policy({"Effect": "Allow", "Action": action, "Resource": "*", **more})


def inline(name: str, action: str) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": allow(action)}


def rule(other: str, text: str) -> dict[str, Any]:
    allowed = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, f"{other}SecurityGroupId": {"Ref": "Group"}}
    return {"GroupId": {"Ref": "Group"}, "Description": text, **allowed}


GROUP = pick(NETWORK, "Vpc", "Group")
SECOND_TABLE = {**NETWORK, "Table2": NETWORK["Table"]}
GATEWAY: dict[str, Any] = {
    "Gateway": {"Type": "AWS::EC2::InternetGateway"},
    "Attachment": {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    },
}
TOPICS = {"One": topic()["Topic"], "Two": topic()["Topic"]}
QUEUES = {name: {"Type": "AWS::SQS::Queue"} for name in ("One", "Two")}
TRUSTED: Any = ROLE["Properties"]
ROLES = {"One": ROLE, "Two": ROLE}
KEY = {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy(OWNER, LOGS)}}}
EGRESS = {"SecurityGroupEgress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}]}
SCALING = SERVING["Scaling"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
FLOW = {
    "ResourceId": {"Ref": "Vpc"},
    "ResourceType": "VPC",
    "TrafficType": "ALL",
    "LogGroupName": {"Ref": "Logs"},
    "DeliverLogsPermissionArn": {"Fn::GetAtt": ["Role", "Arn"]},
}
SCHEDULER = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "scheduler.amazonaws.com"}}
SCHEDULE = {
    "ScheduleExpression": "cron(0 8 ? * MON-FRI *)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
        "Input": '{"EndpointName": "it"}',
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
    },
}
NEW_NAME = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
"""moto gives a new log group the tags of a deleted one of its name."""
REPOSITORY = {"ImageTagMutability": "IMMUTABLE", "ImageScanningConfiguration": {"ScanOnPush": True}}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9},
            "action": {"type": "expire"},
        }
    ]
}
BUCKET = {
    "VersioningConfiguration": {"Status": "Enabled"},
    "LifecycleConfiguration": {"Rules": [{"Id": "Old", "Status": "Enabled", "ExpirationInDays": 3}]},
    "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Log"}},
}

CASES: dict[str, Case] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        {name: one for name, one in SERVING.items() if name not in ("Target", "Scaling", "Alarm")},
        SERVING["Target"]["Properties"],
        {**SERVING["Target"]["Properties"], "MaxCapacity": 3},
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": among(
        SERVING, "Scaling", TargetTrackingScalingPolicyConfiguration={**SCALING, "TargetValue": 3}
    ),
    "AWS::CloudWatch::Alarm": (
        {},
        {**ALARM, "Dimensions": [], **TAGS[0]},
        {**ALARM, "Dimensions": [], "Threshold": 9, **TAGS[1]},
    ),
    "AWS::CloudWatch::Dashboard": ({}, {"DashboardBody": '{"widgets":[]}'}, {"DashboardBody": '{"widgets": []}'}),
    "AWS::EC2::VPC": (
        {},
        {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True, **TAGS[0]},
        {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": False, **TAGS[1]},
    ),
    "AWS::EC2::Subnet": (
        pick(NETWORK, "Vpc"),
        {**NETWORK["Subnet"]["Properties"], **TAGS[0]},
        {**NETWORK["Subnet"]["Properties"], "MapPublicIpOnLaunch": True, **TAGS[1]},
    ),
    "AWS::EC2::RouteTable": (
        pick(NETWORK, "Vpc"),
        {"VpcId": {"Ref": "Vpc"}, **TAGS[0]},
        {"VpcId": {"Ref": "Vpc"}, **TAGS[1]},
    ),
    "AWS::EC2::SubnetRouteTableAssociation": among(
        {name: one for name, one in SECOND_TABLE.items() if name not in ("S3", "Runtime", "Group")},
        "Association",
        RouteTableId={"Ref": "Table2"},
    ),
    "AWS::EC2::Route": (
        {**pick(NETWORK, "Vpc", "Table"), **GATEWAY, "Other": GATEWAY["Gateway"]},
        {
            "RouteTableId": {"Ref": "Table"},
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": {"Fn::GetAtt": ["Gateway", "InternetGatewayId"]},
        },
        {"RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": {"Ref": "Other"}},
    ),
    "AWS::EC2::InternetGateway": ({}, TAGS[0], TAGS[1]),
    "AWS::EC2::VPCGatewayAttachment": (
        {**pick(NETWORK, "Vpc"), "Gateway": GATEWAY["Gateway"], "Other": GATEWAY["Gateway"]},
        GATEWAY["Attachment"]["Properties"],
        {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Other"}},
    ),
    "AWS::EC2::FlowLog": (
        {**pick(NETWORK, "Vpc"), "Logs": log_group("flows"), "Role": ROLE},
        {**FLOW, **TAGS[0]},
        {**FLOW, "TrafficType": "REJECT", **TAGS[1]},
    ),
    "AWS::EC2::VPCEndpoint": (
        {name: one for name, one in SECOND_TABLE.items() if name not in ("S3", "Runtime")},
        {**NETWORK["S3"]["Properties"], **TAGS[0]},
        {**NETWORK["S3"]["Properties"], "RouteTableIds": [{"Ref": "Table2"}], **TAGS[1]},
    ),
    "AWS::EC2::SecurityGroup": (
        pick(NETWORK, "Vpc"),
        {"GroupDescription": "it", "VpcId": {"Ref": "Vpc"}, **EGRESS, **TAGS[0]},
        {
            "GroupDescription": "it",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": EGRESS["SecurityGroupEgress"],
            **TAGS[1],
        },
    ),
    "AWS::EC2::SecurityGroupEgress": (GROUP, rule("Destination", "one"), rule("Destination", "two")),
    "AWS::EC2::SecurityGroupIngress": (GROUP, rule("Source", "one"), rule("Source", "two")),
    "AWS::ECR::Repository": (
        {},
        {**REPOSITORY, "LifecyclePolicy": {"LifecyclePolicyText": json.dumps(LIFECYCLE)}, **TAGS[0]},
        {
            "RepositoryPolicyText": policy({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}),
            **TAGS[1],
        },
    ),
    "AWS::Events::Rule": (
        topic(),
        {"EventPattern": {"source": ["a"]}, "Targets": [_target("One", '"1"'), _target("Two", '"2"')]},
        {"EventPattern": {"source": ["b"]}, "Targets": [_target("Two", '"3"'), _target("Three", '"3"')]},
    ),
    "AWS::IAM::Role": (
        {},
        {**TRUSTED, "Policies": [inline("one", "s3:GetObject"), inline("two", "s3:GetObject")], **TAGS[0]},
        {
            **TRUSTED,
            "Description": "two",
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "Policies": [inline("two", "s3:PutObject"), inline("three", "s3:PutObject")],
            **TAGS[1],
        },
    ),
    "AWS::IAM::Policy": (
        ROLES,
        {**inline("apart", "s3:GetObject"), "Roles": [{"Ref": "One"}]},
        {**inline("apart", "s3:PutObject"), "Roles": [{"Ref": "One"}, {"Ref": "Two"}]},
    ),
    "AWS::IAM::RolePolicy": (
        ROLES,
        {**inline("apart", "s3:GetObject"), "RoleName": {"Ref": "One"}},
        {**inline("apart", "s3:PutObject"), "RoleName": {"Ref": "One"}},
    ),
    "AWS::IAM::ManagedPolicy": (
        ROLES,
        {"PolicyDocument": allow("s3:GetObject"), "Roles": [{"Ref": "One"}, {"Ref": "Two"}]},
        {"PolicyDocument": allow("s3:PutObject"), "Roles": [{"Ref": "Two"}]},
    ),
    "AWS::IAM::OIDCProvider": (
        {},
        {"Url": URL, "ClientIdList": ["a"], "ThumbprintList": ["a" * 40], **TAGS[0]},
        {"Url": URL, "ClientIdList": ["a"], "ThumbprintList": ["b" * 40], **TAGS[1]},
    ),
    "AWS::KMS::Key": (
        {},
        {"KeyPolicy": policy(OWNER), "EnableKeyRotation": True, "Description": "one", **TAGS[0]},
        {"KeyPolicy": policy(OWNER, LOGS), "Enabled": False, "Description": "two", **TAGS[1]},
    ),
    "AWS::KMS::Alias": (
        {**KEY, "Other": KEY["Key"]},
        {"AliasName": "alias/it", "TargetKeyId": {"Ref": "Key"}},
        {"AliasName": "alias/it", "TargetKeyId": {"Ref": "Other"}},
    ),
    "AWS::Logs::LogGroup": (
        KEY,
        {"LogGroupName": NEW_NAME, "RetentionInDays": 7, **TAGS[0]},
        {"LogGroupName": NEW_NAME, "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}, **TAGS[1]},
    ),
    "AWS::Logs::MetricFilter": (
        {"Group": log_group("filtered")},
        {
            "LogGroupName": {"Ref": "Group"},
            "FilterPattern": "ERROR",
            "MetricTransformations": [{"MetricName": "E", "MetricNamespace": "T", "MetricValue": "1"}],
        },
        {
            "LogGroupName": {"Ref": "Group"},
            "FilterPattern": "FATAL",
            "MetricTransformations": [{"MetricName": "E", "MetricNamespace": "T", "MetricValue": "1"}],
        },
    ),
    "AWS::S3::Bucket": (
        {"Log": {"Type": "AWS::S3::Bucket"}},
        {**BUCKET, **TAGS[0]},
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            },
            **TAGS[1],
        },
    ),
    "AWS::S3::BucketPolicy": (
        {"Bucket": {"Type": "AWS::S3::Bucket"}},
        {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": policy(
                {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": {"Fn::Sub": "${Bucket.Arn}/*"}}
            ),
        },
        {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": policy(
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
                }
            ),
        },
    ),
    "AWS::SageMaker::Model": (
        {"Role": ROLE},
        {**SERVING["Model"]["Properties"], **TAGS[0]},
        {**SERVING["Model"]["Properties"], "EnableNetworkIsolation": False, **TAGS[1]},
    ),
    "AWS::SageMaker::EndpointConfig": (
        pick(SERVING, "Role", "Model"),
        {**SERVING["Config"]["Properties"], **TAGS[0]},
        {**SERVING["Config"]["Properties"], **TAGS[1]},
    ),
    "AWS::SageMaker::Endpoint": (
        {**pick(SERVING, "Role", "Model", "Config"), "Other": SERVING["Config"]},
        {**SERVING["Endpoint"]["Properties"], **TAGS[0]},
        {"EndpointConfigName": {"Fn::GetAtt": ["Other", "EndpointConfigName"]}, **TAGS[1]},
    ),
    "AWS::Scheduler::ScheduleGroup": ({}, TAGS[0], TAGS[1]),
    "AWS::Scheduler::Schedule": (
        {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy(SCHEDULER)}}},
        SCHEDULE,
        {**SCHEDULE, "ScheduleExpression": "cron(0 9 ? * MON-FRI *)"},
    ),
    "AWS::SNS::Topic": (
        {},
        {
            "DisplayName": "one",
            "Subscription": [{"Protocol": "email", "Endpoint": "a@example.com"}],
            **TAGS[0],
        },
        {
            "DisplayName": "two",
            "Subscription": [{"Protocol": "email", "Endpoint": "b@example.com"}],
            **TAGS[1],
        },
    ),
    "AWS::SNS::TopicPolicy": (
        TOPICS,
        {
            "PolicyDocument": policy({"Effect": "Deny", "Principal": "*", "Action": "sns:Publish"}),
            "Topics": [{"Ref": "One"}],
        },
        {
            "PolicyDocument": policy({"Effect": "Deny", "Principal": "*", "Action": "sns:*"}),
            "Topics": [{"Ref": "One"}, {"Ref": "Two"}],
        },
    ),
    "AWS::SNS::Subscription": (
        topic(),
        {
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "https",
            "Endpoint": "https://example.com",
            "FilterPolicy": {"level": ["error"]},
        },
        {
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "https",
            "Endpoint": "https://example.com",
            "RawMessageDelivery": True,
        },
    ),
    "AWS::SQS::Queue": ({}, {"VisibilityTimeout": 40}, {"MessageRetentionPeriod": 60, "VisibilityTimeout": 50}),
    "AWS::SQS::QueuePolicy": (
        QUEUES,
        {
            "PolicyDocument": policy({"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage"}),
            "Queues": [{"Ref": "One"}],
        },
        {
            "PolicyDocument": policy({"Effect": "Deny", "Principal": "*", "Action": "sqs:*"}),
            "Queues": [{"Ref": "One"}, {"Ref": "Two"}],
        },
    ),
    "AWS::SSM::Parameter": (
        {},
        {"Type": "String", "Value": "1", "Tags": {"a": "1"}},
        {"Type": "String", "Value": "2", "Tags": {"b": "2"}},
    ),
}

WITHOUT_CALLS = {
    "AWS::CDK::Metadata",
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::CodeBuild::Project",
    "AWS::CodeConnections::Connection",
    "AWS::CodePipeline::Pipeline",
}
"""Types that are one entry of this process's memory."""


class Calls:
    """The API calls for one resource, of which some may fail."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self._failing: tuple[int, ...] = ()
        self.failed = False
        self.told = ""

    @contextmanager
    def failing_at(self, *numbers: int) -> Iterator[None]:
        """Within this, the calls of these numbers are refused."""
        self.made.clear()
        self._failing, self.failed = numbers, False
        yield
        self.told = f"after {self.made}, of which {numbers} failed"
        self._failing = ()

    def count(self, operation: str) -> None:
        self.made.append(operation)
        if (number := len(self.made) - 1) in self._failing:
            self.failed = True
            raise failure("Injected", ("InternalFailure", "ThrottlingException")[number % 2], f"{operation} fails", 500)


@pytest.fixture(scope="module")
def shared_account() -> Account:
    return Account()


@pytest.fixture
def account(shared_account: Account) -> Iterator[Account]:
    """An account without stacks; a new one costs moto a copy of all managed policies."""
    yield shared_account
    for stack in shared_account.cfn.describe_stacks()["Stacks"]:
        shared_account.delete(stack["StackId"])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    counted, original = Calls(), Resource.call

    def call(self: Resource, operation: str, /, **parameters: Any) -> Any:
        if self.logical_id == "It":
            counted.count(operation)
        return original(self, operation, **parameters)

    monkeypatch.setattr(Resource, "call", call)
    return counted


_backends: Any = get_backend  # of any service
_VOLATILE = re.compile(
    r"time|date|version|token|created|modified|history|revision|etag|random|last_|arn:aws:iam::aws:policy|aws_managed|streams",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"(rtbassoc|sgr|eni|vpce-svc)-[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids of parts that a roll-back has to make anew."""


def services_of(resource_type: str) -> set[str]:
    """The services that hold the resource and the other resources of its template."""
    found = {PROVIDERS[one["Type"]].service for one in resources_of(resource_type, 0).values()}
    return found | ({"ec2", "logs"} if "sagemaker" in found else set())  # which an endpoint uses


def state(account: Account, resource_type: str) -> dict[str, Any]:
    """All that moto's back ends hold of the account in these services, without times and counters."""
    found = dict[str, Any]()
    for service in sorted(services_of(resource_type)):
        backends = _backends(service.replace("-", ""))[account.id]
        for region in (account.region, "aws"):
            if region in backends:
                found[f"{service} {region}"] = _plain(backends[region], set())
    return found


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two states differ, in the words of a failed test."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            told
            for key in one.keys() | other.keys()
            for told in differences(one.get(key), other.get(key), f"{place}/{key}")
        ]
    return [] if one == other else [f"{place}: {one} != {other}"]


@cache  # most names and texts are those of every account
def _volatile(name: str) -> bool:
    return bool(_VOLATILE.search(name))


@cache
def _renewed(text: str) -> str:
    return _AGAIN.sub("again", text)


def _plain(value: Any, seen: set[int]) -> Any:
    if value is None or isinstance(value, bool | str | int | float):
        return _renewed(value) if isinstance(value, str) else value
    if isinstance(value, datetime) or id(value) in seen:
        return "…"
    seen = seen | {id(value)}
    if isinstance(value, Mapping):
        # SSM keeps the versions of a parameter.
        value = {k: v[-1:] if str(k).startswith("it-") and isinstance(v, list) else v for k, v in value.items()}
        shown = {str(_plain(key, seen)): _plain(part, seen) for key, part in value.items() if not _volatile(str(key))}
        return {key: part for key, part in shown.items() if part not in ({}, [], None)}
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(
            (_plain(part, seen) for part in value), key=lambda part: json.dumps(part, sort_keys=True, default=str)
        )
    if type(value).__module__.startswith("moto.") and hasattr(value, "__dict__"):
        return _plain({key: part for key, part in vars(value).items() if "backend" not in key}, seen)
    return "…"


def resources_of(resource_type: str, which: int) -> dict[str, Any]:
    others, *properties = CASES[resource_type]
    return {**others, "It": {"Type": resource_type, "Properties": properties[which]}}


def test_every_provider_that_makes_api_calls_has_a_case() -> None:
    assert CASES.keys() | WITHOUT_CALLS == PROVIDERS.keys()


COUNTS: dict[str, list[int]] = {}


def calls_of(account: Account, resource_type: str, calls: Calls, which: int) -> range:
    """The numbers of the calls that creating (0), updating (1) or deleting (2) the resource makes; counted once."""
    if resource_type not in COUNTS:
        account.deploy("counted", resources_of(resource_type, 0))
        counts = [len(calls.made)]
        account.update("counted", resources_of(resource_type, 1))
        counts.append(len(calls.made) - sum(counts))
        account.delete("counted")
        COUNTS[resource_type] = [*counts, len(calls.made) - sum(counts)]
    return range(COUNTS[resource_type][which])


def inventory(account: Account, resource_type: str) -> dict[str, Any]:
    """What the services show of the account, without the logs of containers, which stay as on AWS."""
    shown = account.inventory(services_of(resource_type))
    groups = shown.pop("logs.describe_log_groups", {"logGroups": []})["logGroups"]
    return shown | {"log groups": [one for one in groups if not one["logGroupName"].startswith("/aws/sagemaker")]}


# An endpoint is described until it has settled, so a call of a high number may not come.


@pytest.mark.parametrize("resource_type", CASES)
def test_a_failed_creation_leaves_nothing_and_can_be_repeated(
    account: Account, resource_type: str, calls: Calls
) -> None:
    resources = resources_of(resource_type, 0)
    numbers, before = calls_of(account, resource_type, calls, 0), inventory(account, resource_type)
    for number in numbers:
        with calls.failing_at(number):
            status = account.create("it", resources)
        if calls.failed:
            assert status == "ROLLBACK_COMPLETE", calls.told
            assert not differences(before, inventory(account, resource_type)), calls.told
        account.delete("it")
    account.deploy("it", resources)


@pytest.mark.parametrize("resource_type", CASES)
def test_a_half_made_resource_whose_deletion_fails_is_known_and_deleted_later(
    account: Account, resource_type: str, calls: Calls
) -> None:
    numbers, before = calls_of(account, resource_type, calls, 0), inventory(account, resource_type)
    for number in numbers[1:]:
        with calls.failing_at(number, number + 1):
            status = account.create("it", resources_of(resource_type, 0))
        if status == "ROLLBACK_FAILED":
            assert account.physical_id("it", "It"), calls.told
        assert account.delete("it") == "DELETE_COMPLETE", calls.told
        assert not differences(before, inventory(account, resource_type)), calls.told


@pytest.mark.parametrize("resource_type", CASES)
def test_a_failed_update_restores_the_resource_and_can_be_repeated(
    account: Account, resource_type: str, calls: Calls
) -> None:
    numbers = calls_of(account, resource_type, calls, 1)
    account.deploy("it", resources_of(resource_type, 0))
    before = state(account, resource_type)
    for number in numbers:
        with calls.failing_at(number):
            status = account.update("it", resources_of(resource_type, 1))
        if status == "UPDATE_COMPLETE":  # only its clean-up failed, which is the end of it
            assert not calls.failed or account.reason("it", "DELETE_FAILED"), calls.told
            return
        assert status == "UPDATE_ROLLBACK_COMPLETE", calls.told
        assert not differences(before, state(account, resource_type)), calls.told
    assert account.update("it", resources_of(resource_type, 1)) == "UPDATE_COMPLETE"


@pytest.mark.parametrize("resource_type", CASES)
def test_a_rollback_that_fails_can_be_continued(account: Account, resource_type: str, calls: Calls) -> None:
    numbers = calls_of(account, resource_type, calls, 1)
    account.deploy("it", resources_of(resource_type, 0))
    before = state(account, resource_type)
    for number in numbers:
        with calls.failing_at(number, number + 1):
            status = account.update("it", resources_of(resource_type, 1))
        if status == "UPDATE_COMPLETE":
            return
        if status == "UPDATE_ROLLBACK_FAILED":
            account.cfn.continue_update_rollback(StackName="it")
            status = account.status("it")
        assert status == "UPDATE_ROLLBACK_COMPLETE", calls.told
        if "DELETE_FAILED" in [event[1] for event in account.events("it")]:
            return  # the clean-up has left the new resource, as on AWS
        assert not differences(before, state(account, resource_type)), calls.told


@pytest.mark.parametrize("resource_type", CASES)
def test_a_failed_deletion_can_be_repeated(account: Account, resource_type: str, calls: Calls) -> None:
    numbers, before = calls_of(account, resource_type, calls, 2), inventory(account, resource_type)
    for number in numbers:
        account.deploy("it", resources_of(resource_type, 1))
        with calls.failing_at(number):
            stack_id, status = account.stack("it")["StackId"], account.delete("it")
        if calls.failed:
            assert (status, bool(account.physical_id(stack_id, "It"))) == ("DELETE_FAILED", True), calls.told
            assert account.delete("it") == "DELETE_COMPLETE", calls.told
        assert not differences(before, inventory(account, resource_type)), calls.told


@pytest.mark.parametrize("updated", [False, True])
def test_a_role_whose_inline_policy_is_refused_by_name_does_not_outlive_its_rollback(
    monkeypatch: pytest.MonkeyPatch, account: Account, updated: bool
) -> None:
    original = Resource.call

    def call(self: Resource, operation: str, /, **parameters: Any) -> Any:
        if parameters.get("PolicyName") == "refused":  # in every call, also in one that would delete it
            raise failure("Iam", "ValidationError", "The specified value for policyName is invalid")
        return original(self, operation, **parameters)

    monkeypatch.setattr(Resource, "call", call)
    policies = [inline(name, "s3:GetObject") for name in ("first", "refused", "last")]
    refused = {"It": {"Type": "AWS::IAM::Role", "Properties": {**TRUSTED, "Policies": policies}}}
    if updated:
        account.deploy("it", {"It": ROLE})
    before = account.inventory()
    status = account.update("it", refused) if updated else account.create("it", refused)
    assert status == ("UPDATE_ROLLBACK_COMPLETE" if updated else "ROLLBACK_COMPLETE")
    assert not differences(before, account.inventory())
