"""SNS: topics, their policies and subscriptions."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    ResourceNotFound,
    Setting,
    changes,
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


def _topic_policy(resource: Resource, new: Props, old: Props) -> None:
    for topic in changes("Topics", new, old)[0]:
        try:
            _set_policy(resource, topic, _default_policy(resource, topic))
        except ResourceNotFound:  # the topic has gone, and its policy with it
            continue
    for topic in new.get("Topics") or []:
        _set_policy(resource, topic, new["PolicyDocument"])


def _set_policy(resource: Resource, topic: str, policy: Json) -> None:
    resource.call("set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _default_policy(resource: Resource, topic: str) -> Json:
    """The policy that SNS gives a topic: its owner may do everything with it."""
    actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe Publish"
    statement = {
        "Effect": "Allow",
        "Sid": "__default_statement_ID",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions.split()],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": resource.account}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


class _TopicPolicy(Provider):
    def create(self, resource: Resource, _: Props) -> str:
        """The setting puts it."""
        return resource.generated_name(128)

    def delete(self, resource: Resource, properties: Props) -> None:
        """Gives the topics their default policy again."""
        _topic_policy(resource, {}, properties)


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
    _TopicPolicy("AWS::SNS::TopicPolicy", settings=(Setting(frozenset(["PolicyDocument", "Topics"]), _topic_policy),)),
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
