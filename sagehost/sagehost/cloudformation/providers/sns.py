"""SNS: topics, their policies and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sagehost.cloudformation.providers.base import Absent, Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import answer, api, by, itself, names, tags
from sagehost.cloudformation.values import Json, as_text

# Without those that moto takes and forgets, such as SignatureVersion: they fail by name instead.
_TOPIC_DEFAULTS = {
    "DisplayName": "",
    "KmsMasterKeyId": "",
    "ContentBasedDeduplication": "false",
}


def _encoded(value: Json) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else as_text(value)


def _topic_attributes(context: Context, arn: str, new: Props, old: Props) -> None:
    for name, default in _TOPIC_DEFAULTS.items():
        if new.get(name) != old.get(name):
            context.call(
                "sns",
                "set_topic_attributes",
                {"TopicArn": arn, "AttributeName": name, "AttributeValue": _encoded(new.get(name, default))},
            )


def _subscriptions(context: Context, arn: str, new: Props, old: Props) -> None:
    """The subscriptions written inside a topic."""
    wanted, present = (
        {(one["Protocol"], one["Endpoint"]) for one in side.get("Subscription") or []} for side in (new, old)
    )
    for one in context.call("sns", "list_subscriptions_by_topic", {"TopicArn": arn})["Subscriptions"]:
        if (one["Protocol"], one["Endpoint"]) in present - wanted:
            context.call("sns", "unsubscribe", {"SubscriptionArn": one["SubscriptionArn"]})
    for protocol, endpoint in sorted(wanted - present):
        context.call("sns", "subscribe", {"TopicArn": arn, "Protocol": protocol, "Endpoint": endpoint})


def _fifo(_: Context, parameters: dict[str, Json]) -> dict[str, Json]:
    if parameters.pop("FifoTopic", False):
        return {**parameters, "Attributes": {"FifoTopic": "true"}}
    return parameters


TOPIC = api(
    "sns",
    create="create_topic",
    delete="delete_topic",
    sends="TopicName FifoTopic",
    rename={"TopicName": "Name"},
    adapt=_fifo,
    name="TopicName",
    longest_name=256,
    identify=answer("TopicArn"),
    handle=by("TopicArn"),
    facets=(
        Facet(frozenset(_TOPIC_DEFAULTS), _topic_attributes),
        Facet(names("Subscription"), _subscriptions),
        tags("sns", lambda _, arn: {"ResourceArn": arn}),
    ),
    attributes={"TopicArn": itself, "TopicName": lambda _, arn, __: arn.rsplit(":", 1)[1]},
)


def _default_policy(context: Context, arn: str) -> dict[str, Json]:
    """The policy that SNS gives a topic: its owner may do everything with it."""
    actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe Publish"
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Effect": "Allow",
                "Sid": "__default_statement_ID",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{action}" for action in actions.split()],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": context.account}},
            }
        ],
    }


def _topic_policy(context: Context, _: str, new: Props, old: Props) -> None:
    for arn in old.get("Topics") or []:
        if arn not in (new.get("Topics") or []):
            try:
                _set_policy(context, arn, _default_policy(context, arn))
            except Absent:  # the topic has gone, and its policy with it
                continue
    for arn in new.get("Topics") or []:
        _set_policy(context, arn, new["PolicyDocument"])


def _set_policy(context: Context, arn: str, policy: Json) -> None:
    context.call(
        "sns",
        "set_topic_attributes",
        {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": _encoded(policy)},
    )


TOPIC_POLICY = Provider(
    create=lambda context, _: context.made_up_name(128),
    delete=lambda context, physical_id, properties: _topic_policy(context, physical_id, {}, properties),
    facets=(Facet(names("PolicyDocument Topics"), _topic_policy),),
    attributes={"Id": itself},
)

_SUBSCRIPTION_DEFAULTS = {
    "DeliveryPolicy": "",
    "FilterPolicy": "{}",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
    "RedrivePolicy": "",
}


def _subscription_attributes(context: Context, arn: str, new: Props, old: Props) -> None:
    for name, default in _SUBSCRIPTION_DEFAULTS.items():
        if new.get(name) != old.get(name):
            context.call(
                "sns",
                "set_subscription_attributes",
                {"SubscriptionArn": arn, "AttributeName": name, "AttributeValue": _encoded(new.get(name, default))},
            )


SUBSCRIPTION = api(
    "sns",
    create="subscribe",
    delete="unsubscribe",
    sends="TopicArn Protocol Endpoint",
    adapt=lambda _, parameters: {**parameters, "ReturnSubscriptionArn": True},
    identify=answer("SubscriptionArn"),
    handle=by("SubscriptionArn"),
    facets=(Facet(frozenset(_SUBSCRIPTION_DEFAULTS), _subscription_attributes),),
    attributes={"Arn": itself},
)

PROVIDERS: Mapping[str, Provider] = {
    "AWS::SNS::Subscription": SUBSCRIPTION,
    "AWS::SNS::Topic": TOPIC,
    "AWS::SNS::TopicPolicy": TOPIC_POLICY,
}
