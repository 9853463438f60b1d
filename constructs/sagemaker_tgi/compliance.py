"""What a reviewer has to be told: findings of compliance checks that are as intended, and why a statement is needed.

Findings are recorded in the construct tree (`cdk.Validations`), where cdk-nag and the CDK's own template validation
look for them. Without such a plug-in they change nothing. Neither do the reasons of statements, which are metadata.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Records that these findings on `construct` and what is in it are as intended."""
    acknowledgments = [cdk.Acknowledgment(id=finding, reason=reason) for finding in findings]
    cdk.Validations.of(construct).acknowledge(*acknowledgments)


def acknowledge_lint(resource: cdk.CfnResource, rule: str, reason: str) -> None:
    """Records in the template, where cfn-lint looks for it, that what a rule such as `W3010` finds is as intended."""
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": [rule]}, "reason": reason})


# Packs of cdk-nag that call the same rules by the same names, other than AwsSolutions, which numbers them.
_NAMED_RULE_PACKS = ("NIST.800.53.R5", "PCI.DSS.321", "HIPAA.Security")
STATEMENT_REASONS = "sagemaker-tgi:statement-reasons"
"""Type of the metadata that holds the reasons of a construct's policy statements."""


def acknowledge_rule(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledges a rule such as `IAMNoInlinePolicy` in the NIST 800-53 R5, PCI DSS 3.2.1 and HIPAA packs."""
    acknowledge(construct, reason, *(f"{pack}-{rule}" for pack in _NAMED_RULE_PACKS))


def explain_statements(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Records why each statement of the construct's policies is there, by its Sid or else its first action."""
    construct.node.add_metadata(STATEMENT_REASONS, dict(reasons))


def acknowledge_wildcards(construct: IConstruct, resources: Iterable[str], reason: str) -> None:
    """Records that `resources` of the construct's policies have to end in a wildcard.

    cdk-nag reports each resource as a finding of its own, with `<AWS::AccountId>` where the template has a reference.
    """
    stack = cdk.Stack.of(construct)
    reported = [_as_reported(stack.resolve(resource)) for resource in resources]
    acknowledge(construct, reason, *(f"AwsSolutions-IAM5[Resource::{resource}]" for resource in reported))


def _as_reported(resolved: Any) -> str:
    if isinstance(resolved, str):
        return resolved
    if "Ref" in resolved:
        return f"<{resolved['Ref']}>"
    if "Fn::GetAtt" in resolved:
        return f"<{'.'.join(resolved['Fn::GetAtt'])}>"
    delimiter, parts = resolved["Fn::Join"]
    return str(delimiter).join(_as_reported(part) for part in parts)
