"""SNS: topics, their policies and subscriptions."""

from sagehost.cloudformation.providers.provider import Props, Provider, Resource, changes
from sagehost.cloudformation.values import Json


def apply_subscriptions(resource: Resource, new: Props, old: Props) -> None:
    """The subscriptions written inside a topic."""
    gone, added = changes("Subscription", new, old)
    for one in resource.call_on("list_subscriptions_by_topic", new)["Subscriptions"]:
        if {key: one[key] for key in ("Protocol", "Endpoint")} in gone:
            resource.call("unsubscribe", SubscriptionArn=one["SubscriptionArn"])
    for one in added:
        resource.call_on("subscribe", new, Protocol=one["Protocol"], Endpoint=one["Endpoint"])


class Topic(Provider):
    """A topic."""

    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """FifoTopic is an attribute, whose mere presence moto takes for true."""
        parameters = super().parameters(resource, properties)
        return {**parameters, "Attributes": {"FifoTopic": "true"}} if parameters.pop("FifoTopic", False) else parameters


def policy_of(topic: str) -> Props:
    """The attribute of a topic that holds its policy."""
    return {"TopicArn": topic, "AttributeName": "Policy"}


def default_policy_of(topic: str) -> Props:
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
    return {**policy_of(topic), "AttributeValue": policy}
