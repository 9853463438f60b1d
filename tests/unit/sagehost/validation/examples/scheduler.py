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
            "role of another service": ({"Target": {**TARGET, "RoleArn": "$role"}}, {}),
        },
    ),
    "group exists": ("CreateScheduleGroup", {}, {"Name": "nightly"}, {"Name": "daily"}),
    "default group": ("DeleteScheduleGroup", {}, {"Name": "default"}, {"Name": "nightly"}),
}
