"""Every option at once, then turned off: callers held to the VPC, requests that are kept, keys."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from mistral7b.operate.inventory import inventory
from tests.e2e.conftest import REGION, User, succeeded

CALLER = "search-backend"
ENDPOINT = "mistral-7b-instruct-full"
FLOW_LOGS = "/mistral7b/full/vpc-flow-logs"
VALUES = {
    "region": REGION,
    "endpoint_name": ENDPOINT,
    "callers": {"role_names": [CALLER], "only_from_vpc": True},
    "data_capture": {"sampling_percentage": 100, "retention_days": 7},
    "removal": {"captured_data": "destroy"},
    "auto_scaling": {"min_instances": 1, "max_instances": 3},
}


@pytest.fixture(scope="module")
def full(user: User) -> Iterator[User]:
    """A user with an environment that has every option, and a role that calls it."""
    iam = user.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=CALLER, AssumeRolePolicyDocument=document)
    with user.having("full", VALUES):
        user.deploy("full")
        yield user
    iam.delete_role(RoleName=CALLER)


def soon(look: Callable[[], list[Any]]) -> list[Any]:
    """What `look` finds, as soon as it finds something; nothing after 20 s."""
    deadline = time.monotonic() + 20
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def captured(user: User) -> tuple[str, list[Any]]:
    """The bucket, and the records in it."""
    outputs = user.client("cloudformation").describe_stacks(StackName="mistral-7b-full-endpoint")["Stacks"][0][
        "Outputs"
    ]
    uri = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "DataCaptureUri")
    bucket, prefix = uri.removeprefix("s3://").split("/", 1)
    s3 = user.client("s3")
    objects = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/{ENDPOINT}/AllTraffic/").get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read().decode() for o in objects]
    return bucket, [json.loads(line) for body in bodies for line in body.splitlines()]


def test_the_caller_may_invoke_this_endpoint_from_the_vpc_alone(full: User) -> None:
    iam = full.client("iam")
    [name] = iam.list_role_policies(RoleName=CALLER)["PolicyNames"]
    [statement] = iam.get_role_policy(RoleName=CALLER, PolicyName=name)["PolicyDocument"]["Statement"]
    vpcs = full.client("ec2").describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["full/endpoint/Network/Vpc"]}])[
        "Vpcs"
    ]
    assert statement == {
        "Sid": "InvokeEndpoint",
        "Effect": "Allow",
        "Action": ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"],
        "Resource": f"arn:aws:sagemaker:{REGION}:{full.account}:endpoint/{ENDPOINT}",
        "Condition": {"StringEquals": {"aws:SourceVpc": vpcs[0]["VpcId"]}},
    }


def test_requests_and_answers_are_kept_encrypted_in_the_environments_bucket(full: User) -> None:
    succeeded(full.mistral7b("invoke", "full", "How many lakes has Canada?"))
    bucket, [record] = captured(full)[0], soon(lambda: captured(full)[1])
    assert "How many lakes has Canada?" in record["captureData"]["endpointInput"]["data"]
    assert "generated_text" in record["captureData"]["endpointOutput"]["data"]
    s3 = full.client("s3")
    key = s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
    assert s3.head_object(Bucket=bucket, Key=key)["ServerSideEncryption"] == "aws:kms"


def test_deployed_environment_is_as_its_file_says_and_its_log_can_be_read(full: User) -> None:
    found = json.loads(succeeded(full.mistral7b("status", "full", "--json")).stdout)
    assert (found["ready"], found["differences"], found["not_checked"]) == (True, [], [])
    assert found["scaling"]["max"] == 3
    log = json.loads(succeeded(full.mistral7b("logs", "full", "--json")).stdout.splitlines()[0])
    assert log["message"].startswith("Args {")


def test_connections_of_the_vpc_are_recorded(full: User) -> None:
    [flow_log] = [
        log for log in full.client("ec2").describe_flow_logs()["FlowLogs"] if log["LogGroupName"] == FLOW_LOGS
    ]
    assert (flow_log["TrafficType"], flow_log["FlowLogStatus"]) == ("ALL", "ACTIVE")


def own_keys(session: boto3.Session) -> set[Any]:
    return {resource for resource in inventory(session) if resource.kind == "key"}


def test_every_option_is_turned_off_in_one_deployment_and_nothing_of_it_stays(
    full: User, session: boto3.Session
) -> None:
    session.resource("s3").Bucket(captured(full)[0]).object_versions.delete()
    before = own_keys(session)
    # Where it scales, SageMaker keeps the capture with the other properties of the variant.
    fewest = {"region": REGION, "endpoint_name": ENDPOINT, "auto_scaling": None}
    full.write("full", {**fewest, "network": {"runtime_endpoint": False}})
    full.deploy("full")
    assert full.client("iam").list_role_policies(RoleName=CALLER)["PolicyNames"] == []
    assert not [resource for resource in inventory(session) if resource.kind == "bucket" and "full" in resource.name]
    assert len(before - own_keys(session)) == 1  # that of captured requests
    endpoint = full.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    assert (endpoint["EndpointStatus"], "DataCaptureConfig" in endpoint) == ("InService", False)


def test_a_key_of_ones_own_takes_the_place_of_the_environments_in_one_deployment(
    full: User, session: boto3.Session
) -> None:
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{full.account}:root"}, "Action": "kms:*"},
        {"Effect": "Allow", "Principal": {"Service": f"logs.{REGION}.amazonaws.com"}, "Action": "kms:*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [s | {"Resource": "*"} for s in statements]})
    given = full.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    environments_own = len(own_keys(session))
    full.write("full", {"region": REGION, "endpoint_name": ENDPOINT, "encryption": {"kms_key_arn": given}})
    full.deploy("full")
    groups = full.client("logs").describe_log_groups()["logGroups"]
    of_full = [g for g in groups if g["logGroupName"] in (f"/aws/sagemaker/Endpoints/{ENDPOINT}", FLOW_LOGS)]
    assert [group["kmsKeyId"] for group in of_full] == [given, given]
    assert len(own_keys(session)) == environments_own - 2  # of flow logs, and of the container's log
    full.client("kms").schedule_key_deletion(KeyId=given.rpartition("/")[2], PendingWindowInDays=7)


def test_it_is_removed_without_a_trace(full: User, session: boto3.Session) -> None:
    succeeded(full.cdk("destroy", "full/*", "--force"))
    assert not [resource for resource in inventory(session) if "full" in resource.name]
