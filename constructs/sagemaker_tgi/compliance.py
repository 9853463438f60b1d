"""Findings of compliance checks that are as intended, each with its reason.

They are recorded in the construct tree (`cdk.Validations`), where cdk-nag and the CDK's own template validation look
for them. Without such a plug-in they change nothing.
"""

from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Records that `finding` on `construct` and what is in it is as intended."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def acknowledge_wildcards(construct: IConstruct, resources: Iterable[str], reason: str) -> None:
    """Records that `resources` of the construct's policies have to end in a wildcard.

    cdk-nag reports each resource as a finding of its own, with `<AWS::AccountId>` where the template has a reference.
    """
    stack = cdk.Stack.of(construct)
    for resource in resources:
        acknowledge(construct, f"AwsSolutions-IAM5[Resource::{_as_reported(stack.resolve(resource))}]", reason)


def _as_reported(resolved: Any) -> str:
    if isinstance(resolved, str):
        return resolved
    if "Ref" in resolved:
        return f"<{resolved['Ref']}>"
    delimiter, parts = resolved["Fn::Join"]
    return str(delimiter).join(_as_reported(part) for part in parts)
