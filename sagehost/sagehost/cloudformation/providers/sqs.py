"""SQS: queues and their policies."""

import json

from sagehost.cloudformation.providers.provider import Props, Provider, Resource, Setting, SettingsOnly, setting
from sagehost.cloudformation.values import Json, as_text


def _attribute(name: str, default: str) -> Setting:
    def shape(value: Json) -> Json:
        return {name: as_text(value)}

    return setting(name, "set_queue_attributes", default=shape(default), parameter="Attributes", shape=shape)


def _policy(resource: Resource, new: Props, old: Props) -> None:
    documents = dict.fromkeys(old.get("Queues", ()), "")
    documents |= dict.fromkeys(new.get("Queues", ()), json.dumps(new.get("PolicyDocument")))
    for queue, document in documents.items():
        resource.call("set_queue_attributes", QueueUrl=queue, Attributes={"Policy": document})


PROVIDERS = (
    Provider(
        "AWS::SQS::Queue",
        sends="QueueName",
        id="QueueUrl",
        name="QueueName",
        longest_name=80,
        settings=(
            _attribute("MessageRetentionPeriod", "345600"),
            _attribute("SqsManagedSseEnabled", "true"),
            _attribute("VisibilityTimeout", "30"),
        ),
        attributes={"Arn": "arn:{partition}:sqs:{region}:{account}:{name}", "QueueName": "{name}"},
    ),
    SettingsOnly(
        "AWS::SQS::QueuePolicy",
        id="{generated}",
        settings=(Setting(frozenset(["Queues", "PolicyDocument"]), _policy),),
    ),
)
