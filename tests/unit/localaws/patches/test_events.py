"""Rules of EventBridge that publish to topics."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.events.models import Rule, events_backends

from localaws import moto_app, patches
from tests.unit.fresh_accounts import fresh_account

REGION = "us-east-1"
EVENT = {"Source": "tests", "DetailType": "Something happened", "Detail": json.dumps({"what": "it", "how": "well"})}


@pytest.fixture(autouse=True)
def _corrected() -> None:
    for service in patches.SERVICES:
        patches.install(service)


class Place:
    """An account with a topic, a queue that listens to it, and a rule that publishes to it."""

    def __init__(self) -> None:
        self.account = fresh_account()
        self.topic = str(self.client("sns").create_topic(Name="news")["TopicArn"])
        self.queue = str(self.client("sqs").create_queue(QueueName="inbox")["QueueUrl"])
        arn = f"arn:aws:sqs:{REGION}:{self.account}:inbox"
        self.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        pattern = json.dumps({"source": ["tests"]})
        self.rule = str(self.client("events").put_rule(Name="rule", EventPattern=pattern)["RuleArn"])
        self.target()

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.account, REGION)

    def target(self, **members: Any) -> None:
        self.client("events").put_targets(Rule="rule", Targets=[{"Id": "topic", "Arn": self.topic, **members}])

    def let(self, **conditions: Any) -> None:
        """Let EventBridge publish to the topic, over TLS alone."""
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": self.topic,
            "Condition": conditions,
        }
        deny = {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sns:Publish",
            "Resource": self.topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
        self.client("sns").set_topic_attributes(TopicArn=self.topic, AttributeName="Policy", AttributeValue=policy)

    def send(self) -> list[str]:
        """Put an event, and give the messages that have come of it."""
        assert self.client("events").put_events(Entries=[EVENT])["FailedEntryCount"] == 0
        messages = self.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["Message"] for message in messages]


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_rule_publishes_events_to_a_topic_that_lets_it(place: Place) -> None:
    place.let(ArnEquals={"aws:SourceArn": place.rule})
    (message,) = place.send()
    event = json.loads(message)
    assert (event["source"], event["detail-type"], event["detail"]["what"]) == ("tests", "Something happened", "it")
    assert event["time"].endswith("Z")


def test_a_transformed_event_is_its_text_in_quotation_marks(place: Place) -> None:
    place.let()
    place.target(
        InputTransformer={
            "InputPathsMap": {"what": "$.detail.what", "how": "$.detail.how"},
            "InputTemplate": '"<what> went <how>"',
        }
    )
    assert place.send() == ['"it went well"']


def test_a_constant_input_replaces_the_event(place: Place) -> None:
    place.let()
    place.target(Input='{"always": "the same"}')
    assert place.send() == ['{"always": "the same"}']


def test_an_event_that_the_pattern_does_not_match_is_not_published(place: Place) -> None:
    place.let()
    place.client("events").put_rule(Name="rule", EventPattern=json.dumps({"source": ["others"]}))
    place.target()
    assert place.send() == []


def test_a_disabled_rule_publishes_nothing(place: Place) -> None:
    place.let()
    place.client("events").disable_rule(Name="rule")
    assert place.send() == []


def test_a_topic_with_its_default_policy_gets_nothing(place: Place) -> None:
    assert place.send() == []


def test_a_topic_that_lets_another_rule_gets_nothing(place: Place) -> None:
    place.let(ArnEquals={"aws:SourceArn": f"{place.rule}-of-others"})
    assert place.send() == []


@pytest.mark.parametrize(
    ("condition", "published"),
    [
        (None, 0),
        ({"ArnEquals": {"kms:EncryptionContext:aws:sns:topicArn": "{topic}"}}, 1),
        ({"StringEquals": {"aws:SourceAccount": "{account}"}}, 0),  # which SNS does not say
    ],
)
def test_an_encrypted_topic_needs_a_key_that_lets_eventbridge_use_it(
    place: Place, condition: Any, published: int
) -> None:
    place.let()
    kms = place.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    place.client("sns").set_topic_attributes(TopicArn=place.topic, AttributeName="KmsMasterKeyId", AttributeValue=key)
    if condition:
        text = json.dumps(condition).replace("{topic}", place.topic).replace("{account}", place.account)
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": json.loads(text),
        }
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": [allow]}))
    assert len(place.send()) == published


def test_other_targets_are_motos(place: Place) -> None:
    arn = f"arn:aws:sqs:{REGION}:{place.account}:direct"
    queue = place.client("sqs").create_queue(QueueName="direct")["QueueUrl"]
    place.client("events").put_targets(Rule="rule", Targets=[{"Id": "queue", "Arn": arn}])
    place.send()
    (message,) = place.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"what": "it", "how": "well"}


def test_moto_knows_no_topics_as_targets(place: Place) -> None:
    rule = events_backends[place.account][REGION].event_buses["default"].rules["rule"]
    event = {"id": "", "time": 0.0, "resources": [], "detail": {}, "ingestion-time": 0.0}
    event |= {"detail-type": "it", "source": "tests", "region": REGION, "account": place.account}
    with pytest.raises(NotImplementedError):
        Rule.send_to_targets.__wrapped__(rule, event)  # type: ignore[attr-defined]
