"""EventBridge Scheduler."""

from typing import Any

Json = dict[str, Any]
TARGET = {
    "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
    "RoleArn": "arn:aws:iam::$account:role/scheduler",
    "Input": '{"EndpointName": "e"}',
}
SCHEDULE = {"Name": "s", "ScheduleExpression": "cron(0 8 ? * MON-FRI *)", "Target": TARGET}
EXAMPLES: dict[str, tuple[str, Json, Json, Json]] = {
    name: ("CreateSchedule", SCHEDULE, refused, {})
    for name, refused in {
        "expression": {"ScheduleExpression": "daily"},
        "time zone": {"ScheduleExpressionTimezone": "Mars/Olympus"},
        "input that is no JSON": {"Target": {**TARGET, "Input": "{"}},
        "role of another service": {"Target": {**TARGET, "RoleArn": "$role"}},
    }.items()
} | {
    "group exists": ("CreateScheduleGroup", {}, {"Name": "nightly"}, {"Name": "daily"}),
    "default group": ("DeleteScheduleGroup", {}, {"Name": "default"}, {"Name": "nightly"}),
}
