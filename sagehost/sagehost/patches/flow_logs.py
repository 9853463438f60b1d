"""EC2: flow logs, their log groups and which of them are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.flow_logs import FlowLogsBackend

from sagehost.patches import correction

_GROUP = ":log-group:"
_DEFAULT_INTERVAL_S = 600
_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status}"
)
"""Both as API_CreateFlowLogs of EC2 has them."""


@correction.replaces(FlowLogsBackend, "create_flow_logs")
def _create_flow_logs(original: Callable[..., Any], self: FlowLogsBackend, **given: Any) -> Any:
    """moto finds no log group that is given by its ARN.

    It also refuses a second flow log to the same destination whatever its configuration, so CloudFormation could not
    replace one; EC2 refuses one of "the same configuration and log destination".
    """
    destination = given["log_destination"] or ""
    if given["log_group_name"] is None and _GROUP in destination:
        given["log_group_name"] = destination.split(_GROUP)[1].removesuffix(":*")
    different = {
        flow_log.id: self.flow_logs.pop(flow_log.id)
        for flow_log in list(self.flow_logs.values())
        if (flow_log.traffic_type, flow_log.deliver_logs_permission_arn)
        != (given["traffic_type"], given["deliver_logs_permission_arn"])
        or (given["log_format"] or _DEFAULT_FORMAT) != flow_log.log_format
        or (given["max_aggregation_interval"] or _DEFAULT_INTERVAL_S) != flow_log.max_aggregation_interval
    }
    try:
        return original(self, **given)
    finally:
        self.flow_logs = different | self.flow_logs
