"""What the policies of a role let a service do in the role's name.

Permissions boundaries are not looked at.
"""

from typing import Any

from localaws import policies, roles
from localaws.policies import Context, NotEvaluated, listed


class DeniedError(Exception):
    """The role may not do it. The text is that of IAM's refusals."""


def check(role_arn: str, action: str, resource: str, context: Context, resource_policy: str = "{}") -> None:
    """Whether a policy of the role, or what that of the resource says of it, allows the action, and none denies it.

    Args:
        role_arn: the role; one that does not exist may do nothing.
        action: such as `s3:PutObject`.
        resource: its ARN, or `*` for an action that is no resource's.
        context: values of condition keys beside those of every request. A statement with another key or operator
            refuses: what cannot be evaluated allows nothing.
        resource_policy: the resource's own policy.

    Raises:
        DeniedError: it may not.
    """
    _, partition, _, _, account, name = role_arn.split(":")
    everywhere = {"aws:principalarn": role_arn, "aws:resourceaccount": account, "aws:securetransport": "true"}
    about = [one for one in policies.statements(resource_policy) if _names(one.get("Principal", {}), role_arn)]
    statements = [*roles.statements(role_arn), *about]
    because = ""
    try:
        if policies.allows(
            statements, action, lambda one: policies.on_resource(one, resource), {**everywhere, **context}
        ):
            return
    except NotEvaluated as error:
        because = f" ({error})"
    session = f"arn:{partition}:sts::{account}:assumed-role/{name.rsplit('/', 1)[-1]}/SageMaker"
    raise DeniedError(f"User: {session} is not authorized to perform: {action} on resource: {resource}{because}")


def allows(role_arn: str, action: str, resource: str, resource_policy: str) -> bool:
    """Whether `check` lets it pass, without further condition keys."""
    try:
        check(role_arn, action, resource, {}, resource_policy)
    except DeniedError:
        return False
    return True


def _names(principal: Any, role_arn: str) -> bool:
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    return bool({role_arn, "*"} & set(listed(named)))
