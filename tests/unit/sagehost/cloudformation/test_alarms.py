"""Alarms and what they notify: a topic and its key have to let CloudWatch in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from sagemaker_tgi import AlarmTopic, EndpointAlarms, EndpointDashboard
from tests.unit.sagehost.cloudformation.templates import with_properties

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

Resources = dict[str, Any]
ALARM = "chat-server-errors"


@pytest.fixture(scope="module")
def watching() -> Resources:
    """Resources of alarms, topic and dashboard; one kind of alarm, and a queue that gets what the topic sends."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Watching", env=cdk.Environment(region="us-east-1"))
    topic = AlarmTopic(stack, "Topic", display_name="chat").topic
    alarms = EndpointAlarms(stack, "Alarms", endpoint_name="chat", thresholds={"server_errors": 5}, topic=topic)
    EndpointDashboard(stack, "Dashboard", endpoint_name="chat", alarms=[*alarms.by_kind.values()])
    cdk.Tags.of(stack).add("team", "search")
    resources: Resources = Template.from_stack(stack).to_json()["Resources"]
    return resources


def of_type(resources: Resources, kind: str) -> str:
    """The logical id of the only resource of a type."""
    [found] = [name for name, one in resources.items() if one["Type"] == kind]
    return found


def without_service(resources: Resources, kind: str, policy: str) -> Resources:
    """The resources, where a policy does not name CloudWatch."""
    name = of_type(resources, kind)
    document = resources[name]["Properties"][policy]
    kept = [one for one in document["Statement"] if "Service" not in one["Principal"]]
    return with_properties(resources, name, **{policy: {**document, "Statement": kept}})


def notified(account: Account, state: str = "ALARM") -> list[str]:
    """The subjects of what subscribers of the topic get when the alarm changes its state."""
    sqs, sns, cloudwatch = (account.client(service) for service in ("sqs", "sns", "cloudwatch"))
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    [topic] = sns.list_topics()["Topics"]
    sns.subscribe(Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{account.id}:inbox", **topic)
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="a test")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(one["Body"])["Subject"] for one in messages]


def test_an_alarm_notifies_the_subscribers_of_its_topic(account: Account, watching: Resources) -> None:
    account.deploy("watch", watching)
    assert notified(account) == [f'ALARM: "{ALARM}" in us-east-1']
    assert notified(account) == []  # the state is the same
    assert notified(account, "OK") == [f'OK: "{ALARM}" in us-east-1']


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (("AWS::SNS::TopicPolicy", "PolicyDocument"), "is not authorized to perform: SNS:Publish"),
        (("AWS::KMS::Key", "KeyPolicy"), "does not have authorization to access the SNS topic encryption key"),
    ],
)
def test_an_alarm_notifies_nobody_if_topic_or_key_does_not_let_it(
    account: Account, watching: Resources, caplog: pytest.LogCaptureFixture, policy: tuple[str, str], told: str
) -> None:
    account.deploy("watch", without_service(watching, *policy))
    assert notified(account) == []
    assert told in caplog.text


def test_an_alarm_notifies_nobody_by_a_topic_under_the_key_of_sns(account: Account, watching: Resources) -> None:
    topic = of_type(watching, "AWS::SNS::Topic")
    account.deploy("watch", with_properties(watching, topic, KmsMasterKeyId="alias/aws/sns"))
    assert notified(account) == []


def test_an_alarm_without_actions_notifies_nobody(account: Account, watching: Resources) -> None:
    account.deploy(
        "watch", with_properties(watching, of_type(watching, "AWS::CloudWatch::Alarm"), ActionsEnabled=False)
    )
    assert notified(account) == []


def state(account: Account) -> str:
    [alarm] = account.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
    return str(alarm["StateValue"])


def test_an_alarm_begins_without_data_and_keeps_its_state_when_changed(account: Account, watching: Resources) -> None:
    account.deploy("watch", watching)
    assert state(account) == "INSUFFICIENT_DATA"
    notified(account)
    changed = with_properties(watching, of_type(watching, "AWS::CloudWatch::Alarm"), Threshold=7)
    assert account.update("watch", changed) == "UPDATE_COMPLETE"
    assert state(account) == "ALARM"


def test_alarms_and_dashboard_are_changed_rolled_back_and_deleted(account: Account, watching: Resources) -> None:
    before = account.inventory()
    account.deploy("watch", watching)
    deployed, cloudwatch = account.inventory(), account.client("cloudwatch")
    board, alarm = of_type(watching, "AWS::CloudWatch::Dashboard"), of_type(watching, "AWS::CloudWatch::Alarm")
    changed = with_properties(watching, board, DashboardBody='{"widgets":[]}', Tags=[{"Key": "team", "Value": "chat"}])
    changed = with_properties(changed, alarm, Threshold=7)
    assert account.update("watch", changed) == "UPDATE_COMPLETE"
    assert cloudwatch.get_dashboard(DashboardName="chat")["DashboardBody"] == '{"widgets":[]}'
    arn = f"arn:aws:cloudwatch::{account.id}:dashboard/chat"
    assert {"Key": "team", "Value": "chat"} in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert account.update("watch", watching) == "UPDATE_COMPLETE"
    failing = {
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {"PolicyDocument": {"Statement": []}, "Topics": ["arn:aws:sns:us-east-1:111122223333:none"]},
    }
    assert account.update("watch", {**changed, "Wrong": failing}) == "UPDATE_ROLLBACK_COMPLETE"
    body = json.loads(cloudwatch.get_dashboard(DashboardName="chat")["DashboardBody"])
    assert body["widgets"][0]["properties"]["alarms"] == [f"arn:aws:cloudwatch:us-east-1:{account.id}:alarm:{ALARM}"]
    rolled_back = account.inventory()
    assert {key for key in rolled_back if rolled_back[key] != deployed[key]} <= {
        "cloudwatch.list_dashboards"
    }  # its time
    account.delete("watch")
    left = account.inventory()
    assert {key for key in left if left[key] != before[key]} <= {"kms.list_keys"}
