from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from sagemaker_tgi import InvalidPropsError, IsolatedVpc, LogOptions, VpcFlowLog

Only = Callable[[cdk.Stack, str], dict[str, Any]]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
GROUP = "arn:aws:logs:eu-west-1:111122223333:log-group:/chat/flows"


@pytest.fixture
def network(stack: cdk.Stack) -> IsolatedVpc:
    return IsolatedVpc(stack, "Vpc", availability_zones=["eu-west-1a", "eu-west-1b"])


@pytest.fixture
def flow_log(stack: cdk.Stack, network: IsolatedVpc) -> VpcFlowLog:
    return VpcFlowLog(
        stack,
        "FlowLog",
        vpc=network.vpc,
        log_group_name="/chat/flows",
        log=LogOptions(
            encryption_key=kms.Key.from_key_arn(stack, "Key", KEY),
            retention=logs.RetentionDays.ONE_WEEK,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        ),
    )


def test_accepted_and_rejected_traffic_of_the_vpc_is_recorded(
    stack: cdk.Stack, network: IsolatedVpc, flow_log: VpcFlowLog, only: Only
) -> None:
    properties = only(stack, "AWS::EC2::FlowLog")["Properties"]
    assert (properties["ResourceType"], properties["TrafficType"]) == ("VPC", "ALL")
    assert properties["ResourceId"] == stack.resolve(network.vpc.vpc_id)


def test_records_go_to_an_encrypted_log_group_that_expires(stack: cdk.Stack, flow_log: VpcFlowLog, only: Only) -> None:
    group = only(stack, "AWS::Logs::LogGroup")
    assert group["Properties"]["LogGroupName"] == "/chat/flows"
    assert (group["Properties"]["KmsKeyId"], group["Properties"]["RetentionInDays"]) == (KEY, 7)
    assert group["DeletionPolicy"] == "Retain"
    log_group = stack.resolve(flow_log.log_group.log_group_name)
    assert only(stack, "AWS::EC2::FlowLog")["Properties"]["LogGroupName"] == log_group


def test_the_service_may_write_only_to_this_log_group(stack: cdk.Stack, flow_log: VpcFlowLog, only: Only) -> None:
    [policy] = only(stack, "AWS::IAM::Role")["Properties"]["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    assert statement["Resource"] == [GROUP, f"{GROUP}:*"]


def test_the_service_delivers_only_flow_logs_of_this_account(
    stack: cdk.Stack, flow_log: VpcFlowLog, only: Only
) -> None:
    [trust] = only(stack, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/*"},
    }


@pytest.mark.parametrize("name", ["x" * 513, "flow logs", ""])
def test_a_name_that_no_log_group_can_have_is_refused(stack: cdk.Stack, network: IsolatedVpc, name: str) -> None:
    r"""Names of log groups: up to 512 of `[.\-_/#A-Za-z0-9]`. Source: CloudWatch Logs API, LogGroupName."""
    with pytest.raises(InvalidPropsError, match=r"log_group_name=.* use up to 512 letters"):
        VpcFlowLog(stack, "FlowLog", vpc=network.vpc, log_group_name=name)
