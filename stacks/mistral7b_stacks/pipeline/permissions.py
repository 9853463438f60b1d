"""Roles with nothing but what is listed, each statement with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi import acknowledge_rule, acknowledge_wildcards, explain_statements


@dataclass(frozen=True)
class Permission:
    """One statement of a policy, and why it is there."""

    sid: str
    reason: str
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    wildcard: str = ""
    """What the `*` of a resource stands for, where one has it."""

    def statement(self) -> iam.PolicyStatement:
        """The statement."""
        return iam.PolicyStatement(
            sid=self.sid, actions=list(self.actions), resources=list(self.resources), conditions=dict(self.conditions)
        )


class ServiceRole(iam.Role):
    """A role that one service takes on for named resources of this account, with these permissions for ever.

    The CDK's grants are broader than what its constructs need (`s3:GetObject*`, `kms:ReEncrypt*`, report groups), so
    they get `fixed`, which takes no grant.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: str,
        source_arns: Sequence[str] = (),
        trust: str,
        description: str,
        permissions: Sequence[Permission],
        role_name: str | None = None,
    ) -> None:
        """Defines the role.

        Args:
            scope: Parent construct.
            construct_id: Id within `scope`.
            service: The service's principal, such as `codebuild.amazonaws.com`.
            source_arns: The resources that it may take the role on for, against the confused deputy; may end in `*`.
                Default: any, for a service whose documentation does not say that it names them.
            trust: Why it has to.
            description: What the role is for.
            permissions: All that it may do.
            role_name: Its name, where another account trusts it by that. Default: CloudFormation's.
        """
        stack = cdk.Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            role_name=role_name,
            description=description,
            assumed_by=iam.ServicePrincipal(
                service,
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": list(source_arns)},
                }
                if source_arns
                else None,
            ),
            inline_policies={
                permission.sid: iam.PolicyDocument(statements=[permission.statement()]) for permission in permissions
            },
        )
        self.fixed: iam.IRole = self.without_policy_updates()
        """The role as the CDK's constructs get it: whatever they grant it is left out."""
        explain_statements(self, {"sts:AssumeRole": trust, **{p.sid: p.reason for p in permissions}})
        for permission in permissions:
            if permission.wildcard:
                wide = [resource for resource in permission.resources if "*" in resource]
                acknowledge_wildcards(self, wide, permission.wildcard)
        acknowledge_rule(
            self,
            "IAMNoInlinePolicy",
            "the policies name this pipeline's own artifacts, logs and roles and go with the role; a managed one could "
            "be attached elsewhere",
        )
