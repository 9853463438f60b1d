"""EventBridge Scheduler."""

from tests.unit.sagehost.validation.examples import Cases, Json, of

TARGET: Json = {
    "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
    "RoleArn": "arn:aws:iam::$account:role/scheduler",
    "Input": '{"EndpointName": "e"}',
}
SCHEDULE: Json = {"Name": "s", "ScheduleExpression": "cron(0 8 ? * MON-FRI *)", "Target": TARGET}
EXAMPLES: Cases = {
    **of(
        "CreateSchedule",
        SCHEDULE,
        {
            "expression": ({"ScheduleExpression": "daily"}, {}),
            "time zone": ({"ScheduleExpressionTimezone": "Mars/Olympus"}, {}),
            "input that is no JSON": ({"Target": {**TARGET, "Input": "{"}}, {}),
            "hour of the expression": ({"ScheduleExpression": "cron(0 24 ? * MON-FRI *)"}, {}),
            "input of another operation": ({"Target": {**TARGET, "Input": '{"Endpoint": "e"}'}}, {}),
            "unknown group": ({"GroupName": "none"}, {"GroupName": "nightly"}),
            "end": ({"EndDate": "2026-01-01"}, {}),
            "flexible time window": (
                {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
                {"FlexibleTimeWindow": {"Mode": "OFF"}},
            ),
            "target": ({"Target": {**TARGET, "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"}}, {}),
            "rate": ({"ScheduleExpression": "rate(5 minutes)"}, {}),
            "role of another service": ({"Target": {**TARGET, "RoleArn": "$role"}}, {}),
        },
    ),
    "group exists": ("CreateScheduleGroup", {}, {"Name": "nightly"}, {"Name": "daily"}),
    "deleted group that does not exist": ("DeleteScheduleGroup", {}, {"Name": "none"}, {"Name": "nightly"}),
    "default group": ("DeleteScheduleGroup", {}, {"Name": "default"}, {"Name": "nightly"}),
}
