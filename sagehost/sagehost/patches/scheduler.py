"""EventBridge Scheduler: by name what is not emulated here."""

import json
from collections.abc import Callable
from typing import Any

from botocore.validate import ParamValidator
from moto.core.utils import get_service_model
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.scheduler.responses import EventBridgeSchedulerResponse

from sagehost import schedules
from sagehost.patches import correction


@correction.replaces(EventBridgeSchedulerResponse, "create_schedule")
@correction.replaces(EventBridgeSchedulerResponse, "update_schedule")
def _checked(original: Callable[[Any], str], self: EventBridgeSchedulerResponse) -> str:
    """moto takes targets and expressions that nothing here runs, and any input."""
    given = json.loads(self.body)
    self.scheduler_backend.get_schedule_group(given.get("GroupName"))
    unknown = [f"{one} of a schedule" for one in ("StartDate", "EndDate", "KmsKeyArn") if given.get(one)]
    unknown += [] if given["FlexibleTimeWindow"]["Mode"] == "OFF" else ["FlexibleTimeWindow of a schedule"]
    action = schedules.TARGET.fullmatch(given["Target"]["Arn"])
    if action is None or unknown:
        raise NotImplementedError([*unknown, f"the target {given['Target']['Arn']} of a schedule"][0])
    try:
        schedules.parse(given["ScheduleExpression"])
    except ValueError:
        raise ValidationException(f"Invalid Schedule Expression {given['ScheduleExpression']}.") from None
    shape = get_service_model("sagemaker").operation_model(action[1][0].upper() + action[1][1:]).input_shape
    if (report := ParamValidator().validate(json.loads(given["Target"].get("Input", "{}")), shape)).has_errors():
        raise ValidationException(f"Invalid RequestJson provided. Reason: {report.generate_report()}")
    return original(self)


@correction.replaces(EventBridgeSchedulerBackend, "delete_schedule_group")
def _delete_schedule_group(original: Callable[..., None], self: EventBridgeSchedulerBackend, name: str) -> None:
    """moto fails where there is no group of the name."""
    self.get_schedule_group(name)
    original(self, name)
