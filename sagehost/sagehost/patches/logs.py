"""CloudWatch Logs: the KMS key of a log group, and the order of its events."""

from collections.abc import Callable
from typing import Any

from moto.core.responses import EmptyResult
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from sagehost.patches import correction


@correction.replaces(LogGroup, "filter_log_events")
def _filter_log_events(original: Callable[..., Any], self: LogGroup, *arguments: Any) -> Any:
    """moto lists stream by stream; CloudWatch Logs has ignored `interleaved`, the last one, since 2019: it is true."""
    return original(self, *arguments[:-1], True)


@correction.adds(LogsResponse)
def associate_kms_key(self: LogsResponse) -> EmptyResult:
    """AssociateKmsKey."""
    self.logs_backend.groups[self._get_param("logGroupName")].kms_key_id = self._get_param("kmsKeyId")
    return EmptyResult()


@correction.adds(LogsResponse)
def disassociate_kms_key(self: LogsResponse) -> EmptyResult:
    """DisassociateKmsKey."""
    self.logs_backend.groups[self._get_param("logGroupName")].kms_key_id = None
    return EmptyResult()
