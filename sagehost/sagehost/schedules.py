"""EventBridge Scheduler: schedules call their targets when their time comes, under their roles.

Of all targets there are two, SageMaker's CreateEndpoint and DeleteEndpoint; of all expressions, times of a day. A call
that fails is repeated, after a minute and then each time after twice as long, until the retry policy ends it; then it
goes to the dead-letter queue. AWS documents neither these pauses nor which errors are repeated: here all are.
"""

import heapq
import itertools
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError
from moto.core.exceptions import ServiceException
from moto.scheduler.models import Schedule, scheduler_backends

from sagehost import moto_app, roles
from sagehost.clock import CLOCK

SERVICE = "scheduler.amazonaws.com"

_LOG = logging.getLogger(__name__)
_DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


def _parsed(expression: str) -> tuple[time_of_day, range]:
    """The time of a day, and the days of the week, Monday being 0, of `cron(0 8 ? * MON-FRI *)`.

    `validation.rules` refuses every other form.
    """
    minute, hour, first, last = re.findall(r"\w+", expression)[1:]
    return time_of_day(int(hour), int(minute)), range(_DAYS.index(first), _DAYS.index(last) + 1)


class _Calls:
    """What is to be called, and when."""

    def __init__(self) -> None:
        self._last = CLOCK.now()
        self._calls: list[tuple[datetime, int, datetime, int, Schedule]] = []
        """A heap: when, a number by which none are equal, when it was scheduled, how often it was repeated."""
        self._numbers = itertools.count()

    def tick(self, seconds: float) -> None:
        """Calls, in its order, what has been due since the last tick."""
        now = datetime.fromtimestamp(seconds, UTC)
        with moto_app.STATE:
            for schedule in _schedules():
                for at in _times(schedule, self._last, now):
                    heapq.heappush(self._calls, (at, next(self._numbers), at, 0, schedule))
            self._last = now
            while self._calls and self._calls[0][0] <= now:
                self._call(*heapq.heappop(self._calls))

    def _call(self, at: datetime, _: int, scheduled: datetime, retries: int, schedule: Schedule) -> None:
        try:
            _invoke(schedule)
        except (ServiceException, ClientError) as error:
            code, message = _told(error)
            _LOG.warning("%s failed: %s: %s", schedule.arn, code, message)
            again, policy = at + timedelta(minutes=2**retries), schedule.target["RetryPolicy"]
            late = again - scheduled > timedelta(seconds=policy.get("MaximumEventAgeInSeconds", 86_400))
            if not late and retries < policy.get("MaximumRetryAttempts", 185):
                heapq.heappush(self._calls, (again, next(self._numbers), scheduled, retries + 1, schedule))
            elif "DeadLetterConfig" in schedule.target:
                condition = "MaximumEventAgeInSeconds" if late else "MaximumRetryAttempts"
                _bury(
                    schedule,
                    ERROR_CODE=code,
                    ERROR_MESSAGE=message,
                    EXHAUSTED_RETRY_CONDITION=condition,
                    RETRY_ATTEMPTS=str(retries),
                    SCHEDULED_TIME=f"{scheduled:%Y-%m-%dT%H:%M:%SZ}",
                )


CLOCK.every(1.0, _Calls().tick)


def _schedules() -> list[Schedule]:
    backends = [backend for account in list(scheduler_backends) for backend in scheduler_backends[account].values()]
    groups = [group for backend in backends for group in backend.schedule_groups.values()]
    return [schedule for group in groups for schedule in group.schedules.values()]


def _times(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    at, days = _parsed(schedule.schedule_expression)
    zone = ZoneInfo(schedule.schedule_expression_timezone)
    day, last = after.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last and schedule.state == "ENABLED":
        due = datetime.combine(day, at, zone).astimezone(UTC)
        if day.weekday() in days and after < due <= until:
            yield due
        day += timedelta(days=1)


def _invoke(schedule: Schedule) -> None:
    """Calls the target as the role may. Raises AccessDenied or ClientError."""
    _, partition, _, region, account, _ = schedule.arn.split(":")
    role, request = schedule.target["RoleArn"], json.loads(schedule.target["Input"])
    group = f"arn:{partition}:scheduler:{region}:{account}:schedule-group/{schedule.group_name}"
    roles.check(role, by=SERVICE, source_arn=group)
    creates = "EndpointConfigName" in request
    action, endpoint = "CreateEndpoint" if creates else "DeleteEndpoint", f"endpoint/{request['EndpointName']}"
    needed = [(action, endpoint)]
    needed += [(action, f"endpoint-config/{request['EndpointConfigName']}")] if creates else []
    needed += [("AddTags", endpoint)] if request.get("Tags") else []
    for one, resource in needed:
        arn = f"arn:{partition}:sagemaker:{region}:{account}:{resource.lower()}"
        roles.check_action(role, f"sagemaker:{one}", arn, {})
    sagemaker = moto_app.client("sagemaker", account, region)
    (sagemaker.create_endpoint if creates else sagemaker.delete_endpoint)(**request)


def _bury(schedule: Schedule, **told: str) -> None:
    """Sends what could not be called to the dead-letter queue, if the role may.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    target, queue = schedule.target, schedule.target["DeadLetterConfig"]["Arn"]
    _, _, _, region, account, name = queue.split(":")
    sqs = moto_app.client("sqs", account, region)
    told |= {"SCHEDULE_ARN": schedule.arn, "TARGET_ARN": target["Arn"]}
    attributes = {key: {"DataType": "String", "StringValue": value} for key, value in told.items()}
    try:
        roles.check_action(target["RoleArn"], "sqs:SendMessage", queue, {})
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=target["Input"], MessageAttributes=attributes)
    except (ServiceException, ClientError) as error:
        _LOG.warning("%s is dropped: %s: %s", schedule.arn, *_told(error))


def _told(error: Any) -> tuple[str, str]:
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return error.code, error.message
