"""EventBridge Scheduler and SQS refuse what AWS refuses, and what is not emulated by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sqs.models import Queue

from sagehost import moto_app, patches
from tests.unit.fresh_accounts import fresh_account

Create = Callable[..., Any]

patches.install("sqs")


def motos_own(method: Any) -> Any:
    return method.__wrapped__


REQUEST = json.dumps({"EndpointName": "chat"})
POLICY = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*"}]})


@pytest.fixture
def client() -> Callable[[str], Any]:
    account = fresh_account()
    return lambda service: moto_app.client(service, account, "eu-west-1")


@pytest.fixture
def create(client: Callable[[str], Any]) -> Create:
    """Creates a schedule that is as it should be, but for the given members of it and of its target."""
    statement = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = client("iam").create_role(RoleName="hours", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint", "RoleArn": role, "Input": REQUEST}

    def make(of_target: dict[str, Any] | None = None, **given: Any) -> Any:
        schedule = {
            "Name": "stop",
            "ScheduleExpression": "cron(0 19 ? * MON-FRI *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {**target, **(of_target or {})},
        }
        return client("scheduler").create_schedule(**schedule | given)

    return make


def test_a_schedule_is_kept_as_it_was_given(client: Callable[[str], Any], create: Create) -> None:
    create()
    found = client("scheduler").get_schedule(Name="stop")
    assert (found["ScheduleExpression"], found["Target"]["Input"]) == ("cron(0 19 ? * MON-FRI *)", REQUEST)


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"Name": "no spaces"}, "ValidationException", "regular expression"),
        ({"GroupName": "none"}, "ResourceNotFoundException", "does not exist"),
        ({"ScheduleExpression": "cron(0 19 * * MON-FRI)"}, "ValidationException", "Invalid Schedule Expression"),
        ({"ScheduleExpression": "cron(0 25 ? * MON-FRI *)"}, "ValidationException", "Invalid Schedule Expression"),
        ({"ScheduleExpression": "rate(5 minutes)"}, "NotImplemented", "rate"),
        ({"ScheduleExpressionTimezone": "Europe/Bern"}, "ValidationException", "Timezone"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}}, "NotImplemented", "FlexibleTime"),
        ({"KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/a"}, "NotImplemented", "KmsKeyArn"),
        ({"of_target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"}}, "NotImplemented", "sqs:sendMessage"),
        ({"of_target": {"Input": "{"}}, "ValidationException", "Invalid RequestJson"),
        ({"of_target": {"Input": '{"Endpoint": "chat"}'}}, "ValidationException", "EndpointName"),
        ({"of_target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}}, "ValidationException", "less than or equal"),
        ({"of_target": {"RoleArn": "arn:aws:iam::111122223333:role/none"}}, "ValidationException", "execution role"),
    ],
    ids=str,
)
def test_what_scheduler_refuses_is_refused(create: Create, given: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        create(**given)
    assert refused.value.response["Error"]["Code"] == code


def test_a_group_is_not_overwritten_and_the_default_one_stays(client: Callable[[str], Any]) -> None:
    scheduler = client("scheduler")
    scheduler.create_schedule_group(Name="hours")
    for operation, name, code in (
        (scheduler.create_schedule_group, "hours", "ConflictException"),
        (scheduler.delete_schedule_group, "default", "ValidationException"),
        (scheduler.delete_schedule_group, "none", "ResourceNotFoundException"),
    ):
        with pytest.raises(ClientError) as refused:
            operation(Name=name)
        assert refused.value.response["Error"]["Code"] == code


def test_a_queue_keeps_its_policy_when_another_attribute_is_set(client: Callable[[str], Any]) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": POLICY})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (kept["Policy"], kept["MessageRetentionPeriod"]) == (POLICY, "60")
    with pytest.raises(ClientError, match="Invalid value for the parameter MessageRetentionPeriod"):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "59"})


def test_moto_drops_the_policy_of_a_queue(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queue, "_set_attributes", motos_own(Queue._set_attributes))
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": POLICY})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    assert "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
