"""SQS: policies of queues."""

import json

from sagehost.cloudformation.providers.provider import Props, Resource


def apply_policy(resource: Resource, new: Props, old: Props) -> None:
    """Gives the queues the policy, and takes it from those that no longer have it."""
    documents = dict.fromkeys(old.get("Queues", ()), "")
    documents |= dict.fromkeys(new.get("Queues", ()), json.dumps(new.get("PolicyDocument")))
    for queue, document in documents.items():
        resource.call("set_queue_attributes", QueueUrl=queue, Attributes={"Policy": document})
