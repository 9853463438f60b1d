"""EventBridge."""

from tests.unit.sagehost.validation.examples import Cases, Json

PIPELINE: Json = {"Id": "a", "Arn": "arn:aws:codepipeline:us-east-1:$account:p"}
EXAMPLES: Cases = {
    "rate": ("PutRule", {"Name": "r"}, {"ScheduleExpression": "rate(1 hours)"}, {"ScheduleExpression": "rate(1 hour)"}),
    "both days": (
        "PutRule",
        {"Name": "r"},
        {"ScheduleExpression": "cron(0 0 * * * *)"},
        {"ScheduleExpression": "cron(0 0 ? * MON *)"},
    ),
    "empty pattern": ("PutRule", {"Name": "r"}, {"EventPattern": "{}"}, {"EventPattern": '{"source": ["a"]}'}),
    "wildcard": (
        "PutRule",
        {"Name": "r"},
        {"EventPattern": '{"source": [{"wildcard": "*a"}]}'},
        {"EventPattern": '{"source": ["wildcard"]}'},
    ),
    "pipeline without role": (
        "PutTargets",
        {"Rule": "r"},
        {"Targets": [PIPELINE]},
        {"Targets": [{**PIPELINE, "RoleArn": "$role"}]},
    ),
}
