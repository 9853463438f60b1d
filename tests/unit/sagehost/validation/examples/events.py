"""EventBridge."""

from typing import Any

Json = dict[str, Any]
PIPELINE = {"Id": "a", "Arn": "arn:aws:codepipeline:us-east-1:$account:p"}
EXAMPLES: dict[str, tuple[str, Json, Json, Json]] = {
    "rate": ("PutRule", {"Name": "r"}, {"ScheduleExpression": "rate(1 hours)"}, {"ScheduleExpression": "rate(1 hour)"}),
    "both days": (
        "PutRule",
        {"Name": "r"},
        {"ScheduleExpression": "cron(0 0 * * * *)"},
        {"ScheduleExpression": "cron(0 0 ? * MON *)"},
    ),
    "empty pattern": ("PutRule", {"Name": "r"}, {"EventPattern": "{}"}, {"EventPattern": '{"source": ["a"]}'}),
    "pipeline without role": (
        "PutTargets",
        {"Rule": "r"},
        {"Targets": [PIPELINE]},
        {"Targets": [{**PIPELINE, "RoleArn": "$role"}]},
    ),
}
