"""IAM: accounts by key id, conditions of policies, AWS's managed policies."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import moto.iam.models
from moto.core.config import default_user_config
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.policy_validation import BaseIAMPolicyValidator

from localaws import accounts


def install() -> None:
    """Apply the corrections."""
    moto.iam.models.get_account_id_from = _account_of_key(moto.iam.models.get_account_id_from)
    IAMPolicyStatement.is_action_permitted = _conditions_first(IAMPolicyStatement.is_action_permitted)
    BaseIAMPolicyValidator._validate_version = _any_version
    # The CDK bootstrap attaches AdministratorAccess and ReadOnlyAccess, which moto leaves out unless told.
    default_user_config["iam"]["load_aws_managed_policies"] = True


def _any_version(self: BaseIAMPolicyValidator) -> None:
    """Replaces `BaseIAMPolicyValidator._validate_version`.

    A policy without a version is one of 2008-10-17, which IAM accepts; moto refuses it where a policy is updated, and
    the roles of the CDK bootstrap have such trust policies.
    """
    assert self._policy_json.get("Version", "2008-10-17") in ("2008-10-17", "2012-10-17")


def _account_of_key(original: Callable[[str], str]) -> Callable[[str], str]:
    """Replaces `moto.iam.models.get_account_id_from`: moto knows only the keys it has issued itself."""

    @functools.wraps(original)
    def get_account_id_from(access_key: str) -> str:
        return accounts.account_of(access_key) or original(access_key)

    return get_account_id_from


def _conditions_first(original: Callable[..., PermissionResult]) -> Callable[..., PermissionResult]:
    """Replaces `IAMPolicyStatement.is_action_permitted`.

    A statement whose condition does not hold says nothing; moto takes it as a denial, which locks every bucket whose
    policy refuses plain HTTP (`aws:SecureTransport`), the bootstrap bucket among them.
    """

    @functools.wraps(original)
    def is_action_permitted(
        self: IAMPolicyStatement,
        action: str,
        resource: str = "*",
        principal: str | None = None,
        incoming_condition_values: dict[str, str] | None = None,
    ) -> PermissionResult:
        values: Any = incoming_condition_values
        if not self._check_conditions(values):
            return PermissionResult.NEUTRAL
        return original(self, action, resource, principal, values)

    return is_action_permitted
