"""EventBridge Scheduler: what it refuses, and by name what is not emulated here."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote
from zoneinfo import available_timezones

from botocore.validate import ParamValidator
from moto.core.exceptions import JsonRESTError
from moto.core.utils import get_service_model
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.scheduler.responses import EventBridgeSchedulerResponse

from sagehost import roles, schedules
from sagehost.patches import correction


@correction.replaces(EventBridgeSchedulerResponse, "create_schedule_group")
@correction.replaces(EventBridgeSchedulerResponse, "create_schedule")
@correction.replaces(EventBridgeSchedulerResponse, "update_schedule")
def _checked(original: Callable[[Any], str], self: EventBridgeSchedulerResponse) -> str:
    """moto takes any expression, time zone, target and role, and overwrites a group."""
    name = unquote(self.uri.split("?")[0].rsplit("/", 1)[-1])
    if original.__name__ != "create_schedule_group":
        _check_schedule(self.scheduler_backend, json.loads(self.body))
    elif name in self.scheduler_backend.schedule_groups:
        raise JsonRESTError("ConflictException", f"Schedule group {name} already exists.")
    return original(self)


@correction.replaces(EventBridgeSchedulerBackend, "delete_schedule_group")
def _delete_schedule_group(original: Callable[..., None], self: EventBridgeSchedulerBackend, name: str) -> None:
    """moto deletes the default group, too, and fails where there is none of the name."""
    self.get_schedule_group(name)
    if name == "default":
        raise ValidationException("The default schedule group cannot be deleted.")
    original(self, name)


def _check_schedule(backend: EventBridgeSchedulerBackend, given: Mapping[str, Any]) -> None:
    group, target = backend.get_schedule_group(given.get("GroupName")), given["Target"]
    unknown = [f"{one} of a schedule" for one in ("StartDate", "EndDate", "KmsKeyArn") if given.get(one)]
    unknown += [] if given["FlexibleTimeWindow"]["Mode"] == "OFF" else ["FlexibleTimeWindow of a schedule"]
    action = schedules.TARGET.fullmatch(target["Arn"])
    if action is None or unknown:
        raise NotImplementedError([*unknown, f"the target {target['Arn']} of a schedule"][0])
    zone = given.get("ScheduleExpressionTimezone", "UTC")
    try:
        schedules.parse(given["ScheduleExpression"])
        request = json.loads(target.get("Input", "{}"))
    except json.JSONDecodeError:
        raise ValidationException("Invalid RequestJson provided. Reason: it is not JSON") from None
    except ValueError:
        raise ValidationException(f"Invalid Schedule Expression {given['ScheduleExpression']}.") from None
    if zone not in available_timezones():
        raise ValidationException(f"Invalid Schedule Expression Timezone {zone}.")
    shape = get_service_model("sagemaker").operation_model(action[1][0].upper() + action[1][1:]).input_shape
    if (report := ParamValidator().validate(request, shape)).has_errors():
        raise ValidationException(f"Invalid RequestJson provided. Reason: {report.generate_report()}")
    try:
        roles.check(target["RoleArn"], by=schedules.SERVICE, source_arn=group.arn)
    except roles.AccessDenied:
        message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        raise ValidationException(message) from None
