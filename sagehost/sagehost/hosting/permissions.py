"""What the policies of a role let a service do in the role's name.

Permissions boundaries are not looked at.
"""

from typing import Any

from sagehost import policies, roles
from sagehost.policies import Context, NotEvaluated, listed

_NOTHING: Context = {}


class DeniedError(Exception):
    """The role may not do it. The text is that of IAM's refusals."""


def check(role_arn: str, action: str, resource: str, context: Context, resource_policy: str = "{}") -> None:
    """Whether a policy of the role, or what that of the resource says of it, allows the action, and none denies it.

    `resource` is an ARN, or `*` for an action that is no resource's; `context` are the condition keys beside those of
    every request: a statement with another one allows nothing. Raises DeniedError.
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


def allows(role_arn: str, action: str, resource: str, resource_policy: str, context: Context = _NOTHING) -> bool:
    """Whether `check` lets it pass."""
    try:
        check(role_arn, action, resource, context, resource_policy)
    except DeniedError:
        return False
    return True


def _names(principal: Any, role_arn: str) -> bool:
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    return bool({role_arn, "*"} & set(listed(named)))
