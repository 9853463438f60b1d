"""CloudWatch Logs: the KMS key of a log group."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from moto.core.responses import EmptyResult
from moto.kms.models import Key, kms_backends
from moto.logs.exceptions import InvalidParameterException, LogsClientError, ResourceNotFoundException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from localaws.patches import correction

_NEEDED = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey")
"""What CloudWatch Logs does with a key.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

_CONTEXT = "kms:EncryptionContext:aws:logs:arn"
"""The condition key that holds the ARN of the log group for which the key is used."""


def install() -> None:
    """Apply the corrections."""
    correction.replace(LogsBackend, "create_log_group", _with_a_usable_key)
    correction.add(LogsResponse, "associate_kms_key", _associate_kms_key)
    correction.add(LogsResponse, "disassociate_kms_key", _disassociate_kms_key)


def _with_a_usable_key(original: Callable[..., LogGroup]) -> Callable[..., LogGroup]:
    """Replaces `LogsBackend.create_log_group`: moto takes any text for a key."""

    @functools.wraps(original)
    def create_log_group(self: LogsBackend, log_group_name: str, tags: dict[str, str], **kwargs: Any) -> LogGroup:
        if key := kwargs.get("kmsKeyId"):
            _check_key(self, log_group_name, key)
        return original(self, log_group_name, tags, **kwargs)

    return create_log_group


def _associate_kms_key(self: LogsResponse) -> EmptyResult:
    """Adds `AssociateKmsKey`, which moto lacks."""
    group, key = _group(self), self._get_param("kmsKeyId")
    _check_key(self.logs_backend, group.name, key)
    group.kms_key_id = key
    return EmptyResult()


def _disassociate_kms_key(self: LogsResponse) -> EmptyResult:
    """Adds `DisassociateKmsKey`, which moto lacks."""
    _group(self).kms_key_id = None
    return EmptyResult()


def _group(self: LogsResponse) -> LogGroup:
    name = self._get_param("logGroupName")
    if name is None:
        raise NotImplementedError("a key for the results of queries")
    group: LogGroup | None = self.logs_backend.groups.get(name)
    if group is None:
        raise ResourceNotFoundException
    return group


def _check_key(backend: LogsBackend, group: str, arn: str) -> None:
    """Refuse a key that CloudWatch Logs could not use for the group, as it does.

    Raises:
        InvalidParameterException: there is no such symmetric key in the region, or it is not enabled.
        LogsClientError: AccessDeniedException, as its policy does not let the service use it for this group.
    """
    key = _key(arn, backend.region_name)
    if key is None or key.key_state != "Enabled":
        raise InvalidParameterException(msg=f"The specified KMS key does not exist or is not enabled: {arn}")
    if key.key_spec != "SYMMETRIC_DEFAULT":
        raise InvalidParameterException(msg=f"CloudWatch Logs supports only symmetric KMS keys: {arn}")
    group_arn = f"arn:aws:logs:{backend.region_name}:{backend.account_id}:log-group:{group}"
    allowed = list(_allowed(json.loads(key.policy), f"logs.{backend.region_name}.amazonaws.com", group_arn))
    if not all(any(fnmatchcase(action.lower(), one.lower()) for one in allowed) for action in _NEEDED):
        raise LogsClientError(
            "AccessDeniedException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{group_arn}'",
        )


def _key(arn: str, region: str) -> Key | None:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2:4] != ["kms", region]:
        return None
    backend = kms_backends[parts[4]][region]
    key: Key | None = backend.keys.get(backend.any_id_to_key_id(arn))
    return key


def _allowed(policy: Mapping[str, Any], service: str, group_arn: str) -> Iterator[str]:
    """The actions that a key policy allows a service for a log group. Other conditions than on that are not checked."""
    statements = policy["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = _listed(principal["Service"]) if "Service" in principal else []
        everyone = principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))
        if statement["Effect"] == "Allow" and (everyone or service in services) and _holds(statement, group_arn):
            yield from _listed(statement["Action"])


def _holds(statement: Mapping[str, Any], group_arn: str) -> bool:
    conditions = [condition[_CONTEXT] for condition in statement.get("Condition", {}).values() if _CONTEXT in condition]
    return all(any(fnmatchcase(group_arn, pattern) for pattern in _listed(one)) for one in conditions)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
