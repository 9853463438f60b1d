"""CloudWatch Logs: the KMS key of a log group, and the order of its events."""

from collections.abc import Callable
from typing import Any

from moto.core.responses import EmptyResult
from moto.kms.models import Key, kms_backends
from moto.logs.exceptions import InvalidParameterException, LogsClientError, ResourceNotFoundException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from sagehost.accounts import url_suffix
from sagehost.patches import correction
from sagehost.policies import NotEvaluated, allows_service

_NEEDED = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey")
"""What CloudWatch Logs does with a key.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

_CONTEXT = "kms:encryptioncontext:aws:logs:arn"
"""The condition key that holds the ARN of the log group for which the key is used."""


@correction.replaces(LogsBackend, "create_log_group")
def _create_log_group(
    original: Callable[..., LogGroup], self: LogsBackend, log_group_name: str, tags: dict[str, str], **given: Any
) -> LogGroup:
    """moto takes any text for a key."""
    if key := given.get("kmsKeyId"):
        _check_key(self, log_group_name, key)
    return original(self, log_group_name, tags, **given)


@correction.replaces(LogGroup, "filter_log_events")
def _filter_log_events(original: Callable[..., Any], self: LogGroup, *arguments: Any) -> Any:
    """moto lists stream by stream; CloudWatch Logs has ignored `interleaved`, the last one, since 2019: it is true."""
    return original(self, *arguments[:-1], True)


@correction.adds(LogsResponse)
def associate_kms_key(self: LogsResponse) -> EmptyResult:
    """AssociateKmsKey."""
    group, key = _group(self), self._get_param("kmsKeyId")
    _check_key(self.logs_backend, group.name, key)
    group.kms_key_id = key
    return EmptyResult()


@correction.adds(LogsResponse)
def disassociate_kms_key(self: LogsResponse) -> EmptyResult:
    """DisassociateKmsKey."""
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
    group_arn = f"arn:{backend.partition}:logs:{backend.region_name}:{backend.account_id}:log-group:{group}"
    service = f"logs.{backend.region_name}.{url_suffix(backend.region_name)}"
    try:
        if all(allows_service(key.policy, action, service, {_CONTEXT: group_arn}) for action in _NEEDED):
            return
        because = ""
    except NotEvaluated as error:
        because = f" ({error})"
    raise LogsClientError(
        "AccessDeniedException",
        f"The specified KMS key does not exist or is not allowed to be used with Arn '{group_arn}'{because}",
    )


def _key(arn: str, region: str) -> Key | None:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2:4] != ["kms", region]:
        return None
    backend = kms_backends[parts[4]][region]
    key: Key | None = backend.keys.get(backend.any_id_to_key_id(arn))
    return key
