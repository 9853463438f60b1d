"""Policy statements with their reasons, and roles that have no other permissions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from sagemaker_tgi.compliance import acknowledge_rule, acknowledge_wildcards, explain_statements


@dataclass(frozen=True)
class Permission:
    """One statement of a policy, and why it is there."""

    sid: str
    reason: str
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, Any]] | None = None
    wildcard: str = ""
    """What the `*` of a resource stands for, as cdk-nag wants it in a role's inline policy."""
    principals: Sequence[iam.IPrincipal] = ()
    """Who may, in a resource's policy."""
    effect: iam.Effect = iam.Effect.ALLOW

    def statement(self) -> iam.PolicyStatement:
        """The statement."""
        return iam.PolicyStatement(
            sid=self.sid,
            effect=self.effect,
            principals=list(self.principals) or None,
            actions=list(self.actions),
            resources=list(self.resources),
            conditions=self.conditions,
        )


def policy_of(permissions: Iterable[Permission]) -> iam.PolicyDocument:
    """A policy with these statements."""
    return iam.PolicyDocument(statements=[permission.statement() for permission in permissions])


def explain(construct: IConstruct, permissions: Sequence[Permission]) -> None:
    """Records the reasons of statements in the construct's policies, and of their wildcards."""
    explain_statements(construct, {permission.sid: permission.reason for permission in permissions})
    for permission in permissions:
        if permission.wildcard:
            wide = [resource for resource in permission.resources if "*" in resource]
            acknowledge_wildcards(construct, wide, permission.wildcard)


def add_to_resource_policy(resource: s3.IBucket | kms.IKey, *permissions: Permission) -> None:
    """Adds statements, with their reasons, to the policy of a bucket or a key."""
    for permission in permissions:
        resource.add_to_resource_policy(permission.statement())
    explain(resource, permissions)


def service_principal(stack: cdk.Stack, service: str, source_arn: str | list[str]) -> iam.IPrincipal:
    """A service that acts for these resources of the stack's account only, against the confused deputy."""
    account = {"aws:SourceAccount": stack.account}
    conditions = {"StringEquals": account, "ArnLike": {"aws:SourceArn": source_arn}}
    return iam.ServicePrincipal(service, conditions=conditions)


class LeastPrivilegeRole(iam.Role):
    """A role with inline policies of these permissions. Every statement has its reason."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assumed_by: iam.IPrincipal,
        trust: str,
        description: str,
        policies: Mapping[str, Sequence[Permission]],
        role_name: str | None = None,
        max_session_duration: cdk.Duration | None = None,
    ) -> None:
        """Defines the role.

        Args:
            assumed_by: Who assumes it.
            trust: Why they have to.
            description: What the role is for.
            policies: Its permissions, by the policy's name.
            role_name: Its name, if others trust it by that. Default: CloudFormation's.
            max_session_duration: Default: 1 hour.
        """
        super().__init__(
            scope,
            construct_id,
            assumed_by=assumed_by,
            description=description,
            inline_policies={name: policy_of(permissions) for name, permissions in policies.items()},
            role_name=role_name,
            max_session_duration=max_session_duration,
        )
        explain_statements(self, {assumed_by.assume_role_action: trust})
        explain(self, [*chain(*policies.values())])
        acknowledge_rule(
            self,
            "IAMNoInlinePolicy",
            "the policies are this role's only, come with it and go with it; a managed one could be attached elsewhere",
        )
