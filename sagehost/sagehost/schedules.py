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
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError
from moto.core.exceptions import ServiceException
from moto.scheduler.models import Schedule, scheduler_backends

from sagehost import moto_app, roles
from sagehost.clock import CLOCK

SERVICE = "scheduler.amazonaws.com"

_LOG = logging.getLogger(__name__)
_CRON = re.compile(r"cron\((\d+) (\d+) (?:\* \* \?|\? \* (\w+)([-,])(\w+)) \*\)")
_DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


def times(expression: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """When `cron(0 8 ? * MON-FRI *)`, with `SAT,SUN`, with `* * ?` for every day, or `at(…)` is due in a span of time.

    `validation.rules` refuses every other form.
    """
    here = ZoneInfo(zone)
    if found := _CRON.fullmatch(expression):
        minute, hour, first, joint, last = found.groups()
        low, high = _DAYS.index(first or "MON"), _DAYS.index(last or "SUN")
        days = {low, high} if joint == "," else {day % 7 for day in range(low, low + (high - low) % 7 + 1)}
        start, span = after.astimezone(here).date(), (until - after).days + 2
        dates = (start + timedelta(days=number) for number in range(span))
        local = [datetime.combine(one, time(int(hour), int(minute))) for one in dates if one.weekday() in days]
    else:
        local = [datetime.fromisoformat(expression[3:-1])]
    yield from (due for one in local if after < (due := one.replace(tzinfo=here).astimezone(UTC)) <= until)


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
                for at in times(schedule.schedule_expression, schedule.schedule_expression_timezone, self._last, now):
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
    return [one for group in groups for one in group.schedules.values() if one.state == "ENABLED"]


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
