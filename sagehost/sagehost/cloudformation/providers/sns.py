"""SNS: topics, their policies and subscriptions."""

from collections.abc import Mapping

from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    Setting,
    SettingsOnly,
    changes,
    items,
    setting,
)
from sagehost.cloudformation.values import Json


def _attributes_of(operation: str, defaults: Mapping[str, str]) -> tuple[Setting, ...]:
    """Properties that the API takes as a name and a value, with their defaults."""
    return tuple(
        setting(name, operation, default=default, parameter="AttributeValue", AttributeName=name)
        for name, default in defaults.items()
    )


def _subscriptions(resource: Resource, new: Props, old: Props) -> None:
    """The subscriptions written inside a topic."""
    gone, added = changes("Subscription", new, old)
    for one in resource.call_on("list_subscriptions_by_topic", new)["Subscriptions"]:
        if {key: one[key] for key in ("Protocol", "Endpoint")} in gone:
            resource.call("unsubscribe", SubscriptionArn=one["SubscriptionArn"])
    for one in added:
        resource.call_on("subscribe", new, Protocol=one["Protocol"], Endpoint=one["Endpoint"])


class _Topic(Provider):
    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """FifoTopic is an attribute, whose mere presence moto takes for true."""
        parameters = super().parameters(resource, properties)
        return {**parameters, "Attributes": {"FifoTopic": "true"}} if parameters.pop("FifoTopic", False) else parameters


def _default_policy(topic: str) -> Props:
    """The policy that SNS gives a topic: its owner may do everything with it."""
    actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe Publish"
    statement = {
        "Effect": "Allow",
        "Sid": "__default_statement_ID",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions.split()],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy}


PROVIDERS = (
    _Topic(
        "AWS::SNS::Topic",
        sends="TopicName FifoTopic",
        rename={"TopicName": "Name"},
        id="TopicArn",
        name="TopicName",
        longest_name=256,
        settings=(
            # Without those that moto takes and forgets, such as SignatureVersion: they fail by name instead.
            *_attributes_of(
                "set_topic_attributes", {"DisplayName": "", "KmsMasterKeyId": "", "ContentBasedDeduplication": "false"}
            ),
            Setting(frozenset(["Subscription"]), _subscriptions),
        ),
        attributes={"TopicName": lambda resource, _: resource.id.rsplit(":", 1)[1]},
    ),
    SettingsOnly(
        "AWS::SNS::TopicPolicy",
        id="{generated}",
        rename={"PolicyDocument": "AttributeValue"},
        settings=(
            items(
                "Topics",
                add="set_topic_attributes",
                remove="set_topic_attributes",
                parameters=lambda topic: {"TopicArn": topic, "AttributeName": "Policy"},
                removing=_default_policy,
                along="PolicyDocument",
            ),
        ),
    ),
    Provider(
        "AWS::SNS::Subscription",
        create_with="subscribe",
        delete_with="unsubscribe",
        sends="TopicArn Protocol Endpoint",
        defaults={"ReturnSubscriptionArn": True},
        id="SubscriptionArn",
        settings=_attributes_of(
            "set_subscription_attributes",
            {
                "DeliveryPolicy": "",
                "FilterPolicy": "{}",
                "FilterPolicyScope": "MessageAttributes",
                "RawMessageDelivery": "false",
                "RedrivePolicy": "",
            },
        ),
    ),
)
