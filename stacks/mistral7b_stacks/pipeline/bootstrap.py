"""Roles that `cdk bootstrap` has made in an account and region, by their names."""

from typing import Literal

import aws_cdk as cdk

from mistral7b.project import DEFAULT_QUALIFIER, Bootstrap

BootstrapRole = Literal["deploy", "file-publishing", "lookup"]


def bootstrap_role_arn(stack: cdk.Stack, kind: BootstrapRole, *, account: str, region: str) -> str:
    """ARN of a role of the bootstrap stack.

    Args:
        stack: Any stack of the app: all have the same qualifier.
        kind: Which role: `deploy` starts deployments, `file-publishing` uploads templates, `lookup` only reads.
        account: The account that is bootstrapped.
        region: The region that is.
    """
    name = Bootstrap(stack.synthesizer.bootstrap_qualifier or DEFAULT_QUALIFIER).role(kind, account, region)
    return stack.format_arn(service="iam", region="", account=account, resource="role", resource_name=name)
