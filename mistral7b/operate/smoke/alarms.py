"""Whether the alarms of an environment stay quiet after a deployment."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mistral7b.endpoint.caller import clock
from mistral7b.environment import Environment
from mistral7b.operate.calls import Client, each
from mistral7b.operate.smoke.answers import CheckResult
from mistral7b.promotion.names import environment_stacks

_SETTLING = timedelta(minutes=10)
"""How long an alarm that is on when the deployment ends may stay on."""
_POLL_S = 15.0


def stay_quiet(client: Client, env: Environment, minutes: int) -> CheckResult:
    """Passes once no alarm has been on for so many minutes: from the deployment on, or back from now if it is older.

    It takes cloudformation:DescribeStackResources, cloudwatch:DescribeAlarms and cloudwatch:DescribeAlarmHistory.
    Raises ClientError.
    """
    (started, speed), period = clock(), timedelta(minutes=minutes)
    resources = client("cloudformation").describe_stack_resources(StackName=environment_stacks(env.name)[0])
    # The embedded AWS dates stacks by this machine's clock, as the CDK CLI compares them with it.
    age = (datetime.now(UTC) - max(one["Timestamp"] for one in resources["StackResources"])) * speed
    since = quiet_from = started - min(period, age)
    while True:
        now, _ = clock()
        alarms = [*each(client("cloudwatch"), "describe_alarms", "MetricAlarms", AlarmNames=env.alarm_names)]
        wrong = [f"{name} is missing" for name in sorted({*env.alarm_names} - {one["AlarmName"] for one in alarms})]
        wrong += [text for one in alarms for text in _gone_off(client("cloudwatch"), one, since)]
        if on := [one for one in alarms if one["StateValue"] == "ALARM"]:
            quiet_from = now
            if now >= since + min(period, _SETTLING):
                wrong = wrong or [f"{one['AlarmName']} is still on: {one['StateReason']}" for one in on]
        if wrong or now >= quiet_from + period:
            seconds, told = (now - started).total_seconds(), "; ".join(wrong) or f"{len(alarms)} alarms are quiet"
            return CheckResult("alarms", not wrong, seconds, f"no alarm for {minutes} minutes", told)
        time.sleep(min(_POLL_S, (quiet_from + period - now).total_seconds()) / speed)


def _gone_off(client: Any, alarm: dict[str, Any], since: datetime) -> Iterator[str]:
    """When an alarm went off, and why."""
    if alarm["StateUpdatedTimestamp"] < since:
        return  # nothing has happened to it
    asked = {"AlarmName": alarm["AlarmName"], "HistoryItemType": "StateUpdate", "StartDate": since}
    for item in each(client, "describe_alarm_history", "AlarmHistoryItems", **asked):
        state = json.loads(item["HistoryData"])["newState"]
        if state["stateValue"] == "ALARM":
            yield f"{item['AlarmName']} went off at {item['Timestamp']:%H:%M:%S} UTC: {state['stateReason']}"
