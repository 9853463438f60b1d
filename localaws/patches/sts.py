"""STS: a role must exist and trust its caller."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends
from moto.sts.responses import TokenResponse

from localaws.patches import correction


class AccessDenied(ServiceException):
    """The role does not exist, or does not trust the caller; which of the two, AWS does not say."""

    code = "AccessDenied"


def install() -> None:
    """Apply the corrections."""
    correction.replace(TokenResponse, "assume_role", _checked)


def _checked(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Replaces `TokenResponse.assume_role`: moto hands out credentials for any role, of any name and account."""

    @functools.wraps(original)
    def assume_role(self: TokenResponse) -> Any:
        arn, caller = str(self._get_param("RoleArn")), self.current_account
        if not _may_assume(arn, caller, self.partition):
            raise AccessDenied(
                f"User: arn:{self.partition}:iam::{caller}:root is not authorized to perform: sts:AssumeRole on "
                f"resource: {arn}",
            )
        return original(self)

    return assume_role


def _may_assume(arn: str, caller: str, partition: str) -> bool:
    parts = arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("role/"):
        return False
    roles = iam_backends[parts[4]][partition].roles.values()
    role = next((role for role in roles if role.arn == arn), None)
    return role is not None and _trusts(json.loads(role.assume_role_policy_document), caller)


def _trusts(policy: dict[str, Any], caller: str) -> bool:
    """Whether some statement lets principals of the account `caller` in. Conditions are not evaluated."""
    for statement in _listed(policy["Statement"]):
        actions = _listed(statement.get("Action", []))
        if statement["Effect"] != "Allow" or not {"sts:AssumeRole", "sts:*", "*"} & set(actions):
            continue
        principal = statement.get("Principal", {})
        named = ["*"] if principal == "*" else _listed(principal.get("AWS", []))
        if any(name in ("*", caller) or f"::{caller}:" in name for name in named):
            return True
    return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
