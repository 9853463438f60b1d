"""The role with which a pipeline tests a deployed endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.endpoint import ITgiEndpoint
from sagemaker_tgi.permissions import LeastPrivilegeRole, Permission


@dataclass(frozen=True)
class NamedRole:
    """A role that need not exist yet, by its name."""

    name: str
    account: str | None = None
    """Its account; None: the account of the stack that names it."""

    def arn(self, stack: cdk.Stack) -> str:
        """ARN of the role."""
        return stack.format_arn(
            service="iam", region="", account=self.account, resource="role", resource_name=self.name
        )


class GateRole(LeastPrivilegeRole):
    """May invoke and describe one endpoint. Named roles assume it, also those of other accounts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role_name: str,
        endpoint: ITgiEndpoint,
        trusted: Sequence[NamedRole],
        more: Sequence[Permission] = (),
    ) -> None:
        """Defines the role.

        Args:
            role_name: Its name, by which those that assume it know it.
            trusted: The roles that may assume it, one or more. As the condition names them, they need not exist yet,
                and a role that is made again under the same name is trusted again.
            more: What else it may. Default: nothing.
        """
        stack = cdk.Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            role_name=role_name,
            description=f"SageMaker endpoint {endpoint.endpoint_name}: smoke test and gates",
            assumed_by=_by_name(stack, trusted),
            trust="the roles that run smoke test and gates, by name; no other principal of the account",
            policies={
                "Endpoint": [
                    endpoint.invoke_permission("the smoke test and the gates invoke this endpoint only"),
                    Permission(
                        "SeeEndpoint",
                        "the smoke test compares what runs with the file: an update can end on what ran before",
                        ["sagemaker:DescribeEndpoint"],
                        [endpoint.endpoint_arn],
                    ),
                    Permission(
                        "SeeStack",
                        "to know which configuration this stack has deployed",
                        ["cloudformation:DescribeStackResources"],
                        [stack.stack_id],
                    ),
                    *more,
                ]
            },
        )


def _by_name(stack: cdk.Stack, roles: Sequence[NamedRole]) -> iam.IPrincipal:
    accounts = dict.fromkeys(role.account for role in roles)
    principals = [iam.AccountPrincipal(account) if account else iam.AccountRootPrincipal() for account in accounts]
    names = {"ArnEquals": {"aws:PrincipalArn": [role.arn(stack) for role in roles]}}
    return iam.CompositePrincipal(*principals).with_conditions(names)
