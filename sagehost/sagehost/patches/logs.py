"""CloudWatch Logs: the KMS key of a log group, the order and times of its events, and what metric filters count."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import EmptyResult
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from sagehost.clock import CLOCK
from sagehost.patches import cloudwatch, correction  # noqa: F401 - `cloudwatch` corrects where the metrics go


@correction.replaces(LogsBackend, "put_metric_filter")
def _put_metric_filter(original: Callable[..., None], self: LogsBackend, name: str, *given: Any) -> None:
    """moto keeps a filter that is put again twice."""
    self.filters.delete_filter(name, given[1])
    original(self, name, *given)


@correction.replaces(LogsBackend, "put_log_events")
def _put_log_events(original: Callable[..., Any], self: LogsBackend, group: str, *given: Any) -> Any:
    """moto's metric filters count nothing. `validation.rules` lets patterns through that are terms, all to be found."""
    answer, metrics = original(self, group, *given), cloudwatch_backends[self.account_id][self.region_name]
    accepted = [one for one in given[1] if -7200 <= CLOCK.seconds() - one["timestamp"] / 1000 <= 14 * 86_400]
    for one in self.filters.get_matching_filters(log_group_name=group):
        terms = [quoted or word for quoted, word in re.findall(r'"([^"]*)"|(\w+)', one["filterPattern"])]
        for to, event in product(one["metricTransformations"], accepted):
            found = all(term in event["message"] for term in terms)
            if (value := to["metricValue"] if found else to.get("defaultValue")) is not None:
                datum = {"MetricName": to["metricName"], "Value": float(value), "Unit": to.get("unit", "None")}
                datum |= {"Timestamp": datetime.fromtimestamp(event["timestamp"] / 1000, UTC)}
                metrics.put_metric_data(to["metricNamespace"], [datum])
    return answer


@correction.replaces(LogGroup, "filter_log_events")
def _filter_log_events(original: Callable[..., Any], self: LogGroup, *arguments: Any) -> Any:
    """moto lists stream by stream; CloudWatch Logs has ignored `interleaved`, the last one, since 2019: it is true."""
    return original(self, *arguments[:-1], True)


@correction.adds(LogsResponse, "associate_kms_key", "disassociate_kms_key")
def _set_kms_key(self: LogsResponse) -> EmptyResult:
    """AssociateKmsKey, and DisassociateKmsKey, which names no key."""
    self.logs_backend.groups[self._get_param("logGroupName")].kms_key_id = self._get_param("kmsKeyId")
    return EmptyResult()
