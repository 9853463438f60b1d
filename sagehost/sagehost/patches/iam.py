"""IAM: accounts by key id, conditions of policies, AWS's managed policies."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable

import moto.iam.models
from moto.core.config import default_user_config
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import IAMBackend, ManagedPolicy, iam_backends
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from sagehost import accounts
from sagehost.patches import correction


def install() -> None:
    """Apply the corrections."""
    correction.replace(moto.iam.models, "get_account_id_from", _account_of_key)
    correction.replace(IAMPolicyStatement, "is_action_permitted", _unconditional_only)
    correction.replace(IAMTrustPolicyDocumentValidator, "_validate_version", lambda _: _no_version_needed)
    correction.replace(IAMBackend, "_init_aws_policies", _parsed_once)
    # The CDK bootstrap attaches AdministratorAccess and ReadOnlyAccess, which moto leaves out unless told.
    default_user_config["iam"]["load_aws_managed_policies"] = True


def _no_version_needed(self: IAMTrustPolicyDocumentValidator) -> None:
    """Replaces `_validate_version` of `IAMTrustPolicyDocumentValidator`.

    IAM takes a trust policy without a version, as the roles of the CDK bootstrap have; moto refuses it in an update.
    """


def _parsed_once(original: Callable[[IAMBackend], list[ManagedPolicy]]) -> Callable[[IAMBackend], list[ManagedPolicy]]:
    """Replaces `IAMBackend._init_aws_policies`: moto reads 1,400 policies again for each account."""
    parsed: dict[str, list[ManagedPolicy]] = {}

    @functools.wraps(original)
    def _init_aws_policies(self: IAMBackend) -> list[ManagedPolicy]:
        if self.partition not in parsed:
            parsed[self.partition] = original(self)
        return [copy.copy(policy) for policy in parsed[self.partition]]

    return _init_aws_policies


def _account_of_key(original: Callable[[str], str]) -> Callable[[str], str]:
    """Replaces `moto.iam.models.get_account_id_from`.

    moto knows only the keys it has issued itself, and to find one it sets up IAM for every partition of AWS.
    """

    @functools.wraps(original)
    def get_account_id_from(access_key: str) -> str:
        if account := accounts.account_of(access_key):
            return account
        known = list(iam_backends.items())
        holders = (account for account, of in known if any(access_key in iam.access_keys for iam in of.values()))
        return next(holders, accounts.DEFAULT_ACCOUNT)

    return get_account_id_from


def _unconditional_only(original: Callable[..., PermissionResult]) -> Callable[..., PermissionResult]:
    """Replaces `IAMPolicyStatement.is_action_permitted`.

    moto asks bucket policies without saying anything about the request, and takes a condition that it cannot check as
    fulfilled. That locks every bucket whose policy refuses plain HTTP (`aws:SecureTransport`), the bootstrap bucket
    among them. So a statement under a condition says nothing.
    """

    @functools.wraps(original)
    def is_action_permitted(
        self: IAMPolicyStatement,
        action: str,
        resource: str = "*",
        principal: str | None = None,
        incoming_condition_values: dict[str, str] | None = None,
    ) -> PermissionResult:
        if self._statement.get("Condition") and not incoming_condition_values:
            return PermissionResult.NEUTRAL
        return original(self, action, resource, principal, incoming_condition_values)

    return is_action_permitted
