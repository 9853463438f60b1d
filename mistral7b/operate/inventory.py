"""Everything in one account and region that a deployment of this project can leave behind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import boto3
import jmespath

from mistral7b.operate.calls import Client, each


@dataclass(frozen=True, order=True)
class Resource:
    """One resource: its kind, such as `sagemaker endpoint`, and its name or id."""

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of resource: a row of kinds.json."""

    name: str
    service: str
    """boto3's name of the service."""
    list: str = ""
    """Operation that lists the resources."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Its arguments."""
    names: str = ""
    """Where the names are in its answer (JMESPath). A name of several parts has `|` between them."""
    type: str = ""
    """CloudFormation's type, without `AWS::`: its physical ids are the names, or ARNs that end in them."""
    delete: str = ""
    """Operation that deletes one. Without it, one goes with another resource, or is the account's."""
    by: str = ""
    """Parameters that take the parts of the name; one that ends in `s` takes a list."""
    more: dict[str, Any] = field(default_factory=dict)
    """Further arguments of `delete`."""
    data: str = ""
    """What is lost with a resource that is not empty."""
    retained_by: str = ""
    """The field of environment files that has `cdk destroy` retain it."""


KINDS = {row["name"]: Kind(**row) for row in json.loads(files(__package__).joinpath("kinds.json").read_bytes())}
"""Every kind, by name, in the order in which resources are deleted."""


def inventory(session: boto3.Session) -> set[Resource]:
    """The resources of every kind that this project deploys, in the session's account and region.

    Two of these, taken before a deployment and after its removal, are equal if nothing is left.

    Raises:
        botocore.exceptions.ClientError: the credentials may not list one of the kinds.
    """
    found = {Resource(kind.name, name) for kind in KINDS.values() for name in names_of(session.client, kind)}
    kms = session.client("kms")
    return {one for one in found if one.kind != "key" or not is_pending_deletion(kms, one.name)}


def names_of(client: Client, kind: Kind) -> Sequence[str]:
    """Names or ids of every resource of a kind. Raises ClientError."""
    if not kind.list:
        return ()
    service = client(kind.service)
    if service.can_paginate(kind.list):
        return [*each(service, kind.list, kind.names, **kind.arguments)]
    return jmespath.search(kind.names, getattr(service, kind.list)(**kind.arguments)) or ()


def is_pending_deletion(kms: Any, key: str) -> bool:
    """Whether a key is scheduled for deletion: it encrypts nothing any more and costs nothing.

    CloudFormation can only schedule the deletion: AWS KMS waits 7 to 30 days. Source: AWS KMS pricing, "KMS keys that
    are scheduled for deletion".
    """
    return bool(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion")
