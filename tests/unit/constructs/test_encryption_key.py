from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from sagemaker_tgi import EncryptionKey, InvalidPropsError

Only = Callable[[cdk.Stack, str], dict[str, Any]]
GROUPS = ["/aws/sagemaker/Endpoints/chat", "/chat/vpc-flow-logs"]


def key(stack: cdk.Stack, **props: Any) -> EncryptionKey:
    return EncryptionKey(stack, "Key", **{"description": "Logs", "log_group_names": GROUPS, **props})


def test_a_key_is_rotated(stack: cdk.Stack, only: Only) -> None:
    key(stack)
    assert only(stack, "AWS::KMS::Key")["Properties"]["EnableKeyRotation"] is True


def test_cloudwatch_logs_may_use_it_only_for_the_named_log_groups(stack: cdk.Stack, only: Only) -> None:
    key(stack)
    [_, logs] = only(stack, "AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
    arns = [f"arn:aws:logs:eu-west-1:111122223333:log-group:{group}" for group in GROUPS]
    assert logs["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}}
    assert logs["Principal"]["Service"] == {"Fn::Join": ["", ["logs.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]}


def test_its_policy_names_only_the_account_and_cloudwatch_logs(stack: cdk.Stack, only: Only) -> None:
    key(stack)
    [account, logs] = only(stack, "AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
    assert account["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert set(logs["Principal"]) == {"Service"}


def test_a_removed_key_is_deleted_after_30_days(stack: cdk.Stack, only: Only) -> None:
    """A key's deletion waits 7 to 30 days. Source: AWS KMS API, ScheduleKeyDeletion."""
    key(stack)
    resource = only(stack, "AWS::KMS::Key")
    assert (resource["DeletionPolicy"], resource["Properties"]["PendingWindowInDays"]) == ("Delete", 30)


def test_a_key_can_be_retained(stack: cdk.Stack, only: Only) -> None:
    key(stack, removal_policy=cdk.RemovalPolicy.RETAIN)
    assert only(stack, "AWS::KMS::Key")["DeletionPolicy"] == "Retain"


def test_without_log_groups_cloudwatch_logs_may_not_use_it(stack: cdk.Stack, only: Only) -> None:
    key(stack, log_group_names=[])
    statements = only(stack, "AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
    assert [s["Sid"] for s in statements] == ["AccountDecides"]


@pytest.mark.parametrize("props", [{"log_group_names": ["log group"]}, {"description": "x" * 8193}])
def test_invalid_props_of_a_key_are_refused(stack: cdk.Stack, props: dict[str, Any]) -> None:
    with pytest.raises(InvalidPropsError, match=next(iter(props))):
        key(stack, **props)
