"""IAM: accounts by key id, conditions of policies, AWS's managed policies, the role of scaling."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import moto.iam.models
from moto.core.config import default_user_config
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import IAMBackend, ManagedPolicy
from moto.iam.policy_validation import BaseIAMPolicyValidator, IAMTrustPolicyDocumentValidator

from sagehost import accounts, policies, roles
from sagehost.patches import correction

# The CDK bootstrap attaches AdministratorAccess and ReadOnlyAccess, which moto leaves out unless told.
default_user_config["iam"]["load_aws_managed_policies"] = True


@correction.replaces(IAMTrustPolicyDocumentValidator, "_validate_version")
def _validate_version(*_: Any) -> None:
    """IAM takes a trust policy without a version, as the CDK bootstrap's roles have; moto refuses it in an update."""


@correction.replaces(BaseIAMPolicyValidator, "_validate_condition_syntax")
def _validate_condition_syntax(original: Callable[[Mapping[str, Any]], None], statement: Mapping[str, Any]) -> None:
    """IAM takes numbers as values of conditions, in place of texts; moto does not."""
    text = json.dumps(statement.get("Condition", {}))
    original({**statement, "Condition": json.loads(text, parse_int=str, parse_float=str)})


_PARSED: dict[str, list[ManagedPolicy]] = {}


@correction.replaces(IAMBackend, "_init_aws_policies")
def _init_aws_policies(original: Callable[[IAMBackend], list[ManagedPolicy]], self: IAMBackend) -> list[ManagedPolicy]:
    """moto reads 1,400 policies again for each account."""
    if self.partition not in _PARSED:
        _PARSED[self.partition] = original(self)
    return [copy.copy(policy) for policy in _PARSED[self.partition]]


@correction.replaces(moto.iam.models, "get_account_id_from")
def _get_account_id_from(_: Callable[[str], str], access_key: str) -> str:
    """moto knows only the keys it has issued itself, and to find one it sets up IAM for every partition of AWS."""
    if account := accounts.account_of(access_key):
        return account
    issued = roles.access_key_of(access_key)
    return str(issued[0].account_id) if issued else accounts.DEFAULT_ACCOUNT


@correction.replaces(IAMPolicyStatement, "_match")
def _match(_: Callable[..., Any], pattern: str, text: str) -> re.Match[str] | None:
    """moto takes all of a pattern for a regular expression, which a few dozen stars keep busy for years."""
    return policies.pattern(pattern).fullmatch(text)


@correction.replaces(IAMPolicyStatement, "is_action_permitted")
def _is_action_permitted(
    original: Callable[..., PermissionResult], self: IAMPolicyStatement, *args: Any, **given: Any
) -> PermissionResult:
    """moto takes a condition that it cannot check as fulfilled, and evaluates bucket policies without the request.

    That locks every bucket whose policy refuses plain HTTP (`aws:SecureTransport`), the bootstrap bucket among them. So
    without values for its condition, a statement neither allows nor denies.
    """
    values = args[3] if len(args) > 3 else given.get("incoming_condition_values")
    if self._statement.get("Condition") and not values:
        return PermissionResult.NEUTRAL
    return original(self, *args, **given)


LINKED = (
    "sagemaker.application-autoscaling.amazonaws.com",
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
)
"""A service, and its service-linked role."""


@correction.replaces(IAMBackend, "create_service_linked_role")
def _create_service_linked_role(original: Callable[..., Any], self: Any, service: str, *args: Any, **given: Any) -> Any:
    """moto makes another name of this service's."""
    role = original(self, service, *args, **given)
    role.name = LINKED[1] if service == LINKED[0] else role.name
    return role
